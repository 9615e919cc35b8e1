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
  const boxes = new Map(stbl.children().map((box) => [box.type, box]));
  const sizes = new SampleSizes(boxes.get("stsz") ?? boxes.get("stz2") ?? null);
  // One size for all costs a file nothing to claim.
  if (sizes.count > fileLengthBytes) throw broken();
  const placed = readPositions(boxes, sizes);
  const count = placed.length;
  if (count === 0) return null;
  const { decodeTicks, endTicks } = readDecodeTicks(boxes.get("stts") ?? null, count);
  return {
    count,
    decodeTicks,
    showTicks: readShowTicks(boxes.get("ctts") ?? null, decodeTicks),
    positionsBytes: placed,
    isSync: readSync(boxes, count, stbl),
    isAllSync: !boxes.has("stss"),
    endTicks,
  };
}

/** stsz: one size for all, or one each; stz2: of 4, 8 or 16 bits. */
class SampleSizes {
  readonly count: number;
  readonly #box: Box | null;
  readonly #sameBytes: number;
  readonly #bits: number;

  constructor(box: Box | null) {
    this.#box = box;
    this.count = box === null ? 0 : box.u32(8);
    if (this.count > LIMITS.mediaIndex.samples) throw new IndexFault("too_large");
    const isCompact = box?.type === "stz2";
    this.#sameBytes = box === null || isCompact ? 0 : box.u32(4);
    this.#bits = box !== null && isCompact ? box.u8(7) : 32;
    if (![4, 8, 16, 32].includes(this.#bits)) throw broken();
    if (this.#sameBytes === 0) box?.requireTable(12, Math.ceil((this.count * this.#bits) / 8), 1);
  }

  of(sample: number): number {
    if (this.#sameBytes > 0 || this.#box === null) return this.#sameBytes;
    if (this.#bits === 32) return this.#box.u32(12 + 4 * sample);
    if (this.#bits === 16) return this.#box.u16(12 + 2 * sample);
    if (this.#bits === 8) return this.#box.u8(12 + sample);
    const pair = this.#box.u8(12 + (sample >> 1));
    return sample & 1 ? pair & 0xf : pair >> 4;
  }
}

/** stsc says how many samples a chunk has, stco where it lies; samples that no chunk holds do not exist. */
function readPositions(boxes: ReadonlyMap<string, Box>, sizes: SampleSizes): Float64Array {
  const chunks = boxes.get("co64") ?? boxes.get("stco");
  const runs = boxes.get("stsc");
  if (chunks === undefined || runs === undefined) return new Float64Array();
  const isLong = chunks.type === "co64";
  const chunkCount = chunks.u32(4);
  const runCount = runs.u32(4);
  chunks.requireTable(8, chunkCount, isLong ? 8 : 4);
  runs.requireTable(8, runCount, 12);
  const positions = new Float64Array(sizes.count);
  let sample = 0;
  let run = -1;
  for (let chunk = 1; chunk <= chunkCount && sample < sizes.count; chunk++) {
    while (run + 1 < runCount && runs.u32(8 + 12 * (run + 1)) <= chunk) run++;
    if (run < 0) throw broken();
    let at = isLong ? chunks.u64(8 * chunk) : chunks.u32(4 + 4 * chunk);
    const end = Math.min(sizes.count, sample + runs.u32(8 + 12 * run + 4));
    for (; sample < end; sample++) {
      positions[sample] = at;
      at += sizes.of(sample);
    }
  }
  return positions.subarray(0, sample);
}

function readDecodeTicks(stts: Box | null, count: number): { decodeTicks: Float64Array; endTicks: number } {
  const decodeTicks = new Float64Array(count);
  const entries = stts === null ? 0 : stts.u32(4);
  stts?.requireTable(8, entries, 8);
  let ticks = 0;
  let sample = 0;
  for (let entry = 0; stts !== null && entry < entries && sample < count; entry++) {
    const end = Math.min(count, sample + stts.u32(8 + 8 * entry));
    const told = stts.u32(12 + 8 * entry);
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
function readShowTicks(ctts: Box | null, decodeTicks: Float64Array): Float64Array {
  if (ctts === null) return decodeTicks;
  const showTicks = decodeTicks.slice();
  const entries = ctts.u32(4);
  ctts.requireTable(8, entries, 8);
  let sample = 0;
  for (let entry = 0; entry < entries && sample < showTicks.length; entry++) {
    const end = Math.min(showTicks.length, sample + ctts.u32(8 + 8 * entry));
    const offset = ctts.i32(12 + 8 * entry);
    for (; sample < end; sample++) showTicks[sample] = (decodeTicks[sample] ?? 0) + offset;
  }
  return showTicks;
}

/** stss; and what open groups of pictures are told by: QuickTime's stps and the sample group 'rap '. */
function readSync(boxes: ReadonlyMap<string, Box>, count: number, stbl: Box): Uint8Array {
  const isSync = new Uint8Array(count);
  const stss = boxes.get("stss");
  if (stss === undefined) return isSync.fill(1);
  markListed(stss, isSync);
  const stps = boxes.get("stps");
  if (stps !== undefined) markListed(stps, isSync);
  for (const box of stbl.children()) {
    if (box.type === "sbgp" && box.code(4) === "rap ") markGrouped(box, isSync);
  }
  return isSync;
}

/** Samples are counted from 1. */
function markListed(list: Box, isSync: Uint8Array): void {
  const entries = list.u32(4);
  list.requireTable(8, entries, 4);
  for (let entry = 0; entry < entries; entry++) {
    const sample = list.u32(8 + 4 * entry) - 1;
    if (sample >= 0 && sample < isSync.length) isSync[sample] = 1;
  }
}

function markGrouped(sbgp: Box, isSync: Uint8Array): void {
  const at = sbgp.version === 1 ? 12 : 8;
  const entries = sbgp.u32(at);
  sbgp.requireTable(at + 4, entries, 8);
  let sample = 0;
  for (let entry = 0; entry < entries && sample < isSync.length; entry++) {
    const end = Math.min(isSync.length, sample + sbgp.u32(at + 4 + 8 * entry));
    if (sbgp.u32(at + 8 + 8 * entry) > 0) isSync.fill(1, sample, end);
    sample = end;
  }
}
