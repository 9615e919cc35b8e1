// Indexes of fragmented files in the shapes that other writers than ffmpeg give them.

import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { readMediaIndex } from "../../../../src/media/container/read-media-index.ts";
import type { MediaIndex } from "../../../../src/media/ports.ts";
import { sparseSource } from "../../../support/counted-source.ts";
import { box, bytesOf, fullBox, type Part, u16, u32, u64 } from "../../../support/media-bytes.ts";

const FTYP = box("ftyp", "isom");
const FILE_BYTES = 400_000;
const TRACK = 7;
const TIMESCALE = 1000;

function movie(...content: readonly Part[]): Uint8Array {
  const stsd = fullBox("stsd", 0, u32(1), box("avc1", new Uint8Array(78)));
  const trak = box(
    "trak",
    fullBox("tkhd", 0, u32(0, 0, TRACK, 0, 0), new Uint8Array(60)),
    box("edts", fullBox("elst", 0, u32(1, 0, 80, 0x10000))),
    box(
      "mdia",
      fullBox("mdhd", 0, u32(0, 0, TIMESCALE, 0, 0)),
      fullBox("hdlr", 0, u32(0), "vide", new Uint8Array(13)),
      box("minf", box("stbl", stsd)),
    ),
  );
  return box("moov", fullBox("mvhd", 0, u32(0, 0, 600, 0), new Uint8Array(80)), trak, ...content);
}

const trex = fullBox("trex", 0, u32(TRACK, 1, 40, 0, 0));
const MOVIE = movie(box("mvex", trex));

interface FragmentShape {
  readonly decodeTicks: number;
  readonly showOffsets?: readonly number[];
  readonly durations?: readonly number[];
  readonly trackId?: number;
  readonly tfhd?: Uint8Array;
}

/** moof and an mdat of some bytes. */
function fragment(shape: FragmentShape): Uint8Array {
  const offsets = shape.showOffsets ?? [80];
  const flags = 0x800 | (shape.durations === undefined ? 0 : 0x100);
  const frames = offsets.map((offset, i) =>
    u32(...(shape.durations === undefined ? [] : [shape.durations[i] ?? 0]), offset),
  );
  const traf = box(
    "traf",
    shape.tfhd ?? fullBox("tfhd", 0, u32(shape.trackId ?? TRACK)),
    fullBox("tfdt", 1, u64(shape.decodeTicks)),
    box("trun", u32(flags, offsets.length), ...frames),
  );
  return bytesOf(box("moof", fullBox("mfhd", 0, u32(1)), traf), box("mdat", new Uint8Array(1000)));
}

interface Reference {
  readonly sizeBytes: number;
  readonly ticks: number;
  /** starts_with_SAP, its type and its delay. */
  readonly sap?: number;
}

const STARTS = 0x80000000;
const startOf = (type: number, delay = 0) => (STARTS | (type << 28) | delay) >>> 0;

function sidx(
  references: readonly Reference[],
  options: { trackId?: number; timescale?: number; earliest?: number; version?: 0 | 1 } = {},
): Uint8Array {
  const { trackId = TRACK, timescale = TIMESCALE, earliest = 0, version = 0 } = options;
  const entries = references.map(({ sizeBytes, ticks, sap }) => u32(sizeBytes, ticks, sap ?? startOf(1)));
  const times = version === 1 ? u64(earliest, 0) : u32(earliest, 0);
  return fullBox("sidx", version, u32(trackId, timescale), times, u16(0, references.length), ...entries);
}

function read(bytes: Uint8Array, fileBytes = FILE_BYTES): Promise<MediaIndex> {
  return readMediaIndex(sparseSource(fileBytes, [{ at: 0, bytes }]), new AbortController().signal);
}

const times = (index: MediaIndex) => Array.from(index.keyframes?.timesSec ?? []);

/** A file of a sidx and three fragments at 0, 2 and 5 seconds. */
function withSidx(index: (sizes: readonly number[]) => Uint8Array): Promise<MediaIndex> {
  const fragments = [0, 2000, 5000].map((decodeTicks) => fragment({ decodeTicks }));
  const bytes = bytesOf(FTYP, MOVIE, index(fragments.map((part) => part.length)), ...fragments);
  return read(bytes, bytes.length);
}

describe("sidx", () => {
  const references = (sizes: readonly number[], saps: readonly (number | undefined)[] = []) =>
    [2000, 3000, 1500].map((ticks, i) => ({
      ticks,
      sizeBytes: sizes[i] ?? 0,
      ...(saps[i] === undefined ? {} : { sap: saps[i] }),
    }));

  test("tells times with or without the edits; the first fragment says which", async () => {
    for (const earliest of [0, 80, 12_345]) {
      for (const version of [0, 1] as const) {
        const index = await withSidx((sizes) => sidx(references(sizes), { earliest, version }));
        expect(times(index)).toEqual([0, 2, 5]);
        expect(index.durationSec).toBe(6.5);
      }
    }
  });

  test("may count in a time scale of its own", async () => {
    const index = await withSidx((sizes) =>
      sidx(
        references(sizes).map((reference) => ({ ...reference, ticks: reference.ticks * 90 })),
        { timescale: 90_000 },
      ),
    );
    expect(times(index)).toEqual([0, 2, 5]);
  });

  test("key frames may come late in their fragment; fragments without one are left out", async () => {
    const delayed = await withSidx((sizes) =>
      sidx(references(sizes, [startOf(1), startOf(3, 80), startOf(0)])),
    );
    expect(times(delayed)).toEqual([0, 2.08, 5]);
    const without = await withSidx((sizes) => sidx(references(sizes, [startOf(1), 0, startOf(5)])));
    expect(times(without)).toEqual([0]);
  });

  test("of another track, of further indexes or of a time scale of zero is none", async () => {
    for (const index of [
      await withSidx((sizes) => sidx(references(sizes), { trackId: 8 })),
      await withSidx((sizes) => sidx(references(sizes.map((size) => size + STARTS)))),
      await withSidx((sizes) => sidx(references(sizes), { timescale: 0 })),
      await withSidx(() => sidx([])),
    ])
      expect(index.noIndex).toBe("no_cues");
  });

  test("that claims more entries than it has is broken", async () => {
    const index = await withSidx((sizes) => sidx(references(sizes)).subarray(0, 40).with(3, 40));
    expect(index.noIndex).toBe("broken");
  });

  test("several tracks have one each", async () => {
    const index = await withSidx((sizes) => {
      const own = sidx(references(sizes));
      const other = sidx([{ sizeBytes: 1, ticks: 1 }], { trackId: 3 });
      return bytesOf(other, own);
    });
    expect(times(index)).toEqual([0, 2, 5]);
  });
});

describe("mfra", () => {
  function withMfra(
    tfra: (places: readonly number[]) => Uint8Array,
    shapes: readonly FragmentShape[],
  ): Promise<MediaIndex> {
    const fragments = shapes.map(fragment);
    const start = FTYP.length + MOVIE.length;
    const places = fragments.map((_, i) => start + bytesOf(...fragments.slice(0, i)).length);
    const table = tfra(places);
    const mfro = fullBox("mfro", 0, u32(8 + table.length + 16));
    const bytes = bytesOf(FTYP, MOVIE, ...fragments, box("mfra", table, mfro));
    return read(bytes, bytes.length);
  }

  const SHAPES = [0, 2000, 5000].map((decodeTicks) => ({ decodeTicks, showOffsets: [80, 80, 80] }));
  const tfra =
    (version: 0 | 1, sizes: number, numbers: Uint8Array, trackId = TRACK) =>
    (places: readonly number[]) => {
      const entries = places.map((place, i) => {
        const ticks = [0, 2000, 5000][i] ?? 0;
        return bytesOf(version === 1 ? u64(ticks, place) : u32(ticks, place), numbers);
      });
      return fullBox("tfra", version, u32(trackId, sizes, places.length), ...entries);
    };

  test("with numbers of all widths; the last fragment tells the duration", async () => {
    for (const form of [
      tfra(1, 0, bytesOf(1, 1, 1)),
      tfra(0, 0, bytesOf(1, 1, 1)),
      tfra(0, 0b11_01_10, new Uint8Array(4 + 2 + 3)),
    ]) {
      const index = await withMfra(form, SHAPES);
      expect(times(index)).toEqual([0, 2, 5]);
      // Three frames of 40 ms, by the movie's default.
      expect(index.durationSec).toBe(5.12);
    }
  });

  test("the length of a frame by its fragment's default, and by its own", async () => {
    const withDefault = fullBox("tfhd", 0, u32(TRACK), u64(0), u32(1, 50));
    withDefault.set([0, 0x0b], 10);
    const last = { decodeTicks: 5000, showOffsets: [80, 80], tfhd: withDefault };
    expect((await withMfra(tfra(0, 0, bytesOf(1, 1, 1)), [...SHAPES.slice(0, 2), last])).durationSec).toBe(
      5.1,
    );
    const own = { decodeTicks: 5000, showOffsets: [80, 180], durations: [70, 30] };
    expect((await withMfra(tfra(0, 0, bytesOf(1, 1, 1)), [...SHAPES.slice(0, 2), own])).durationSec).toBe(
      5.2,
    );
  });

  test("of another track is none; where there is no mfra there is none", async () => {
    expect((await withMfra(tfra(1, 0, bytesOf(1, 1, 1), 9), SHAPES)).noIndex).toBe("no_cues");
    const bare = bytesOf(FTYP, MOVIE, ...SHAPES.map(fragment));
    expect((await read(bare, bare.length)).noIndex).toBe("no_cues");
    const lying = bytesOf(bare, fullBox("mfro", 0, u32(2 ** 31)));
    expect((await read(lying, lying.length)).noIndex).toBe("no_cues");
  });

  test("that names places where no fragment begins is broken", async () => {
    const form = tfra(0, 0, bytesOf(1, 1, 1));
    const index = await withMfra((places) => form(places.map((place) => place + 8)), SHAPES);
    expect(index.noIndex).toBe("broken");
  });
});

describe("fragmented movies", () => {
  test("mehd tells the duration before anything else", async () => {
    const mvex = box("mvex", fullBox("mehd", 0, u32(6000)), trex);
    const bytes = bytesOf(FTYP, movie(mvex), fragment({ decodeTicks: 0 }));
    expect(await read(bytes, bytes.length)).toMatchObject({ durationSec: 10, noIndex: "no_cues" });
  });

  test("an index of eight MiB is read, one byte more is too large", async () => {
    const { fragmentIndexBytes } = LIMITS.mediaIndex;
    const of = (contentBytes: number) => {
      const moof = fragment({ decodeTicks: 0 });
      const table = sidx([{ sizeBytes: moof.length, ticks: 5000 }]).subarray(8);
      const bytes = bytesOf(FTYP, MOVIE, u32(8 + contentBytes), "sidx", table);
      const at = bytes.length - table.length + contentBytes;
      const parts = [
        { at: 0, bytes },
        { at, bytes: moof },
      ];
      return readMediaIndex(sparseSource(at + moof.length, parts), new AbortController().signal);
    };
    expect(times(await of(fragmentIndexBytes))).toEqual([0]);
    expect((await of(fragmentIndexBytes + 1)).noIndex).toBe("too_large");
  });
});
