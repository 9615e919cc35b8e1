// What the store of segments needs of others, and what it hands to those who serve.

/** A segment that is being served: it stays readable until it is released, whatever is evicted meanwhile. */
export interface SegmentHandle {
  readonly lengthBytes: number;
  /** All of it where it is in memory, not to be written to; null where `read` takes it from disk. */
  readonly bytes: Uint8Array | null;
  /**
   * Exactly these bytes. Rejects busy where the disk has lost them: the store has then forgotten the segment, and it is
   * to be made again.
   */
  read(atBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** Idempotent. */
  release(): void;
}

/**
 * How long until somebody needs a segment: seconds of film, Infinity where nobody is known to, null where it is not
 * worth keeping at all. What is needed last is evicted first.
 */
export type NeededIn = (rendition: string, segment: number | "init") => number | null;

/** The folder that segments spill to. Names are the store's own and safe in any file system. */
export interface SegmentDisk {
  /** Makes the folder where it is missing, and removes what an earlier process left there. */
  empty(): Promise<void>;
  /** The whole file, or none. Makes the folder anew when it has gone. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Rejects when it is not there, or not of this length any more. */
  open(name: string, lengthBytes: number): Promise<SegmentFile>;
  /** One that is not there is no error. */
  remove(name: string): Promise<void>;
  freeBytes(): Promise<number>;
}

export interface SegmentFile {
  /** Rejects when there are fewer. */
  read(atBytes: number, lengthBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface SegmentStoreStats {
  readonly segments: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** Segments that went for want of room, or because they were not worth keeping. */
  readonly evictions: number;
  /** Segments written to disk. */
  readonly spills: number;
  readonly diskFaults: number;
}
