// The source of a response's bytes, and the body of a complete file. Two buffers take turns: while one is on its way
// to the client the other is filled, so disk and socket work at the same time. A chunk is the caller's until its next
// call of next(); the pump calls it only once the socket has let the chunk go.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { ByteRange } from "../base/byte-range.ts";
import { systemCodeOf, TorrxError } from "../base/errors.ts";

export interface ByteBody {
  /** The bytes that follow, null at the end. */
  next(): Promise<Uint8Array | null>;
  /** Ends it at any moment; idempotent. */
  close(): void;
}

/** Measured best of 256 KiB … 2 MiB: larger chunks gain nothing and cost memory per client. */
const CHUNK_BYTES = 512 * 1024;

/** Rejects not_found when the file is gone from the disk, busy when no more can be opened. */
export async function openFileBody(path: string, range: ByteRange): Promise<ByteBody> {
  return new FileBody(await openFile(path), range);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw openFailure(error);
  }
}

/** A link where the file was is no file of ours: it could lead anywhere. */
const GONE = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"]);

function openFailure(error: unknown): unknown {
  const code = systemCodeOf(error) ?? "";
  if (GONE.has(code))
    return new TorrxError("not_found", "the file is not on the disk any more", { cause: error });
  if (code !== "EMFILE" && code !== "ENFILE") return error;
  return new TorrxError("busy", "too many files are open", { cause: error, retryAfterSec: 5 });
}

class FileBody implements ByteBody {
  readonly #file: FileHandle;
  readonly #endBytes: number;
  /** The one that is filled next comes first. */
  #buffers: Buffer[];
  /** Up to here has been asked of the disk. */
  #askedBytes: number;
  #ahead: Promise<Uint8Array> | null = null;
  #isClosed = false;

  constructor(file: FileHandle, range: ByteRange) {
    this.#file = file;
    this.#askedBytes = range.start;
    this.#endBytes = range.end;
    const size = Math.min(CHUNK_BYTES, range.end - range.start);
    const count = range.end - range.start > size ? 2 : 1;
    this.#buffers = Array.from({ length: count }, () => Buffer.allocUnsafeSlow(size));
    this.#readAhead();
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#ahead === null || this.#isClosed) return null;
    const chunk = await this.#ahead;
    if (this.#isClosed) return null;
    this.#readAhead();
    return chunk;
  }

  #readAhead(): void {
    const [buffer] = this.#buffers;
    const left = this.#endBytes - this.#askedBytes;
    if (buffer === undefined || left <= 0) {
      this.#ahead = null;
      return;
    }
    this.#buffers.reverse();
    const into = buffer.subarray(0, Math.min(buffer.length, left));
    this.#ahead = this.#fill(into, this.#askedBytes);
    // It is awaited by the next call; until then a failure is nobody's yet.
    this.#ahead.catch(() => undefined);
    this.#askedBytes += into.length;
  }

  async #fill(into: Buffer, atBytes: number): Promise<Uint8Array> {
    for (let filled = 0; filled < into.length; ) {
      const { bytesRead } = await this.#file.read(into, filled, into.length - filled, atBytes + filled);
      if (bytesRead === 0) throw new Error("the file is shorter than its torrent says");
      filled += bytesRead;
    }
    return into;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The descriptor must not be given back while a read is under way, whose own outcome matters no more. Closing
    // a file that was only read can lose nothing.
    const close = () => this.#file.close();
    const pending = this.#ahead ?? Promise.resolve();
    pending.then(close, close).catch(() => undefined);
  }
}
