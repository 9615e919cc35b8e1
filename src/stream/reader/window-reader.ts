// The bytes of one HTTP connection, out of its stream's window: exactly [start, end) of the file. The engine is told
// what is wanted and is not waited for: what the window has is handed out at once, also before the engine answered.

import { describeError, TorrxError } from "../../base/errors.ts";
import type { ReadableSource, ReaderId, ReaderRequest } from "../ports.ts";
import { CHUNK_BYTES } from "./budget.ts";
import type { Seated, StreamWindows } from "./stream-windows.ts";
import type { ReadBytes, ReadFault } from "./viewer-stream.ts";

/** The bytes of one connection, in order. One pull at a time; from memory they come without waiting for anything. */
export interface FileBytes {
  /**
   * The next bytes, valid until the next call or close(); null behind the last or after close(). Rejects with a
   * TorrxError: not_found (torrent or file removed), busy, disk_full, internal.
   */
  next(): Promise<Uint8Array | null>;
  /** Withdraws the demand at once. May be called at any time, any number of times. */
  close(): void;
}

export interface WindowReaderOptions {
  readonly windows: StreamWindows;
  readonly source: ReadableSource;
  readonly request: ReaderRequest;
  readonly file: {
    readonly path: string;
    /** Some byte of it was written, so that it must be there; before that it is none's fault that it is not. */
    readonly isBegun: boolean;
    readonly lengthBytes: number;
    /** Where it begins in the torrent's bytes. */
    readonly startBytes: number;
  };
  /** Ends the reader, also in the middle of a wait. */
  readonly signal: AbortSignal;
}

export function openWindowReader(options: WindowReaderOptions): FileBytes {
  return new WindowReader(options);
}

class WindowReader implements FileBytes {
  readonly #options: WindowReaderOptions;
  readonly #reader: ReaderId;
  readonly #seated: Seated;
  readonly #onAbort = () => this.close();
  #atBytes: number;
  #held: ReadBytes | null = null;
  #failure: TorrxError | null = null;
  #isClosed = false;
  /** Resolves when a read that found nothing should be tried again. */
  #news = Promise.withResolvers<void>();

  constructor(options: WindowReaderOptions) {
    const { windows, request, file, signal } = options;
    const { torrent, viewer } = request;
    this.#options = options;
    this.#reader = windows.nextReaderId();
    this.#atBytes = request.startBytes;
    this.#seated = windows.enter(
      {
        torrent,
        viewer,
        file: request.file,
        fileStartBytes: file.startBytes,
        fileLengthBytes: file.lengthBytes,
      },
      { wake: () => this.#news.resolve(), fail: (error) => this.#fail(error) },
    );
    this.#begin().catch((error: unknown) => this.#fail(asTorrxError(error)));
    if (signal.aborted) this.close();
    else signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async next(): Promise<Uint8Array | null> {
    this.#letGo();
    const { request, source } = this.#options;
    if (this.#isClosed) return null;
    if (this.#atBytes > request.startBytes) source.advanceReader(this.#reader, this.#atBytes);
    if (this.#atBytes >= request.endBytes) return null;
    await this.#read(Math.min(CHUNK_BYTES, request.endBytes - this.#atBytes));
    return this.#held?.bytes ?? null;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#letGo();
    this.#seated.leave();
    this.#options.source.closeReader(this.#reader);
    this.#news.resolve();
  }

  /**
   * The file is looked at only once the engine says that it holds what it should: what lies there before may be
   * another's, or a place that boundary pieces are still being moved to.
   */
  async #begin(): Promise<void> {
    const { source, request, file } = this.#options;
    const { stream, seat } = this.#seated;
    await source.openReader({ ...request, reader: this.#reader });
    seat.isOpened = true;
    this.#news.resolve();
    if (this.#isClosed || (await stream.file.look(file.path)) || !file.isBegun) return;
    throw new TorrxError("not_found", "the file is not on the disk any more");
  }

  /**
   * The file is made with its first byte, which comes out of memory. Later ones may have to be read from disk, and
   * who waits for one is woken when it can be.
   */
  #lookForFile(): void {
    const { stream, seat } = this.#seated;
    if (!seat.isOpened || !stream.lacksFile) return;
    stream.file.look(this.#options.file.path).catch((error: unknown) => this.#fail(asTorrxError(error)));
  }

  /** Until it holds bytes, or is closed. Held in the turn in which they are pinned, so that close() finds them. */
  async #read(maxBytes: number): Promise<void> {
    const { stream, seat } = this.#seated;
    while (!this.#isClosed) {
      if (this.#failure !== null) throw this.#failure;
      // Made before the look: what comes in between is not missed.
      this.#news = Promise.withResolvers<void>();
      const got = stream.read(seat, this.#atBytes, maxBytes);
      if (typeof got === "object") {
        this.#hold(got);
        return;
      }
      if (got !== "waiting") throw errorOf(got);
      this.#lookForFile();
      await this.#news.promise;
    }
  }

  #hold(held: ReadBytes): void {
    this.#held = held;
    this.#atBytes += held.bytes.length;
  }

  #letGo(): void {
    this.#held?.release();
    this.#held = null;
  }

  #fail(error: TorrxError): void {
    this.#failure ??= error;
    this.#news.resolve();
  }
}

const FAULTS: { readonly [Fault in ReadFault]: () => TorrxError } = {
  gone: () => new TorrxError("not_found", "The torrent was removed."),
  disk_full: () => new TorrxError("disk_full", "The disk is full."),
  disk_error: () => new TorrxError("internal", "The disk failed."),
  data_conflict: () => new TorrxError("internal", "Other data lies where the torrent's should."),
  internal: () => new TorrxError("internal", "The torrent failed."),
  unreadable: () => new TorrxError("internal", "The file could not be read."),
};

function errorOf(fault: ReadFault): TorrxError {
  return FAULTS[fault]();
}

function asTorrxError(error: unknown): TorrxError {
  if (error instanceof TorrxError) return error;
  return new TorrxError("internal", describeError(error), { cause: error });
}
