// Answers the HTTP side's question "how far can I read?" for the readers of one torrent. A waiting reader is woken by
// the piece that it waits for; it is never woken for a byte that has not been verified.

import type { Bitfield } from "../base/bitfield.ts";
import { TorrxError } from "../base/errors.ts";
import type { Geometry, TorrentFile } from "../metainfo/index.ts";
import type { ReaderId } from "../stream/ports.ts";

interface Waiter {
  readonly reader: ReaderId;
  readonly file: TorrentFile;
  readonly atBytes: number;
  readonly resolve: (untilBytes: number) => void;
  readonly reject: (error: TorrxError) => void;
}

/** One look never scans a whole film. */
const LOOK_AHEAD_PIECES = 512;
/** A reader is told this much at once: what is found wrong later (a recheck) is then not read on for long. */
const TOLD_BYTES = 4 * 1024 * 1024;

export class ReaderDesk {
  readonly #geometry: Geometry;
  readonly #have: () => Bitfield;
  readonly #waiting = new Map<number, Waiter[]>();

  constructor(geometry: Geometry, have: () => Bitfield) {
    this.#geometry = geometry;
    this.#have = have;
  }

  /** One past the last verified byte of `file` that follows `atBytes`; `atBytes` itself where there is none. */
  verifiedUntil(file: TorrentFile, atBytes: number): number {
    const have = this.#have();
    const first = this.#geometry.pieceAt(file.offsetBytes + atBytes);
    let piece = first;
    while (piece < this.#geometry.pieceCount && piece - first < LOOK_AHEAD_PIECES && have.has(piece)) piece++;
    if (piece === first) return atBytes;
    return Math.min(file.lengthBytes, this.#geometry.pieceStart(piece) - file.offsetBytes);
  }

  #toldUntil(file: TorrentFile, atBytes: number): number {
    return Math.min(this.verifiedUntil(file, atBytes), atBytes + TOLD_BYTES);
  }

  /** Resolves as soon as the byte at `atBytes` is verified. */
  wait(reader: ReaderId, file: TorrentFile, atBytes: number): Promise<number> {
    const untilBytes = this.#toldUntil(file, atBytes);
    if (untilBytes > atBytes) return Promise.resolve(untilBytes);
    const piece = this.#geometry.pieceAt(file.offsetBytes + atBytes);
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(piece) ?? [];
      waiters.push({ reader, file, atBytes, resolve, reject });
      this.#waiting.set(piece, waiters);
    });
  }

  /** Call when the piece has become readable. */
  pieceVerified(piece: number): void {
    const waiters = this.#waiting.get(piece);
    if (waiters === undefined) return;
    this.#waiting.delete(piece);
    for (const waiter of waiters) waiter.resolve(this.#toldUntil(waiter.file, waiter.atBytes));
  }

  /** Pieces may have become readable without being told one by one (a check). */
  haveChanged(): void {
    const have = this.#have();
    for (const piece of [...this.#waiting.keys()]) if (have.has(piece)) this.pieceVerified(piece);
  }

  /** Ends the waits of one reader. */
  close(reader: ReaderId): void {
    this.#rejectWhere(
      (waiter) => waiter.reader === reader,
      new TorrxError("not_found", "the stream was closed"),
    );
  }

  /** Ends every wait; the torrent is gone or cannot go on. */
  closeAll(error: TorrxError): void {
    this.#rejectWhere(() => true, error);
  }

  #rejectWhere(matches: (waiter: Waiter) => boolean, error: TorrxError): void {
    for (const [piece, waiters] of this.#waiting) {
      const kept = waiters.filter((waiter) => !matches(waiter));
      if (kept.length === waiters.length) continue;
      if (kept.length === 0) this.#waiting.delete(piece);
      else this.#waiting.set(piece, kept);
      for (const waiter of waiters) if (matches(waiter)) waiter.reject(error);
    }
  }
}
