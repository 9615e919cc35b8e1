// The reader half runs beside HTTP and never blocks on the engine; the demand half runs inside the engine. What
// passes between them is this: small messages, no bytes.

import type { InfoHash } from "../base/brand.ts";
import type { ByteRange } from "../base/byte-range.ts";

export type ReaderId = number;

/** A (viewer, file) pair is one stream (PRODUCT §3.2); each HTTP connection of it is one reader. */
export interface OpenReader {
  /** Chosen by the HTTP side, never used twice in the life of the process. */
  readonly reader: ReaderId;
  readonly torrent: InfoHash;
  readonly file: number;
  /** Token id, or credentials + address + User-Agent. */
  readonly viewer: string;
  readonly clientAddress: string;
  /** First byte and one past the last byte of the file that this connection will be given. */
  readonly startBytes: number;
  readonly endBytes: number;
}

/**
 * The engine as a reader sees it: told what is wanted, never asked for bytes. Those come from the stream's window,
 * which verifier and disk fill without the engine (reader/).
 */
export interface ReadableSource {
  /**
   * From the call on the bytes are wanted. Resolves when the torrent is open and what is had of the file lies in its
   * place, to be read as it grows. Rejects not_found, busy (stream_limit), disk_full / internal on a fault.
   */
  openReader(request: OpenReader): Promise<void>;
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

/** What the HTTP side knows of a reader before it gives it a number. */
export type ReaderRequest = Omit<OpenReader, "reader">;

/** Memory for windows: of one, of all together, and the share of one that lies ahead of its playhead. */
export interface BufferSizes {
  readonly ramBufferBytes: number;
  readonly ramTotalBytes: number;
  readonly bufferAheadPercent: number;
}

/** The windows of one stream. */
export interface StreamBuffer {
  readonly torrent: InfoHash;
  readonly file: number;
  readonly viewer: string;
  readonly bytes: number;
  /** There without a hole, after and before the playhead. */
  readonly aheadBytes: number;
  readonly behindBytes: number;
  /** Reads that found their bytes in memory, and that did not. */
  readonly hits: number;
  readonly misses: number;
}

export interface BufferUsage {
  /** Pieces in the making and windows, of the whole process; bytes that two windows share count once. */
  readonly usedBytes: number;
  readonly capBytes: number;
  /** Set while the streams do not all fit: what each of them may take. */
  readonly sharedBytes: number | null;
  readonly streams: readonly StreamBuffer[];
}

/** What is kept in memory for streams, as settings and status see it. */
export interface StreamBuffers {
  /** Takes effect at once; no stream breaks. */
  resize(sizes: BufferSizes): void;
  usage(): BufferUsage;
  /** Ends the torrent's streams (their readers with not_found) and gives their memory back at once. */
  removeTorrent(torrent: InfoHash): void;
}
