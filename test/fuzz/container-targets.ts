// Containers of films: whatever the bytes, the index readers answer, within the limits of what they may read.

import { LIMITS } from "../../src/base/limits.ts";
import { codecStringOf } from "../../src/media/container/codec-string.ts";
import { readMediaIndex } from "../../src/media/container/read-media-index.ts";
import type { MediaIndex } from "../../src/media/ports.ts";
import { type CountedSource, sourceOf, sparseSource } from "../support/counted-source.ts";
import { bytesOf, elementId, u32, u64 } from "../support/media-bytes.ts";
import type { AsyncFuzzTarget, FuzzTarget } from "./fuzz.ts";

/** A file without an index; nothing to mutate further. */
class NoIndex extends Error {}

const never = new AbortController().signal;
/** Where the second copy of an input begins: what points far into a file finds something there. */
const SPARSE_BYTES = 2 * 2 ** 20;
const REQUESTS_MAX = 2 * LIMITS.mediaIndex.elementsWalked;

const EBML_DICTIONARY = [
  ...[0x1a45dfa3, 0x18538067, 0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1f43b675],
  ...[0x4dbb, 0x53ab, 0x53ac, 0x2ad7b1, 0x4489, 0xae, 0xd7, 0x83, 0x86, 0x63a2, 0xbb, 0xb3, 0xb7, 0xf7, 0xf1],
]
  .map(elementId)
  .concat(
    bytesOf(0xff),
    bytesOf(0x01, new Uint8Array(7).fill(0xff)),
    bytesOf(0x01, u64(2 ** 50).subarray(1)),
    bytesOf(0x08, 0xff, 0xff, 0xff, 0xff),
    bytesOf(0x80),
  );

const BOX_TYPES =
  "ftyp moov mdat free mvhd trak tkhd edts elst mdia mdhd hdlr vide minf stbl stsd avc1 avcC mp4a esds stts ctts stss stps stsc stsz stz2 stco co64 sbgp mvex mehd trex moof traf tfhd tfdt trun sidx mfra tfra mfro udta meta ilst covr";
const BOX_DICTIONARY = BOX_TYPES.split(" ")
  .map((type) => bytesOf(type))
  .concat(
    u32(0),
    u32(1),
    u32(8),
    u32(0x7fffffff),
    u32(0xffffffff),
    u64(2 ** 50),
    u32(1, 2, 3),
    u32(0x01000000),
  );

/** `corpus`: small files that have an index. */
export function containerTargets(corpus: {
  readonly matroska: readonly Uint8Array[];
  readonly mp4: readonly Uint8Array[];
}): readonly AsyncFuzzTarget[] {
  return [
    target("Matroska index", corpus.matroska, EBML_DICTIONARY),
    target("MP4 index", corpus.mp4, BOX_DICTIONARY),
  ];
}

function target(
  name: string,
  corpus: readonly Uint8Array[],
  dictionary: readonly Uint8Array[],
): AsyncFuzzTarget {
  return {
    name,
    corpus,
    dictionary,
    async run(input) {
      const index = await checked(sourceOf(input));
      await checked(
        sparseSource(SPARSE_BYTES + input.length, [
          { at: 0, bytes: input },
          { at: SPARSE_BYTES, bytes: input },
        ]),
      );
      if (index.noIndex !== null) throw new NoIndex(index.noIndex);
    },
    isExpected: (error) => error instanceof NoIndex,
  };
}

async function checked(source: CountedSource): Promise<MediaIndex> {
  const index = await readMediaIndex(source, never);
  const { keyframes, noIndex, durationSec, tracks } = index;
  must((keyframes === null) === (noIndex !== null), "an index or a reason");
  must(durationSec === null || (Number.isFinite(durationSec) && durationSec > 0), "a duration");
  must(tracks.length <= LIMITS.mediaIndex.tracks, "no more tracks than the limit");
  must(
    isAscending(
      tracks.map((track) => track.stream),
      1,
    ),
    "streams in order",
  );
  for (const track of tracks) codecStringOf(track);
  if (keyframes !== null) {
    must(keyframes.timesSec.length > 0, "a key frame");
    must(keyframes.timesSec.length === keyframes.positionsBytes.length, "a place for each");
    must(isAscending(Array.from(keyframes.timesSec), Number.MIN_VALUE), "times ascending");
    must(isAscending(Array.from(keyframes.positionsBytes), 0), "places ascending");
    must((keyframes.positionsBytes.at(-1) ?? 0) < source.lengthBytes, "places in the file");
  }
  const edges = index.headBytes.flatMap(({ start, end }) => [start, end]);
  must(isAscending([0, ...edges, source.lengthBytes].slice(edges[0] === 0 ? 1 : 0), 0), "heads in the file");
  must(source.readBytes <= LIMITS.mediaIndex.totalBytes, "no more read than the limit");
  must(source.requests.length <= REQUESTS_MAX, "no more requests than steps");
  return index;
}

function isAscending(values: readonly number[], by: number): boolean {
  return values.every((value, i) => i === 0 || value - (values[i - 1] ?? Number.NaN) >= by);
}

function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not ${what}`);
}

const CODEC_IDS = ["V_MPEG4/ISO/AVC", "hvc1", "V_AV1", "V_VP9", "vp09", "A_AAC", "mp4a"];

export const codecStringTarget: FuzzTarget = {
  name: "codec string",
  corpus: [
    bytesOf(1, 0x64, 0, 0x1f, 0xff),
    bytesOf(1, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 0, 93, new Uint8Array(10)),
    bytesOf(0x81, 0x08, 0x0c, 0),
    bytesOf(1, 1, 0, 2, 1, 10, 3, 1, 8),
    bytesOf(0x11, 0x90),
  ],
  dictionary: [bytesOf(1), bytesOf(0x81), bytesOf(0xff)],
  run(input) {
    const names = CODEC_IDS.map((codecId) =>
      codecStringOf({ stream: 0, kind: "video", codecId, codecPrivate: input }),
    ).filter((name) => name !== null);
    // They go into playlists and into answers of the API.
    for (const name of names) must(/^[A-Za-z0-9.]{4,64}$/.test(name), `a name: ${name}`);
    if (names.length === 0) throw new NoIndex();
  },
  isExpected: (error) => error instanceof NoIndex,
};
