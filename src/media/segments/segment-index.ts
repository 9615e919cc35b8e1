// Which segments there are: by key, and by the rendition that they are of.

import type { StoredSegment } from "./shelf.ts";

export class SegmentIndex {
  readonly #byKey = new Map<string, StoredSegment>();
  readonly #byRendition = new Map<string, Set<StoredSegment>>();

  get size(): number {
    return this.#byKey.size;
  }

  get renditions(): readonly string[] {
    return [...this.#byRendition.keys()];
  }

  get(key: string): StoredSegment | undefined {
    return this.#byKey.get(key);
  }

  /** A copy: they may be removed while it is gone through. */
  of(rendition: string): readonly StoredSegment[] {
    return [...(this.#byRendition.get(rendition) ?? [])];
  }

  add(segment: StoredSegment): void {
    this.#byKey.set(segment.key, segment);
    const others = this.#byRendition.get(segment.rendition);
    if (others === undefined) this.#byRendition.set(segment.rendition, new Set([segment]));
    else others.add(segment);
  }

  remove(segment: StoredSegment): void {
    this.#byKey.delete(segment.key);
    const others = this.#byRendition.get(segment.rendition);
    others?.delete(segment);
    if (others?.size === 0) this.#byRendition.delete(segment.rendition);
  }
}
