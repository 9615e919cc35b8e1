// How streams divide the memory for windows: the HTTP half shapes its windows by it, the demand half asks for no more
// than they can hold.

import type { BufferSizes } from "./ports.ts";

/** What each of `streams` may take; never more than ramBufferBytes. */
export function shareOf(sizes: BufferSizes, streams: number): number {
  return Math.floor(Math.min(sizes.ramBufferBytes, sizes.ramTotalBytes / Math.max(1, streams)));
}
