// An index was written by a stranger's muxer: out of order, twice the same, beyond the end of the file, no numbers at
// all. What leaves here is ascending in time and in place; a list that was so already is not copied.

import { LIMITS } from "../../base/limits.ts";
import type { KeyframeIndex } from "../ports.ts";

/** Two key frames nearer than this are one: Matroska rounds times to it. */
export const TIME_GRAIN_SEC = 0.001;

export function cleanKeyframes(index: KeyframeIndex): KeyframeIndex {
  return isClean(index) ? index : cleaned(index);
}

function isClean({ timesSec, positionsBytes }: KeyframeIndex): boolean {
  if (timesSec.length !== positionsBytes.length) return false;
  let lastSec = -TIME_GRAIN_SEC;
  let lastBytes = 0;
  for (let i = 0; i < timesSec.length; i++) {
    const sec = timesSec[i] ?? Number.NaN;
    const bytes = positionsBytes[i] ?? Number.NaN;
    // Written so that NaN fails it.
    if (!(sec >= 0 && sec - lastSec >= TIME_GRAIN_SEC && sec < LIMITS.hls.filmSec)) return false;
    if (!(bytes >= lastBytes && bytes <= Number.MAX_SAFE_INTEGER)) return false;
    lastSec = sec;
    lastBytes = bytes;
  }
  return true;
}

function cleaned({ timesSec, positionsBytes }: KeyframeIndex): KeyframeIndex {
  const times: number[] = [];
  const positions: number[] = [];
  let lastSec = Number.NEGATIVE_INFINITY;
  let lastBytes = 0;
  for (const i of inOrder(timesSec)) {
    // An edit list can put the first key frame before the film's beginning.
    const sec = Math.max(0, timesSec[i] ?? 0);
    if (sec - lastSec < TIME_GRAIN_SEC) continue;
    const bytes = positionsBytes[i] ?? Number.NaN;
    if (bytes >= lastBytes && bytes <= Number.MAX_SAFE_INTEGER) lastBytes = bytes;
    lastSec = sec;
    times.push(sec);
    positions.push(lastBytes);
  }
  return { timesSec: Float64Array.from(times), positionsBytes: Float64Array.from(positions) };
}

/** Positions of the usable times in the list, by time; of equal times the one that was told first. */
function inOrder(timesSec: Float64Array): Uint32Array {
  const usable = new Uint32Array(timesSec.length);
  let count = 0;
  timesSec.forEach((sec, i) => {
    if (Number.isFinite(sec) && sec < LIMITS.hls.filmSec) usable[count++] = i;
  });
  return usable.subarray(0, count).sort((a, b) => (timesSec[a] ?? 0) - (timesSec[b] ?? 0) || a - b);
}
