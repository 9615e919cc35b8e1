// The reader half runs beside HTTP and never blocks on the engine; the demand half runs inside the engine. What
// passes between them is this: small messages, no bytes.

import type { InfoHash } from "../base/brand.ts";
import type { ByteRange } from "../base/byte-range.ts";

export type ReaderId = number;

/** A (viewer, file) pair is one stream (PRODUCT §3.2); each HTTP connection of it is one reader. */
export interface OpenReader {
  readonly torrent: InfoHash;
  readonly file: number;
  /** Token id, or credentials + address + User-Agent. */
  readonly viewer: string;
  readonly clientAddress: string;
  /** First byte and one past the last byte of the file that this connection will be given. */
  readonly startBytes: number;
  readonly endBytes: number;
}

/** The engine as a reader sees it. */
export interface ReadableSource {
  /** Rejects not_found, busy (stream_limit). From here on the bytes are wanted. */
  openReader(request: OpenReader): Promise<ReaderId>;
  /**
   * Resolves with one past the last verified byte that follows `atBytes` without a hole (> atBytes), as soon as
   * there is one. Rejects not_found when the torrent or the reader is gone, disk_full / internal on a fault.
   */
  readableUntil(reader: ReaderId, atBytes: number): Promise<number>;
  /** The client has taken everything before `atBytes`. */
  advanceReader(reader: ReaderId, atBytes: number): void;
  /** Its demand is withdrawn at once; the stream lives on for 60 s. */
  closeReader(reader: ReaderId): void;
}

/**
 * What one reader needs, in bytes of the torrent. The same shape as the scheduler's StreamDemand, stated here because
 * the two modules do not know each other; the engine, which hands one to the other, fails to compile if they differ.
 */
export interface ReaderDemand {
  readonly stream: ReaderId;
  readonly readBytes: number;
  readonly file: ByteRange;
  readonly bytesPerSec: number;
  readonly index: readonly ByteRange[];
  readonly aheadBytes: number;
}

/** A complete or growing file on disk, opened for one reader. */
export interface ReadableFile {
  /** Reads up to target.length bytes at `offset`; fewer only at the end of the file. Returns the count. */
  read(target: Uint8Array, offset: number): Promise<number>;
  close(): Promise<void>;
}
