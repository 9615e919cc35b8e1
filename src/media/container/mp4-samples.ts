// The sample table of a track (ISO 14496-12 §8.6, §8.7) unfolded: for each sample its times, its place, and whether
// decoding can start there. Counts are checked against the tables they stand in before anything is made of them.

import { LIMITS } from "../../base/limits.ts";
import { broken, IndexFault } from "./index-fault.ts";
import type { Box } from "./mp4-boxes.ts";

export interface SampleTable {
  readonly count: number;
  /** When it is decoded, in ticks of the track, from 0. */
  readonly decodeTicks: Float64Array;
  /** When it is shown, in ticks of the track, before any edit. */
  readonly showTicks: Float64Array;
  readonly positionsBytes: Float64Array;
  /** 1 = a key frame. */
  readonly isSync: Uint8Array;
  /** No table says which samples are key frames: all are. */
  readonly isAllSync: boolean;
  /** When the last sample ends. */
  readonly endTicks: number;
}

/** Deltas above this stand for negative ones in some files: ffmpeg takes them for one tick, and so must we. */
const DELTA_TICKS_MAX = 0xffffffff - 48_000 * 10;

/** null where the table is that of a track without samples: those of a fragmented movie lie elsewhere. */
export function readSampleTable(stbl: Box, fileLengthBytes: number): SampleTable | null {
  const children = stbl.children();
  const boxes = new Map(children.map((box) => [box.type, box]));
  const sizes = readSizes(boxes.get("stsz") ?? boxes.get("stz2"), fileLengthBytes);
  const positionsBytes = readPositions(boxes, sizes);
  const count = positionsBytes.length;
  if (count === 0) return null;
  const { decodeTicks, endTicks } = readDecodeTicks(boxes.get("stts"), count);
  const groups = children.filter((box) => box.type === "sbgp" && box.code(4) === "rap ");
  return {
    count,
    decodeTicks,
    showTicks: readShowTicks(boxes.get("ctts"), decodeTicks),
    positionsBytes,
    isSync: readSync(boxes, count, groups),
    isAllSync: !boxes.has("stss"),
    endTicks,
  };
}

/** stsz: one size for all, or one each; stz2: of 4, 8 or 16 bits. */
function readSizes(box: Box | undefined, fileLengthBytes: number): Uint32Array {
  const count = box === undefined ? 0 : box.u32(8);
  if (box === undefined || count === 0) return new Uint32Array();
  if (count > LIMITS.mediaIndex.samples) throw new IndexFault("too_large");
  // One size for all costs a file nothing to claim.
  if (count > fileLengthBytes) throw broken();
  if (box.type === "stz2") return readCompactSizes(box, count);
  const sameBytes = box.u32(4);
  return sameBytes > 0 ? new Uint32Array(count).fill(sameBytes) : box.u32s(12, count);
}

function readCompactSizes(stz2: Box, count: number): Uint32Array {
  const bits = stz2.u8(7);
  if (bits === 16) return Uint32Array.from({ length: count }, (_, sample) => stz2.u16(12 + 2 * sample));
  if (bits === 8) return Uint32Array.from({ length: count }, (_, sample) => stz2.u8(12 + sample));
  if (bits !== 4) throw broken();
  return Uint32Array.from({ length: count }, (_, sample) => {
    const pair = stz2.u8(12 + (sample >> 1));
    return sample & 1 ? pair & 0xf : pair >> 4;
  });
}

/** A table whose entries are of `fields` numbers of four bytes, behind version, flags and its count. */
function readTable(box: Box, fields: number, at = 4): Uint32Array {
  return box.u32s(at + 4, box.u32(at) * fields);
}

/** stsc says how many samples a chunk has, stco where it lies; samples that no chunk holds do not exist. */
function readPositions(boxes: ReadonlyMap<string, Box>, sizes: Uint32Array): Float64Array {
  const chunks = boxes.get("co64") ?? boxes.get("stco");
  const stsc = boxes.get("stsc");
  if (chunks === undefined || stsc === undefined) return new Float64Array();
  const isLong = chunks.type === "co64";
  const places = readTable(chunks, isLong ? 2 : 1);
  const runs = readTable(stsc, 3);
  const chunkCount = isLong ? places.length / 2 : places.length;
  const positions = new Float64Array(sizes.length);
  let sample = 0;
  let run = -3;
  for (let chunk = 0; chunk < chunkCount && sample < sizes.length; chunk++) {
    // Chunks are counted from 1.
    while ((runs[run + 3] ?? Number.POSITIVE_INFINITY) <= chunk + 1) run += 3;
    if (run < 0) throw broken();
    let at = isLong ? long(places, 2 * chunk) : (places[chunk] ?? 0);
    const end = Math.min(sizes.length, sample + (runs[run + 1] ?? 0));
    for (; sample < end; sample++) {
      positions[sample] = at;
      at += sizes[sample] ?? 0;
    }
  }
  return positions.subarray(0, sample);
}

function long(words: Uint32Array, at: number): number {
  return (words[at] ?? 0) * 2 ** 32 + (words[at + 1] ?? 0);
}

function readDecodeTicks(
  stts: Box | undefined,
  count: number,
): { decodeTicks: Float64Array; endTicks: number } {
  const decodeTicks = new Float64Array(count);
  const runs = stts === undefined ? new Uint32Array() : readTable(stts, 2);
  let ticks = 0;
  let sample = 0;
  for (let run = 0; run < runs.length && sample < count; run += 2) {
    const end = Math.min(count, sample + (runs[run] ?? 0));
    const told = runs[run + 1] ?? 0;
    const delta = told > DELTA_TICKS_MAX ? 1 : told;
    for (; sample < end; sample++) {
      decodeTicks[sample] = ticks;
      ticks += delta;
    }
  }
  // Samples without a time would all be shown at once.
  if (sample < count) throw broken();
  return { decodeTicks, endTicks: ticks };
}

/** Offsets of version 0 are meant unsigned, but every writer of negative ones that got the version wrong is read so. */
function readShowTicks(ctts: Box | undefined, decodeTicks: Float64Array): Float64Array {
  if (ctts === undefined) return decodeTicks;
  const showTicks = decodeTicks.slice();
  const runs = readTable(ctts, 2);
  let sample = 0;
  for (let run = 0; run < runs.length && sample < showTicks.length; run += 2) {
    const end = Math.min(showTicks.length, sample + (runs[run] ?? 0));
    const offset = (runs[run + 1] ?? 0) | 0;
    for (; sample < end; sample++) showTicks[sample] = (decodeTicks[sample] ?? 0) + offset;
  }
  return showTicks;
}

/** stss; and what open groups of pictures are told by: QuickTime's stps and the sample group 'rap '. */
function readSync(boxes: ReadonlyMap<string, Box>, count: number, groups: readonly Box[]): Uint8Array {
  const isSync = new Uint8Array(count);
  const stss = boxes.get("stss");
  if (stss === undefined) return isSync.fill(1);
  markListed(stss, isSync);
  const stps = boxes.get("stps");
  if (stps !== undefined) markListed(stps, isSync);
  for (const sbgp of groups) markGrouped(sbgp, isSync);
  return isSync;
}

/** Samples are counted from 1. */
function markListed(list: Box, isSync: Uint8Array): void {
  for (const sample of readTable(list, 1)) {
    if (sample > 0 && sample <= isSync.length) isSync[sample - 1] = 1;
  }
}

function markGrouped(sbgp: Box, isSync: Uint8Array): void {
  const runs = readTable(sbgp, 2, sbgp.version === 1 ? 12 : 8);
  let sample = 0;
  for (let run = 0; run < runs.length && sample < isSync.length; run += 2) {
    const end = Math.min(isSync.length, sample + (runs[run] ?? 0));
    if ((runs[run + 1] ?? 0) > 0) isSync.fill(1, sample, end);
    sample = end;
  }
}
