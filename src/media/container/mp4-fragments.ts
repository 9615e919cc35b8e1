// Key frames of a fragmented MP4 (ISO 14496-12 §8.8, §8.16): from the segment index `sidx` in front of the fragments,
// or from `mfra` behind them. Both count in times of their own; the first fragment tells how far these are from the
// times at which its frames are shown.

import { LIMITS } from "../../base/limits.ts";
import type { IndexDraft } from "./index-draft.ts";
import type { KeyframeList } from "./keyframe-list.ts";
import { Box } from "./mp4-boxes.ts";
import { boxAt, contentOf, type PlacedBox } from "./mp4-layout.ts";
import type { RangeCache } from "./range-cache.ts";

export interface FragmentedTrack {
  readonly id: number;
  readonly timescale: number;
  /** What edits take from every time. */
  readonly offsetTicks: number;
}

/** What is in a fragmented file around its fragments. */
export interface FragmentScope {
  readonly cache: RangeCache;
  readonly draft: IndexDraft;
  readonly track: FragmentedTrack;
  readonly keyframes: KeyframeList;
}

/** mfro: the last box of the file, its last four bytes the size of `mfra`. */
const MFRO_BYTES = 16;
/** Of what `sidx` says comes behind the last fragment it knows, these are no fragments. */
const FRAGMENT_BOXES: ReadonlySet<string> = new Set(["moof", "mdat", "sidx", "styp", "emsg", "prft"]);

/** False where the index is not one of the whole file, or of another track. */
export async function addFromSidx(scope: FragmentScope, boxes: readonly PlacedBox[]): Promise<boolean> {
  for (const box of boxes) {
    if (box.type !== "sidx") continue;
    const sidx = await contentOf(scope.cache, box, LIMITS.mediaIndex.fragmentIndexBytes);
    const index = parseSidx(sidx, box.end);
    if (index === null || index.trackId !== scope.track.id) continue;
    if (!(await isOfWholeFile(scope.cache, index.endBytes))) continue;
    scope.draft.addHead(box.start, box.end);
    await addSidx(scope, index);
    return true;
  }
  return false;
}

interface SidxEntry {
  readonly ticks: number;
  readonly positionBytes: number;
}

interface Sidx {
  readonly trackId: number;
  readonly timescale: number;
  /** Of the subsegments that begin with a key frame. */
  readonly entries: readonly SidxEntry[];
  readonly endTicks: number;
  readonly endBytes: number;
}

/** null where it refers to further indexes: such are of streaming services, and are not seen in one file. */
function parseSidx(sidx: Box, anchorBytes: number): Sidx | null {
  const isLong = sidx.version === 1;
  const earliest = isLong ? sidx.u64(12) : sidx.u32(12);
  const firstOffset = isLong ? sidx.u64(20) : sidx.u32(16);
  const at = isLong ? 28 : 20;
  const count = sidx.u16(at + 2);
  sidx.requireTable(at + 4, count, 12);
  const entries: SidxEntry[] = [];
  let positionBytes = anchorBytes + firstOffset;
  let ticks = earliest;
  for (let entry = at + 4; entry < at + 4 + 12 * count; entry += 12) {
    const reference = sidx.u32(entry);
    if (reference >= 2 ** 31) return null;
    const sap = sidx.u32(entry + 8);
    const type = (sap >>> 28) & 7;
    // Types above 3 need more than the one frame to start; 0 is what writers say that do not know the type.
    if (sap >= 2 ** 31 && type <= 3) entries.push({ ticks: ticks + (sap & 0xfffffff), positionBytes });
    positionBytes += reference;
    ticks += sidx.u32(entry + 4);
  }
  return {
    trackId: sidx.u32(4),
    timescale: sidx.u32(8),
    entries,
    endTicks: ticks,
    endBytes: positionBytes,
  };
}

/** Some writers put a small index before every fragment. */
async function isOfWholeFile(cache: RangeCache, endBytes: number): Promise<boolean> {
  if (endBytes >= cache.lengthBytes) return true;
  const next = await boxAt(cache, endBytes);
  return next === null || !FRAGMENT_BOXES.has(next.type);
}

async function addSidx(scope: FragmentScope, index: Sidx): Promise<void> {
  const [first] = index.entries;
  if (first === undefined || index.timescale === 0) return;
  const firstSec = first.ticks / index.timescale;
  const shiftSec = await shiftOf(scope, firstSec, first.positionBytes);
  for (const { ticks, positionBytes } of index.entries)
    scope.keyframes.add(ticks / index.timescale + shiftSec, positionBytes);
  scope.draft.durationSec ??= index.endTicks / index.timescale + shiftSec;
}

/** False where there is no `mfra`, or none of this track. */
export async function addFromMfra(scope: FragmentScope): Promise<boolean> {
  const { cache, draft, track } = scope;
  const tail = cache.lengthBytes - MFRO_BYTES;
  if (tail < 0) return false;
  draft.addHead(tail, cache.lengthBytes);
  const mfro = new Box("mfro", await cache.read(tail, MFRO_BYTES));
  if (mfro.code(4) !== "mfro") return false;
  const start = cache.lengthBytes - mfro.u32(12);
  const box = start < 0 ? null : await boxAt(cache, start);
  if (box === null || box.type !== "mfra") return false;
  draft.addHead(box.start, box.end);
  const mfra = await contentOf(cache, box, LIMITS.mediaIndex.fragmentIndexBytes);
  const tfra = mfra.children().find((child) => child.type === "tfra" && child.u32(4) === track.id);
  return tfra !== undefined && (await addTfra(scope, tfra));
}

async function addTfra(scope: FragmentScope, tfra: Box): Promise<boolean> {
  const isLong = tfra.version === 1;
  const numberSizes = tfra.u32(8);
  const numbersBytes = 3 + ((numberSizes >> 4) & 3) + ((numberSizes >> 2) & 3) + (numberSizes & 3);
  const entryBytes = (isLong ? 16 : 8) + numbersBytes;
  const count = tfra.u32(12);
  tfra.requireTable(16, count, entryBytes);
  if (count === 0) return false;
  const timeAt = (entry: number) => {
    const at = 16 + entry * entryBytes;
    return (isLong ? tfra.u64(at) : tfra.u32(at)) / scope.track.timescale;
  };
  const positionAt = (entry: number) => {
    const at = 16 + entry * entryBytes;
    return isLong ? tfra.u64(at + 8) : tfra.u32(at + 4);
  };
  const shiftSec = await shiftOf(scope, timeAt(0), positionAt(0));
  for (let entry = 0; entry < count; entry++)
    scope.keyframes.add(timeAt(entry) + shiftSec, positionAt(entry));
  return true;
}

/** Indexes differ in whether their times have the edits applied; a fragment itself does not lie. */
async function shiftOf(scope: FragmentScope, toldSec: number, fragmentBytes: number): Promise<number> {
  const { cache, track } = scope;
  const box = await fragmentAt(cache, fragmentBytes);
  const ticks = box === null ? null : firstShowTicks(box, track.id);
  return ticks === null ? 0 : (ticks - track.offsetTicks) / track.timescale - toldSec;
}

async function fragmentAt(cache: RangeCache, start: number): Promise<Box | null> {
  let box = await boxAt(cache, start);
  if (box !== null && box.type === "styp") box = await boxAt(cache, box.end);
  if (box === null || box.type !== "moof") return null;
  return await contentOf(cache, box, LIMITS.mediaIndex.fragmentIndexBytes);
}

const TRUN_DATA_OFFSET = 0x1;
const TRUN_FIRST_FLAGS = 0x4;
const TRUN_FIELDS_BEFORE_SHOW_OFFSET = [0x100, 0x200, 0x400] as const;
const TRUN_SHOW_OFFSET = 0x800;

/** When the first frame of the track in this fragment is shown, before edits; null where it does not tell. */
function firstShowTicks(moof: Box, trackId: number): number | null {
  const traf = moof.children().find((box) => box.type === "traf" && box.child("tfhd")?.u32(4) === trackId);
  const tfdt = traf?.child("tfdt");
  const trun = traf?.child("trun");
  if (tfdt === undefined || tfdt === null || trun === undefined || trun === null) return null;
  const decodeTicks = tfdt.version === 1 ? tfdt.u64(4) : tfdt.u32(4);
  const flags = trun.u32(0) & 0xffffff;
  if ((flags & TRUN_SHOW_OFFSET) === 0) return decodeTicks;
  let at = 8 + (flags & TRUN_DATA_OFFSET ? 4 : 0) + (flags & TRUN_FIRST_FLAGS ? 4 : 0);
  for (const flag of TRUN_FIELDS_BEFORE_SHOW_OFFSET) if (flags & flag) at += 4;
  return decodeTicks + trun.i32(at);
}
