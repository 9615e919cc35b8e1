// Taking requests back: what no stream and no selection needs any more, what stands in front of a place that was
// sought, and what a silent peer keeps from the viewer.

import type { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import { URGENCY } from "./piece-table.ts";
import type { Suspects } from "./suspects.ts";

/** A block that is this near is not worth a cancel: it would cross it on the way. */
const ABOUT_TO_ARRIVE_MS = 100;

export class Withdrawal {
  readonly #book: OrderBook;
  readonly #suspects: Suspects;

  constructor(book: OrderBook, suspects: Suspects) {
    this.#book = book;
    this.#suspects = suspects;
  }

  /**
   * After windows or selection changed: cancels what nothing needs and what stands in the way of `sought`, at the
   * fastest peers first, until there is room for `urgentBlocks` twice over. What is wanted soon (P1, PX, P2) gives way
   * too, as far as the sought pieces themselves need it: it is asked again behind them.
   */
  clearWay(peers: readonly PeerState[], sought: readonly number[], urgentBlocks: number): void {
    let toClear = sought.length === 0 ? 0 : 2 * urgentBlocks;
    let toOvertake = 0;
    for (const piece of sought) toOvertake += 2 * this.#book.pieces.unaskedCount(piece);
    const fastestFirst = sought.length === 0 ? peers : [...peers].sort((a, b) => b.rate - a.rate);
    for (const peer of fastestFirst) {
      if (peer.queue.count === 0) continue;
      const isInTheWay = toClear > 0 && sought.some((piece) => peer.canAsk(piece));
      const least = isInTheWay && toOvertake > 0 ? URGENCY.now : URGENCY.ahead;
      const cancelled = this.#cancelWhere(peer, (piece) => !this.#isKept(piece, least, isInTheWay));
      toClear -= cancelled;
      toOvertake -= cancelled;
    }
  }

  /** Urgent blocks of a silent peer that somebody else could bring are asked again. */
  releaseUrgent(peer: PeerState, peers: readonly PeerState[]): void {
    let lastPiece = -1;
    let hasTaker = false;
    for (let i = peer.queue.count - 1; i >= 0; i--) {
      const piece = peer.queue.pieceAt(i);
      if (!this.#book.pieces.isUrgent(piece)) continue;
      if (piece !== lastPiece) hasTaker = peers.some((other) => other.snub === "none" && other.canAsk(piece));
      lastPiece = piece;
      if (!hasTaker) continue;
      this.#suspects.released(peer.key);
      this.#book.cancelAt(peer, i);
    }
  }

  /** `least`: the urgency that is kept whatever stands behind it. */
  #isKept(piece: number, least: number, isInTheWay: boolean): boolean {
    const { pieces } = this.#book;
    if ((pieces.urgency[piece] ?? URGENCY.none) >= least) return true;
    if (pieces.partials.get(piece)?.isNearlyComplete === true) return true;
    return !isInTheWay && pieces.isNeeded(piece);
  }

  #cancelWhere(peer: PeerState, isUnwanted: (piece: number) => boolean): number {
    const { queue } = peer;
    const firstLate = this.#firstNotArriving(peer);
    let lastPiece = -1;
    let isLastUnwanted = false;
    let cancelled = 0;
    for (let i = queue.count - 1; i >= firstLate; i--) {
      const piece = queue.pieceAt(i);
      if (piece !== lastPiece) {
        lastPiece = piece;
        isLastUnwanted = isUnwanted(piece);
      }
      if (!isLastUnwanted) continue;
      this.#book.cancelAt(peer, i);
      cancelled++;
    }
    return cancelled;
  }

  /** Index of the first request that will not arrive at once; the first is always taken as being received. */
  #firstNotArriving(peer: PeerState): number {
    const { queue } = peer;
    if (peer.snub !== "none" || queue.count === 0) return 0;
    const bytesPerRequest = peer.queuedBytes / queue.count;
    const arriving = Math.floor(((peer.rate / 1000) * ABOUT_TO_ARRIVE_MS) / bytesPerRequest);
    return Math.max(1, arriving);
  }
}
