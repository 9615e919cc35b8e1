// Memory for pieces in the making, as the scheduler spends it (ENGINE §4, arena). Blocks of a piece without memory
// would be fetched in vain, again and again: so no piece is begun beyond the bound, and what a viewer waits for takes
// the place of what can wait. One piece is always allowed, however large.

import type { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import { type PartialPiece, URGENCY } from "./piece-table.ts";

export class PieceRoom {
  readonly #book: OrderBook;
  readonly #peers: () => readonly PeerState[];
  /** For all pieces of this torrent that are begun and not verified. */
  limitBytes = Number.POSITIVE_INFINITY;
  /** Something was not begun for want of memory since this was last cleared. */
  isShort = false;

  constructor(book: OrderBook, peers: () => readonly PeerState[]) {
    this.#book = book;
    this.#peers = peers;
  }

  /** Whether the piece may be asked for: it is begun, or one more fits into this share of the memory. */
  fits(piece: number, share = 1): boolean {
    const { partials } = this.#book.pieces;
    return partials.has(piece) || this.hasRoom(share);
  }

  hasRoom(share: number): boolean {
    const { partials, geometry } = this.#book.pieces;
    if (partials.size === 0) return true;
    const hasRoom = (partials.size + 1) * geometry.pieceLengthBytes <= share * this.limitBytes;
    if (!hasRoom) this.isShort = true;
    return hasRoom;
  }

  /** As `fits`, for what a viewer waits for: pieces of lesser urgency are given up for it. */
  make(piece: number): boolean {
    while (!this.fits(piece)) {
      const victim = this.#victim(this.#book.pieces.urgency[piece] ?? URGENCY.none);
      if (victim === null) return false;
      this.#book.giveUp(this.#peers(), victim.piece);
    }
    return true;
  }

  /** The least loss: what is nearly complete goes last, and only for a viewer who has nothing to eat. */
  #victim(urgency: number): PartialPiece | null {
    let best: PartialPiece | null = null;
    for (const partial of this.#book.pieces.partials.values()) {
      if (this.#urgencyOf(partial) >= urgency || partial.arrivedCount === partial.blockCount) continue;
      if (partial.isNearlyComplete && urgency < URGENCY.now) continue;
      if (best === null || this.#isCheaper(partial, best)) best = partial;
    }
    return best;
  }

  #isCheaper(partial: PartialPiece, than: PartialPiece): boolean {
    if (partial.isNearlyComplete !== than.isNearlyComplete) return than.isNearlyComplete;
    const difference = this.#urgencyOf(partial) - this.#urgencyOf(than);
    return difference < 0 || (difference === 0 && partial.arrivedCount < than.arrivedCount);
  }

  #urgencyOf(partial: PartialPiece): number {
    return this.#book.pieces.urgency[partial.piece] ?? URGENCY.none;
  }
}
