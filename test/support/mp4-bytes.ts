// MP4 files put together from boxes: one video track of ten samples unless told otherwise.

import { readMediaIndex } from "../../src/media/container/read-media-index.ts";
import type { MediaIndex } from "../../src/media/ports.ts";
import { sparseSource } from "./counted-source.ts";
import { box, bytesOf, fullBox, type Part, u32, u64 } from "./media-bytes.ts";

export const FTYP = box("ftyp", "isom", u32(0x200), "isomiso2avc1mp41");
export const FILE_BYTES = 100_000;

export interface TrackShape {
  readonly id?: number;
  readonly handler?: string;
  readonly entry?: Uint8Array;
  readonly timescale?: number;
  readonly edits?: Uint8Array;
  readonly references?: Uint8Array;
  readonly tables?: readonly Uint8Array[];
}

export function track(shape: TrackShape = {}): Uint8Array {
  const stsd = fullBox("stsd", 0, u32(1), shape.entry ?? box("avc1", new Uint8Array(78)));
  const tables = shape.tables ?? [stts([10, 100]), stss(1, 6), stsc([1, 10, 1]), stsz(10, 20), stco(1000)];
  return box(
    "trak",
    fullBox("tkhd", 0, u32(0, 0, shape.id ?? 1, 0, 0), new Uint8Array(60)),
    shape.references ?? [],
    shape.edits === undefined ? [] : box("edts", shape.edits),
    box(
      "mdia",
      fullBox("mdhd", 0, u32(0, 0, shape.timescale ?? 1000, 0, 0)),
      fullBox("hdlr", 0, u32(0), shape.handler ?? "vide", new Uint8Array(13)),
      box("minf", box("stbl", stsd, ...tables)),
    ),
  );
}

export const stts = (...runs: readonly (readonly [number, number])[]) =>
  fullBox("stts", 0, u32(runs.length, ...runs.flat()));
export const ctts = (version: number, ...runs: readonly (readonly [number, number])[]) =>
  fullBox("ctts", version, u32(runs.length, ...runs.flat()));
export const stss = (...samples: readonly number[]) => fullBox("stss", 0, u32(samples.length, ...samples));
export const stsc = (...runs: readonly (readonly [number, number, number])[]) =>
  fullBox("stsc", 0, u32(runs.length, ...runs.flat()));
export const stsz = (count: number, sameBytes: number, ...sizes: readonly number[]) =>
  fullBox("stsz", 0, u32(sameBytes, count, ...sizes));
export const stco = (...places: readonly number[]) => fullBox("stco", 0, u32(places.length, ...places));
export const elst = (...edits: readonly (readonly [number, number])[]) =>
  fullBox("elst", 0, u32(edits.length), ...edits.map(([duration, media]) => u32(duration, media, 0x10000)));

export function movie(...content: readonly Part[]): Uint8Array {
  return box("moov", fullBox("mvhd", 0, u32(0, 0, 1000, 8000), new Uint8Array(80)), ...content);
}

export function film(...content: readonly Part[]): Uint8Array {
  return bytesOf(FTYP, movie(...content));
}

/** The index of a file that begins with these bytes and has nothing else in it. */
export function readMp4(bytes: Uint8Array, fileBytes = FILE_BYTES): Promise<MediaIndex> {
  return readMediaIndex(sparseSource(fileBytes, [{ at: 0, bytes }]), new AbortController().signal);
}

export const co64 = (...places: readonly number[]) => fullBox("co64", 0, u32(places.length), u64(...places));

export const times = (index: MediaIndex) => Array.from(index.keyframes?.timesSec ?? []);
export const positions = (index: MediaIndex) => Array.from(index.keyframes?.positionsBytes ?? []);
