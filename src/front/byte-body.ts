// The sources of a response's bytes: what the application has made, and a complete file. Of a file, what lies in the page cache is read at once into
// one buffer; from the first byte on that a disk has to be waited for, two take turns: while one is on its way to the
// client the other is filled. A chunk is the caller's until its next call of next(); the pump calls it only once the
// socket has let the chunk go.

import type { ByteRange } from "../base/byte-range.ts";
import type { ChunkBuffers } from "./chunk-buffers.ts";
import type { OpenFile } from "./open-files.ts";

export interface ByteBody {
  /** The bytes that follow, null at the end. */
  next(): Promise<Uint8Array | null>;
  /** Ends it at any moment; idempotent. */
  close(): void;
}

const PART_BYTES = 256 * 1024;

/** What is in memory anyhow. */
export class BytesBody implements ByteBody {
  readonly #bytes: Uint8Array;
  #atBytes = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): Promise<Uint8Array | null> {
    const part = this.#bytes.subarray(this.#atBytes, this.#atBytes + PART_BYTES);
    this.#atBytes += part.length;
    return Promise.resolve(part.length === 0 ? null : part);
  }

  close(): void {
    this.#atBytes = this.#bytes.length;
  }
}

/** What is made as it is taken. */
export class StreamBody implements ByteBody {
  readonly #reader: { read(): Promise<{ value?: Uint8Array | undefined }>; cancel(): Promise<void> };

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async next(): Promise<Uint8Array | null> {
    const { value } = await this.#reader.read();
    return value ?? null;
  }

  close(): void {
    // A stream that has failed says so once more; its reader has been told.
    this.#reader.cancel().catch(() => undefined);
  }
}

/** Leaves the file when it is closed. */
export class FileBody implements ByteBody {
  readonly #file: OpenFile;
  readonly #buffers: ChunkBuffers;
  readonly #endBytes: number;
  /** Up to here has been asked of the file. */
  #askedBytes: number;
  /** The one that is filled next; none before the first and behind the last chunk. */
  #buffer: Buffer | null = null;
  /** What the caller holds while the other is filled. */
  #held: Buffer | null = null;
  #reading: Promise<Uint8Array> | null = null;
  #isClosed = false;

  constructor(file: OpenFile, range: ByteRange, buffers: ChunkBuffers) {
    this.#file = file;
    this.#buffers = buffers;
    this.#askedBytes = range.start;
    this.#endBytes = range.end;
  }

  /** The first bytes, in place of the first next(), if they are in memory; else null. */
  tryFirst(): Uint8Array | null {
    return this.#tryRead();
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#isClosed) return null;
    if (this.#reading === null) {
      if (this.#askedBytes === this.#endBytes) return this.#end();
      const chunk = this.#tryRead();
      if (chunk !== null) return chunk;
      this.#reading = this.#read();
    }
    const chunk = await this.#reading;
    if (this.#isClosed) return null;
    this.#readAhead();
    return chunk;
  }

  #tryRead(): Uint8Array | null {
    const into = this.#into();
    const count = this.#file.tryRead(into, this.#askedBytes);
    if (count === null) return null;
    this.#count(count);
    return into.subarray(0, count);
  }

  #readAhead(): void {
    if (this.#askedBytes === this.#endBytes) {
      this.#reading = null;
      return;
    }
    const free = this.#held ?? this.#buffers.take();
    this.#held = this.#buffer;
    this.#buffer = free;
    this.#reading = this.#read();
    // It is awaited by the next call; until then a failure is nobody's yet.
    this.#reading.catch(() => undefined);
  }

  async #read(): Promise<Uint8Array> {
    const into = this.#into();
    const count = await this.#file.read(into, this.#askedBytes);
    this.#count(count);
    return into.subarray(0, count);
  }

  #into(): Buffer {
    this.#buffer ??= this.#buffers.take();
    return this.#buffer.subarray(0, this.#endBytes - this.#askedBytes);
  }

  #count(count: number): void {
    if (count === 0) throw new Error("the file is shorter than its torrent says");
    this.#askedBytes += count;
  }

  /** The caller's asking for more tells that the last chunk is let go; a body that is closed earlier keeps its own. */
  #end(): null {
    for (const buffer of [this.#buffer, this.#held]) if (buffer !== null) this.#buffers.giveBack(buffer);
    this.#buffer = null;
    this.#held = null;
    return null;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The descriptor must not be given back while a read is under way, whose own outcome matters no more.
    const leave = () => this.#file.leave();
    if (this.#reading === null) leave();
    else this.#reading.then(leave, leave);
  }
}
