// What a rendition and its runs need of others: a place for finished segments, and a way to the bytes of the film.

import type { LoopbackInput } from "../ports.ts";

/** Finished parts of renditions, shared by all viewers. A key is made of letters, digits and "-_/." alone. */
export interface SegmentStore {
  /** null where it was never put, or has been evicted. The bytes are not to be written to. */
  get(key: string): Promise<Uint8Array | null>;
  /**
   * Takes the bytes over; they can be had at once. Putting a key twice is no error: both have the same bytes. Settles
   * when there is room for more.
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Whether get() would find it now. */
  has(key: string): boolean;
}

/** Gives a run its input. `fromBytes` is where the run will begin to read behind the header; null where unknown. */
export type OpenInput = (fromBytes: number | null) => Promise<LoopbackInput>;
