// How a stream's share of the memory (../share.ts) is divided: first what the smaller windows take, then the main one.
// Pure.

import type { WindowShape } from "../../../native/index.ts";
import type { BufferSizes } from "../ports.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What one read hands out, and so what a reader may hold pinned after its window has moved on. */
export const CHUNK_BYTES = 256 * KIB;

/** Enough for a container's index, read in pieces. */
const SIDE_BYTES = 2 * MIB;
/** A window of less would hold hardly more than the read that is under way. */
const LEAST_BYTES = 2 * CHUNK_BYTES;
/** Further ahead the disk is not asked: its cache is quicker than any viewer, and a seek would throw it away. */
const READ_AHEAD_BYTES = 16 * MIB;

export interface StreamShapes {
  readonly main: WindowShape;
  readonly side: WindowShape;
}

export function areSharing(sizes: BufferSizes, streams: number): boolean {
  return streams * sizes.ramBufferBytes > sizes.ramTotalBytes;
}

/** The windows of a stream of `readers` connections, `sides` of which read elsewhere than in the main window. */
export function shapesOf(stream: {
  shareBytes: number;
  readers: number;
  sides: number;
  aheadPercent: number;
}): StreamShapes {
  const { shareBytes, sides, aheadPercent } = stream;
  const pinnedBytes = stream.readers * CHUNK_BYTES;
  const halfBytes = Math.max(0, shareBytes - pinnedBytes) / 2;
  const sideBytes = Math.max(LEAST_BYTES, Math.min(SIDE_BYTES, Math.floor(halfBytes / Math.max(1, sides))));
  const mainBytes = Math.max(LEAST_BYTES, shareBytes - pinnedBytes - sides * sideBytes);
  return { main: shapeOf(mainBytes, aheadPercent), side: shapeOf(sideBytes, aheadPercent) };
}

function shapeOf(bytes: number, aheadPercent: number): WindowShape {
  const aheadBytes = Math.floor((bytes * aheadPercent) / 100);
  return {
    behindBytes: bytes - aheadBytes,
    aheadBytes,
    readAheadBytes: Math.min(aheadBytes, READ_AHEAD_BYTES),
  };
}
