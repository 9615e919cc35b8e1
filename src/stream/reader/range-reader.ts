// Pulls exactly the bytes [start, end) of a file for one HTTP connection. While the file is incomplete it waits for
// verified bytes before it reads them from disk, so nothing unverified is ever given out. One chunk buffer per
// reader, not written again until the next pull: the consumer asks only when the last chunk has drained.

import { systemCodeOf, TorrxError } from "../../base/errors.ts";
import type { OpenReader, ReadableFile, ReadableSource, ReaderId } from "../ports.ts";

const KIB = 1024;
const GROWING_CHUNK_BYTES = 256 * KIB;
const COMPLETE_CHUNK_BYTES = 1024 * KIB;

export interface RangeReaderOptions {
  readonly source: ReadableSource;
  readonly open: OpenReader;
  /** Absolute path of the file. */
  readonly path: string;
  readonly isComplete: boolean;
  /** Upper bound of one chunk; 256 KiB at most while the file is incomplete, else 1 MiB. */
  readonly chunkBytes: number;
  openFile(path: string): Promise<ReadableFile>;
  /** Ends the reader, also in the middle of a wait. */
  readonly signal: AbortSignal;
}

/** The bytes of one connection, in order. One pull at a time. */
export interface FileBytes {
  /**
   * The next bytes, valid until the next call; null behind the last or after close(). Rejects with a TorrxError:
   * not_found (torrent removed), disk_full, internal (the file is shorter than it was, or cannot be read).
   */
  next(): Promise<Uint8Array | null>;
  /** Withdraws the demand at once and closes the file. May be called at any time, any number of times. */
  close(): Promise<void>;
}

/**
 * Registers the reader (incomplete files) and returns its bytes. Rejects not_found and busy of the source; what was
 * opened until then is closed again.
 */
export async function createRangeReader(options: RangeReaderOptions): Promise<FileBytes> {
  const reader = options.isComplete ? null : await options.source.openReader(options.open);
  return new RangeReader(options, reader);
}

class RangeReader implements FileBytes {
  readonly #options: RangeReaderOptions;
  readonly #reader: ReaderId | null;
  readonly #buffer: Uint8Array;
  readonly #closed = Promise.withResolvers<null>();
  readonly #onAbort = () => void this.close();
  #file: Promise<ReadableFile> | null = null;
  #reading: Promise<unknown> = Promise.resolve();
  #atBytes: number;
  #readableUntilBytes: number;
  #isClosed = false;
  #closing: Promise<void> | null = null;

  constructor(options: RangeReaderOptions, reader: ReaderId | null) {
    const { startBytes, endBytes } = options.open;
    const most = reader === null ? COMPLETE_CHUNK_BYTES : GROWING_CHUNK_BYTES;
    this.#options = options;
    this.#reader = reader;
    this.#atBytes = startBytes;
    this.#readableUntilBytes = reader === null ? endBytes : startBytes;
    this.#buffer = new Uint8Array(
      Math.max(1, Math.min(options.chunkBytes, most, Math.max(0, endBytes - startBytes))),
    );
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#isClosed) return null;
    this.#tellTaken();
    if (this.#atBytes >= this.#options.open.endBytes) return null;
    const wasReadable = await this.#untilReadable();
    if (!wasReadable || this.#isClosed) return null;
    const lengthBytes = Math.min(
      this.#buffer.length,
      Math.min(this.#readableUntilBytes, this.#options.open.endBytes) - this.#atBytes,
    );
    const chunk = await this.#read(lengthBytes);
    if (this.#isClosed) return null;
    this.#atBytes += chunk.length;
    return chunk;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#closed.resolve(null);
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    if (this.#reader !== null) this.#options.source.closeReader(this.#reader);
    // A read in flight still uses the descriptor. Its failure is for the caller of next() to see, and that a file
    // which was only read would not close is nobody's loss: close() itself never rejects.
    await Promise.allSettled([this.#reading]);
    const [opened] = await Promise.allSettled([this.#file]);
    if (opened.status === "fulfilled" && opened.value !== null) {
      await Promise.allSettled([opened.value.close()]);
    }
  }

  /** The consumer asks for more, so it has taken all that it was given. */
  #tellTaken(): void {
    if (this.#reader !== null && this.#atBytes > this.#options.open.startBytes) {
      this.#options.source.advanceReader(this.#reader, this.#atBytes);
    }
  }

  /** False when the reader was closed while it waited. */
  async #untilReadable(): Promise<boolean> {
    if (this.#reader === null || this.#readableUntilBytes > this.#atBytes) return true;
    const waiting = this.#options.source.readableUntil(this.#reader, this.#atBytes);
    // After a close nobody waits for it any more; closing the reader is what makes it reject.
    waiting.catch(() => undefined);
    const until = await Promise.race([waiting, this.#closed.promise]);
    if (until === null) return false;
    if (until <= this.#atBytes) throw new TorrxError("internal", "The engine offered no bytes.");
    this.#readableUntilBytes = until;
    return true;
  }

  async #read(lengthBytes: number): Promise<Uint8Array> {
    const target = this.#buffer.subarray(0, lengthBytes);
    const reading = this.#readFully(target);
    this.#reading = reading;
    try {
      await reading;
    } catch (error) {
      throw asReadError(error);
    }
    return target;
  }

  async #readFully(target: Uint8Array): Promise<void> {
    this.#file ??= this.#options.openFile(this.#options.path);
    const file = await this.#file;
    for (let done = 0; done < target.length && !this.#isClosed; ) {
      const count = await file.read(target.subarray(done), this.#atBytes + done);
      if (count === 0) throw new TorrxError("internal", "The file has become shorter than it was.");
      done += count;
    }
  }
}

function asReadError(error: unknown): TorrxError {
  if (error instanceof TorrxError) return error;
  if (systemCodeOf(error) === "ENOENT") {
    return new TorrxError("not_found", "The file is no longer there.", { cause: error });
  }
  return new TorrxError("internal", "The file could not be read.", { cause: error });
}
