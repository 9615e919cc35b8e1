// Segments in the order of their last use, with the sum of their bytes: one shelf is the memory, one the disk.

import type { NeededIn } from "./ports.ts";

/** A stored segment; on either shelf, or for a moment on both. */
export class StoredSegment {
  readonly key: string;
  readonly rendition: string;
  readonly segment: number | "init";
  readonly lengthBytes: number;
  /** Set while it is in memory. */
  bytes: Uint8Array | null;
  /** Name of its file while it is on disk. */
  file: string | null = null;
  /** Who serves it now; what is served is not evicted. */
  readers = 0;
  /** It is being written to disk. */
  isSpilling = false;
  /** It cannot be found any more, and goes when nobody serves or writes it. */
  isForgotten = false;
  readonly putAtMs: number;

  constructor(key: string, bytes: Uint8Array, putAtMs: number) {
    const end = key.lastIndexOf("/");
    const last = key.slice(end + 1);
    this.key = key;
    this.rendition = key.slice(0, Math.max(0, end));
    this.segment = last === "init" ? "init" : Number(last);
    this.bytes = bytes;
    this.lengthBytes = bytes.length;
    this.putAtMs = putAtMs;
  }

  get isInUse(): boolean {
    return this.readers > 0 || this.isSpilling;
  }
}

export class Shelf {
  #bytes = 0;
  /** The least recently used first. */
  readonly #segments = new Set<StoredSegment>();

  get bytes(): number {
    return this.#bytes;
  }

  add(segment: StoredSegment): void {
    if (this.#segments.has(segment)) return;
    this.#segments.add(segment);
    this.#bytes += segment.lengthBytes;
  }

  remove(segment: StoredSegment): void {
    if (this.#segments.delete(segment)) this.#bytes -= segment.lengthBytes;
  }

  /** It is the most recently used from now on. */
  touch(segment: StoredSegment): void {
    if (this.#segments.delete(segment)) this.#segments.add(segment);
  }

  /** The one that is needed last, of equals the least recently used; null where all are in use or spared. */
  victim(neededIn: NeededIn, spared: StoredSegment | null = null): StoredSegment | null {
    let chosen: StoredSegment | null = null;
    let latestSec = -1;
    for (const segment of this.#segments) {
      if (segment.isInUse || segment === spared) continue;
      const sec = neededIn(segment.rendition, segment.segment) ?? Number.POSITIVE_INFINITY;
      if (sec === Number.POSITIVE_INFINITY) return segment;
      if (sec <= latestSec) continue;
      chosen = segment;
      latestSec = sec;
    }
    return chosen;
  }
}
