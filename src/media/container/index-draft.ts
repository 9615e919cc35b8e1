// What has been found out about a file so far. A reader fills it as it goes, so that a file whose index is broken
// still tells its tracks and its duration.

import type { ByteRange } from "../../base/byte-range.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Container, IndexedTrack } from "../ports.ts";

/** A copy, so that the page or the moov that it lies in does not live as long as the index. */
export function keptPrivate(bytes: Uint8Array): Uint8Array | null {
  return bytes.length > LIMITS.mediaIndex.codecPrivateBytes ? null : bytes.slice();
}

export class IndexDraft {
  readonly container: Container;
  durationSec: number | null = null;
  tracks: readonly IndexedTrack[] = [];
  readonly #head: ByteRange[] = [];

  constructor(container: Container) {
    this.container = container;
  }

  /** Names bytes that are read before playing can start anywhere. */
  addHead(start: number, end: number): void {
    if (start < end) this.#head.push({ start, end });
  }

  /** Ascending, disjoint, not touching one another. */
  headWithin(lengthBytes: number): readonly ByteRange[] {
    const merged: { start: number; end: number }[] = [];
    for (const range of this.#head.toSorted((a, b) => a.start - b.start)) {
      const end = Math.min(range.end, lengthBytes);
      const last = merged.at(-1);
      if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, end);
      else if (range.start < end) merged.push({ start: range.start, end });
    }
    return merged;
  }
}
