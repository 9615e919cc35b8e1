// Verified bytes back from the files, for upload and for reading indexes. What cannot be read any more is lost: better
// fetched again than promised and not served.

import type { Bitfield } from "../base/bitfield.ts";
import type { ByteRange } from "../base/byte-range.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { isShortOfResources } from "./faults.ts";
import type { StoreParts } from "./loader.ts";

export interface VerifiedReaderOptions {
  readonly parts: StoreParts;
  readonly have: Bitfield;
  readonly log: Log;
  readonly onLost: (piece: number) => void;
}

export class VerifiedReader {
  readonly #options: VerifiedReaderOptions;

  constructor(options: VerifiedReaderOptions) {
    this.#options = options;
  }

  /** Rejects not_ready where a byte is not verified or not readable, busy where the machine is short of handles. */
  async read(range: ByteRange): Promise<Uint8Array> {
    const pieces = this.#piecesOf(range);
    const target = new Uint8Array(range.end - range.start);
    const isWhole = await this.#fill(range, target);
    if (!isWhole) for (const piece of pieces) await this.#doubt(piece);
    // Pieces can be lost while they are read.
    if (!isWhole || !this.#areHad(pieces)) throw notReady();
    return target;
  }

  #piecesOf(range: ByteRange): number[] {
    const { geometry } = this.#options.parts.layout;
    if (range.start < 0 || range.end < range.start || range.end > geometry.totalBytes) throw notReady();
    const { first, end } = geometry.piecesOf(range);
    const pieces = Array.from({ length: end - first }, (_, position) => first + position);
    if (!this.#areHad(pieces)) throw notReady();
    return pieces;
  }

  #areHad(pieces: readonly number[]): boolean {
    return pieces.every((piece) => this.#options.have.has(piece));
  }

  async #fill(range: ByteRange, target: Uint8Array): Promise<boolean> {
    try {
      return await this.#options.parts.io.read(range, target);
    } catch (error) {
      if (isShortOfResources(error))
        throw new TorrxError("busy", "too many files are open", { cause: error });
      this.#options.log.warn("verified bytes could not be read", { error: describeError(error) });
      return false;
    }
  }

  /** The piece is had only if it still passes. */
  async #doubt(piece: number): Promise<void> {
    if (!(await this.#options.parts.checker.matches(piece))) this.#options.onLost(piece);
  }
}

export function notReady(): TorrxError {
  return new TorrxError("not_ready", "these bytes are not there yet");
}
