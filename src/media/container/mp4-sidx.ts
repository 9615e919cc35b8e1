// The segment index `sidx` (ISO 14496-12 §8.16.3): times and sizes of what lies behind it, one entry for a fragment.

import type { Box } from "./mp4-boxes.ts";

/** A place where decoding can start. */
export interface IndexedFragment {
  /** When it is shown, in ticks of the index. */
  readonly ticks: number;
  readonly positionBytes: number;
}

export interface SegmentIndex {
  readonly trackId: number;
  readonly timescale: number;
  /** Those that begin with a key frame. */
  readonly fragments: readonly IndexedFragment[];
  readonly endTicks: number;
  /** Behind the last fragment that it knows. */
  readonly endBytes: number;
}

const ENTRY_BYTES = 12;
const TOP_BIT = 2 ** 31;
/** Types above 3 need more than one frame to start from; 0 is what writers say that do not know. */
const SAP_TYPE_MAX = 3;

/**
 * Positions count from `anchorBytes`, the end of the box. null where the index refers to further ones: such come in
 * parts from a streaming service, not in one file.
 */
export function parseSegmentIndex(sidx: Box, anchorBytes: number): SegmentIndex | null {
  const isLong = sidx.version === 1;
  const at = isLong ? 28 : 20;
  const count = sidx.u16(at + 2);
  sidx.requireTable(at + 4, count, ENTRY_BYTES);
  const fragments: IndexedFragment[] = [];
  let positionBytes = anchorBytes + (isLong ? sidx.u64(20) : sidx.u32(16));
  let ticks = isLong ? sidx.u64(12) : sidx.u32(12);
  for (let entry = at + 4; entry < at + 4 + ENTRY_BYTES * count; entry += ENTRY_BYTES) {
    const sizeBytes = sidx.u32(entry);
    if (sizeBytes >= TOP_BIT) return null;
    // Starts with one or not, its type, and how long after the earliest frame it is shown.
    const sap = sidx.u32(entry + 8);
    const isStart = sap >= TOP_BIT && ((sap >>> 28) & 7) <= SAP_TYPE_MAX;
    if (isStart) fragments.push({ ticks: ticks + (sap & 0x0fff_ffff), positionBytes });
    positionBytes += sizeBytes;
    ticks += sidx.u32(entry + 4);
  }
  const [trackId, timescale] = [sidx.u32(4), sidx.u32(8)];
  return { trackId, timescale, fragments, endTicks: ticks, endBytes: positionBytes };
}
