// What comes back from peers: blocks, broken-off blocks, rejects. Settles each against the books; the caller has
// set the book's time.

import { BLOCK_BYTES } from "../base/limits.ts";
import type { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import type { PieceRoom } from "./piece-room.ts";
import type { BlockVerdict } from "./ports.ts";
import type { Roster } from "./roster.ts";

/** How a block relates to what was asked of the peer that sends it. */
type Claim = "asked" | "ghost" | "none";

export class Arrivals {
  readonly #book: OrderBook;
  readonly #roster: Roster;
  readonly #room: PieceRoom;
  readonly #onBytes: (lengthBytes: number) => void;

  constructor(parts: {
    book: OrderBook;
    roster: Roster;
    room: PieceRoom;
    onBytes: (lengthBytes: number) => void;
  }) {
    this.#book = parts.book;
    this.#roster = parts.roster;
    this.#room = parts.room;
    this.#onBytes = parts.onBytes;
  }

  expects(peer: PeerState | undefined, piece: number, beginBytes: number, lengthBytes: number): boolean {
    const block = this.#blockOf(piece, beginBytes, lengthBytes);
    if (peer === undefined || block < 0) return false;
    if (peer.queue.indexOf(piece, block) >= 0) peer.model.signOfLife(this.#book.nowMs);
    else if (peer.ghosts.indexOf(piece, block) < 0) return false;
    return this.#isMissing(piece, block);
  }

  arrived(peer: PeerState | undefined, piece: number, beginBytes: number, lengthBytes: number): BlockVerdict {
    const block = this.#blockOf(piece, beginBytes, lengthBytes);
    const claim = peer === undefined || block < 0 ? "none" : this.#settle(peer, piece, block);
    if (claim !== "none") this.#onBytes(lengthBytes);
    if (claim === "none" || !this.#isMissing(piece, block)) {
      this.#book.wastedBytes += lengthBytes;
      return claim === "none" ? "unrequested" : "duplicate";
    }
    const copies = this.#book.pieces.openPartial(piece).arrive(block) - (claim === "asked" ? 1 : 0);
    if (copies > 0) this.#book.cancelCopies(this.#roster.list, piece, block);
    return "wanted";
  }

  lost(peer: PeerState | undefined, piece: number, block: number): void {
    const index = peer?.queue.indexOf(piece, block) ?? -1;
    if (peer !== undefined && index >= 0) {
      this.#book.dropAt(peer, index, false);
      return;
    }
    const partial = this.#book.pieces.partials.get(piece);
    if (partial === undefined || !partial.hasArrived(block)) return;
    partial.forget(block);
    this.#book.reopened.push(piece);
    this.#book.pieces.dropIfUntouched(partial);
  }

  rejected(peer: PeerState | undefined, piece: number, beginBytes: number, lengthBytes: number): void {
    const block = this.#blockOf(piece, beginBytes, lengthBytes);
    if (peer === undefined || block < 0) return;
    const ghost = peer.ghosts.indexOf(piece, block);
    if (ghost >= 0) {
      peer.ghosts.removeAt(ghost);
      peer.unansweredCancels = Math.max(0, peer.unansweredCancels - 1);
      return;
    }
    const index = peer.queue.indexOf(piece, block);
    if (index < 0) return;
    this.#book.dropAt(peer, index, false);
    peer.allowedFast.delete(piece);
    if (!peer.isChoking) peer.refused(piece, this.#book.nowMs);
  }

  /** Takes an arrived block off the peer's books. */
  #settle(peer: PeerState, piece: number, block: number): Claim {
    const index = peer.queue.indexOf(piece, block);
    if (index < 0) {
      const ghost = peer.ghosts.indexOf(piece, block);
      if (ghost < 0) return "none";
      peer.ghosts.removeAt(ghost);
      peer.unansweredCancels = Math.max(0, peer.unansweredCancels - 1);
      peer.delivered(this.#book.nowMs);
      return "ghost";
    }
    const { nowMs } = this.#book;
    const lengthBytes = this.#book.pieces.geometry.blockLength(piece, block);
    peer.model.blockReceived(nowMs, lengthBytes, peer.queue.dueAtMs(index));
    if (peer.wasAlone(piece, block)) peer.model.roundTrip(nowMs, nowMs - peer.queue.sentAtMs(index));
    peer.delivered(nowMs);
    this.#book.settleAt(peer, index);
    return "asked";
  }

  /** The block's index, or −1 where the bytes are no block of this torrent. */
  #blockOf(piece: number, beginBytes: number, lengthBytes: number): number {
    const { geometry } = this.#book.pieces;
    const block = beginBytes / BLOCK_BYTES;
    if (!Number.isInteger(block) || piece < 0 || piece >= geometry.pieceCount) return -1;
    if (block < 0 || block >= geometry.blockCount(piece)) return -1;
    return lengthBytes === geometry.blockLength(piece, block) ? block : -1;
  }

  #isMissing(piece: number, block: number): boolean {
    const { pieces } = this.#book;
    if (pieces.has(piece)) return false;
    const partial = pieces.partials.get(piece);
    if (partial !== undefined) return !partial.hasArrived(block);
    return pieces.isNeeded(piece) && this.#room.fits(piece);
  }
}
