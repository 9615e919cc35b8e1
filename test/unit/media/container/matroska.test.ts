// Shapes of Matroska files that no muxer at hand writes.

import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { readMediaIndex } from "../../../../src/media/container/read-media-index.ts";
import type { MediaIndex } from "../../../../src/media/ports.ts";
import { sourceOf, sparseSource } from "../../../support/counted-source.ts";
import {
  bytesOf,
  element,
  elementId,
  float64,
  type Part,
  u16,
  u32,
  u64,
  unknownSizeElement,
} from "../../../support/media-bytes.ts";

const EBML = element(0x1a45dfa3, element(0x4282, "matroska"));
const SEGMENT = 0x18538067;
const SEEK_HEAD = 0x114d9b74;
const INFO = 0x1549a966;
const TRACKS = 0x1654ae6b;
const CUES = 0x1c53bb6b;
const CLUSTER = 0x1f43b675;
const TAGS = 0x1254c367;
const SEGMENT_HEADER_BYTES = 12;
const SEGMENT_DATA = EBML.length + SEGMENT_HEADER_BYTES;

function info(scaleNs: number, duration: number): Uint8Array {
  return element(INFO, element(0x2ad7b1, u32(scaleNs)), element(0x4489, float64(duration)));
}

function track(number: number, type: number, codecId: string): Uint8Array {
  return element(0xae, element(0xd7, number), element(0x83, type), element(0x86, codecId));
}

const VIDEO_TRACKS = element(TRACKS, track(1, 1, "V_MPEG4/ISO/AVC"));
const INFO_MS = info(1_000_000, 10_000);

function cue(time: number, cluster: number, trackNumber = 1): Uint8Array {
  const positions = element(0xb7, element(0xf7, trackNumber), element(0xf1, u64(cluster)));
  return element(0xbb, element(0xb3, u32(time)), positions);
}

function seek(id: number, position: number): Uint8Array {
  return element(0x4dbb, element(0x53ab, elementId(id)), element(0x53ac, u64(position)));
}

function cluster(lengthBytes = 100): Uint8Array {
  return element(CLUSTER, new Uint8Array(lengthBytes));
}

function film(...content: readonly Part[]): Uint8Array {
  return bytesOf(EBML, element(SEGMENT, ...content));
}

function read(bytes: Uint8Array): Promise<MediaIndex> {
  return readMediaIndex(sourceOf(bytes), new AbortController().signal);
}

const times = (index: MediaIndex) => Array.from(index.keyframes?.timesSec ?? []);
const positions = (index: MediaIndex) => Array.from(index.keyframes?.positionsBytes ?? []);

/** Puts `parts` behind a SeekHead that names `named` by their index. */
function withSeekHead(parts: readonly Uint8Array[], named: readonly [number, number][]): Uint8Array {
  const headBytes = element(SEEK_HEAD, ...named.map(([id]) => seek(id, 0))).length;
  const startOf = (part: number) =>
    headBytes + parts.slice(0, part).reduce((sum, { length }) => sum + length, 0);
  return film(element(SEEK_HEAD, ...named.map(([id, part]) => seek(id, startOf(part)))), ...parts);
}

describe("Matroska layout", () => {
  test("Cues behind the clusters are found through the SeekHead alone", async () => {
    const before = [INFO_MS, VIDEO_TRACKS, cluster(500_000), cluster(500_000)];
    const bytes = withSeekHead([...before, element(CUES, cue(0, 300), cue(5000, 500_400))], [[CUES, 4]]);
    const source = sourceOf(bytes);
    const index = await readMediaIndex(source, new AbortController().signal);
    expect(times(index)).toEqual([0, 5]);
    expect(positions(index)).toEqual([SEGMENT_DATA + 300, SEGMENT_DATA + 500_400]);
    expect(source.requests.length).toBe(2);
    expect(index.headBytes.at(-1)?.end).toBe(bytes.length);
  });

  test("a SeekHead that names another SeekHead is followed, once", async () => {
    const cues = element(CUES, cue(1000, 300));
    const inner = [INFO_MS, VIDEO_TRACKS, cluster(), cues];
    const firstBytes = element(SEEK_HEAD, seek(SEEK_HEAD, 0)).length;
    const cuesAt = firstBytes + bytesOf(...inner.slice(0, 3)).length;
    const secondAt = firstBytes + bytesOf(...inner).length;
    const second = element(SEEK_HEAD, seek(CUES, cuesAt), seek(SEEK_HEAD, secondAt));
    const index = await read(film(element(SEEK_HEAD, seek(SEEK_HEAD, secondAt)), ...inner, second));
    expect(times(index)).toEqual([1]);
  });

  test("without a SeekHead a few clusters are stepped over, by their headers", async () => {
    const most = LIMITS.mediaIndex.clustersWalked;
    const clusters = (count: number) => Array.from({ length: count }, () => cluster(100_000));
    const parts = (count: number) => [INFO_MS, VIDEO_TRACKS, clusters(count), element(CUES, cue(2000, 300))];
    expect(times(await read(film(...parts(most))))).toEqual([2]);
    const source = sourceOf(film(...parts(most + 1)));
    const index = await readMediaIndex(source, new AbortController().signal);
    expect(index.noIndex).toBe("no_cues");
    expect(source.requests.length).toBeLessThanOrEqual(most + 2);
  });

  test("Void and CRC elements lie anywhere", async () => {
    const [gap, crc] = [element(0xec, new Uint8Array(40)), element(0xbf, u32(0))];
    const point = bytesOf(
      crc,
      element(0xb3, u32(3000)),
      gap,
      element(0xb7, crc, element(0xf7, 1), gap, element(0xf1, u16(900))),
    );
    const tracks = element(TRACKS, crc, gap, track(1, 1, "V_VP8"));
    const bytes = bytesOf(
      gap,
      film(gap, crc, INFO_MS, gap, tracks, element(CUES, crc, element(0xbb, point), gap), gap, cluster(2000)),
    );
    // The gap in front of everything is no EBML header.
    expect((await read(bytes)).container).toBe("other");
    expect(times(await read(bytes.subarray(gap.length)))).toEqual([3]);
  });

  test("a segment and a cluster of unknown size end with the file", async () => {
    const parts = [
      INFO_MS,
      VIDEO_TRACKS,
      element(CUES, cue(0, 300)),
      unknownSizeElement(CLUSTER, new Uint8Array(500)),
    ];
    const index = await read(bytesOf(EBML, unknownSizeElement(SEGMENT, ...parts)));
    expect(times(index)).toEqual([0]);
    const live = await read(bytesOf(EBML, unknownSizeElement(SEGMENT, parts[0]!, parts[1]!, parts[3]!)));
    expect(live).toMatchObject({ noIndex: "no_cues", durationSec: 10 });
  });

  test("a SeekHead that lies about Cues means a broken index; about Tags it does no harm", async () => {
    const cues = element(CUES, cue(0, 600));
    const lying = withSeekHead([INFO_MS, VIDEO_TRACKS, cluster(5000)], [[CUES, 1]]);
    expect(await read(lying)).toMatchObject({ noIndex: "broken", durationSec: 10 });
    expect((await read(lying)).tracks).toHaveLength(1);
    const harmless = withSeekHead(
      [INFO_MS, VIDEO_TRACKS, cues, cluster(5000)],
      [
        [TAGS, 1],
        [CUES, 2],
      ],
    );
    expect(times(await read(harmless))).toEqual([0]);
  });

  test("what ffmpeg reads at open behind the clusters is named", async () => {
    const tags = element(TAGS, new Uint8Array(77));
    const parts = [INFO_MS, VIDEO_TRACKS, element(CUES, cue(0, 500)), cluster(300_000), tags];
    const bytes = withSeekHead(parts, [[TAGS, 4]]);
    const index = await read(bytes);
    expect(index.headBytes.at(-1)).toEqual({ start: bytes.length - tags.length, end: bytes.length });
  });

  test("no Tracks is a broken file, no Info is one with the defaults", async () => {
    expect(await read(film(INFO_MS, cluster()))).toMatchObject({
      noIndex: "broken",
      tracks: [],
      durationSec: 10,
    });
    const index = await read(film(VIDEO_TRACKS, element(CUES, cue(1500, 200)), cluster(500)));
    expect(times(index)).toEqual([1.5]);
    expect(index.durationSec).toBeNull();
  });
});

describe("Matroska tracks", () => {
  test("are numbered as ffmpeg numbers its streams: unknown types and tracks without a codec are not", async () => {
    const tracks = element(
      TRACKS,
      track(9, 0x20, "CONTROL"),
      track(1, 2, "A_OPUS"),
      element(0xae, element(0xd7, 2), element(0x83, 1)),
      track(3, 0x11, "S_HDMV/PGS"),
      track(4, 0x21, "D_META"),
      track(5, 1, "V_MJPEG"),
      track(6, 1, "V_AV1\0\0"),
    );
    const index = await read(
      film(INFO_MS, tracks, element(CUES, cue(0, 900, 5), cue(1000, 900, 6)), cluster(2000)),
    );
    expect(index.tracks.map(({ stream, kind, codecId }) => [stream, kind, codecId])).toEqual([
      [0, "audio", "A_OPUS"],
      [1, "subtitle", "S_HDMV/PGS"],
      [2, "other", "D_META"],
      [3, "video", "V_MJPEG"],
      [4, "video", "V_AV1"],
    ]);
    expect(times(index)).toEqual([1]);
  });

  test("codec private is told as it is and does not hold on to what was read", async () => {
    const entry = element(
      0xae,
      element(0xd7, 1),
      element(0x83, 1),
      element(0x86, "V_X"),
      element(0x63a2, 1, 2, 3),
    );
    const index = await read(film(INFO_MS, element(TRACKS, entry), cluster()));
    const told = index.tracks[0]?.codecPrivate;
    expect(Array.from(told ?? [])).toEqual([1, 2, 3]);
    expect(told?.buffer.byteLength).toBe(3);
  });

  test("codec private that is longer than any is not told", async () => {
    const of = async (lengthBytes: number) => {
      const entry = [element(0xd7, 1), element(0x83, 1), element(0x86, "V_X")];
      const longPrivate = element(0x63a2, new Uint8Array(lengthBytes));
      const index = await read(film(INFO_MS, element(TRACKS, element(0xae, entry, longPrivate)), cluster()));
      return index.tracks[0]?.codecPrivate?.length;
    };
    const most = LIMITS.mediaIndex.codecPrivateBytes;
    expect(await of(most)).toBe(most);
    expect(await of(most + 1)).toBeUndefined();
  });

  test("at most as many as the limit", async () => {
    const most = LIMITS.mediaIndex.tracks;
    const tracks = (count: number) =>
      film(
        INFO_MS,
        element(
          TRACKS,
          Array.from({ length: count }, (_, i) => track(i + 1, 2, "A")),
        ),
      );
    expect((await read(tracks(most))).noIndex).toBe("no_video");
    expect((await read(tracks(most + 1))).noIndex).toBe("too_large");
  });
});

describe("Matroska cues", () => {
  test("only those of the first video track count, sorted and without doubles", async () => {
    const tracks = element(TRACKS, track(7, 1, "V_X"), track(8, 1, "V_Y"), track(9, 0x11, "S_TEXT/UTF8"));
    const cues = element(
      CUES,
      cue(4000, 970, 7),
      cue(0, 950, 7),
      cue(0, 950, 7),
      cue(1000, 950, 8),
      cue(2000, 960, 9),
      cue(500, 950, 7),
    );
    const index = await read(film(INFO_MS, tracks, cues, cluster(3000)));
    expect(times(index)).toEqual([0, 0.5, 4]);
  });

  test("one cue point may stand for several tracks", async () => {
    const places = (trackNumber: number, at: number) =>
      element(0xb7, element(0xf7, trackNumber), element(0xf1, u16(at)));
    const point = element(0xbb, element(0xb3, 5), places(2, 900), places(1, 800), places(3, 900));
    const index = await read(film(info(1_000_000_000, 9), VIDEO_TRACKS, element(CUES, point), cluster(2000)));
    expect(times(index)).toEqual([5]);
    expect(positions(index)).toEqual([SEGMENT_DATA + 800]);
  });

  test("times keep the scale of the file", async () => {
    const index = await read(
      film(info(100_000, 20_000), VIDEO_TRACKS, element(CUES, cue(12_345, 900)), cluster(2000)),
    );
    expect(times(index)).toEqual([1.2345]);
    expect(index.durationSec).toBe(2);
  });

  test("places outside the clusters and places that go back are left out", async () => {
    const cues = element(
      CUES,
      cue(0, 10),
      cue(1000, 900),
      cue(2000, 2 ** 40),
      cue(3000, 800),
      cue(4000, 1000),
    );
    const index = await read(film(INFO_MS, VIDEO_TRACKS, cues, cluster(3000)));
    expect(times(index)).toEqual([1, 4]);
  });

  test("Cues without one of the film are as good as none", async () => {
    const index = await read(film(INFO_MS, VIDEO_TRACKS, element(CUES, cue(0, 900, 2)), cluster(2000)));
    expect(index.noIndex).toBe("no_cues");
  });

  test("a scale of zero, a length past the parent and a header that is none are broken", async () => {
    const cuesWith = (...content: readonly Part[]) =>
      film(INFO_MS, VIDEO_TRACKS, element(CUES, ...content), cluster(2000));
    const [headerOfPoint] = [bytesOf(0xbb, 0x81 + 20)];
    for (const bytes of [
      film(info(0, 1), VIDEO_TRACKS, element(CUES, cue(0, 900)), cluster(2000)),
      cuesWith(headerOfPoint, new Uint8Array(5)),
      cuesWith(cue(0, 900), 0x00),
      cuesWith(unknownSizeElement(0xbb, cue(0, 900))),
      cuesWith(element(0xbb, element(0xb3, new Uint8Array(9)))),
    ])
      expect(await read(bytes)).toMatchObject({ keyframes: null, noIndex: "broken" });
  });
});

describe("limits of Matroska", () => {
  const { metadataBytes, cuesBytes } = LIMITS.mediaIndex;
  const GAP_HEADER_BYTES = 9;
  /** The header of an element of this size. */
  const sized = (id: number, lengthBytes: number) =>
    bytesOf(elementId(id), 0x01, u64(lengthBytes).subarray(1));

  function withTracksOf(contentBytes: number): Promise<MediaIndex> {
    const gap = contentBytes - track(1, 1, "V_X").length - GAP_HEADER_BYTES;
    const tracks = element(TRACKS, track(1, 1, "V_X"), element(0xec, new Uint8Array(gap)));
    return read(film(INFO_MS, tracks, cluster()));
  }

  test("Tracks of eight MiB are read, one byte more is too large", async () => {
    expect((await withTracksOf(metadataBytes)).noIndex).toBe("no_cues");
    expect((await withTracksOf(metadataBytes + 1)).noIndex).toBe("too_large");
  });

  /** A large file of mostly nothing: one cue point and a gap, then a cluster to the end. */
  async function withCuesOf(contentBytes: number): Promise<MediaIndex> {
    const fileBytes = 2 ** 27;
    const head = bytesOf(EBML, unknownSizeElement(SEGMENT, INFO_MS, VIDEO_TRACKS));
    const first = cue(0, fileBytes - 1000);
    const gapBytes = contentBytes - first.length - GAP_HEADER_BYTES;
    const cues = bytesOf(sized(CUES, contentBytes), first, sized(0xec, gapBytes));
    const clusterAt = head.length + sized(CUES, 0).length + contentBytes;
    const source = sparseSource(fileBytes, [
      { at: 0, bytes: bytesOf(head, cues) },
      { at: clusterAt, bytes: unknownSizeElement(CLUSTER) },
    ]);
    return await readMediaIndex(source, new AbortController().signal);
  }

  test("Cues of 64 MiB are read, one byte more is too large", async () => {
    expect(times(await withCuesOf(cuesBytes))).toEqual([0]);
    expect((await withCuesOf(cuesBytes + 1)).noIndex).toBe("too_large");
  });
});
