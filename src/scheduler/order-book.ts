// The one place where requests are made and unmade. Invariants: a block is asked of one peer at most once at a
// time; copies(block) = number of queues that hold it; outstandingCount = sum of all queues.

import { BLOCK_BYTES } from "../base/limits.ts";
import type { PeerState } from "./peer-state.ts";
import type { PartialPiece, PieceTable } from "./piece-table.ts";
import type { MemoryPressure, PeerOrders, TurnBudget } from "./ports.ts";

/** Orders of one turn: a bound on its time. The rest follows in the next turn. */
const ORDERS_PER_TURN = 4_000;
const GHOST_GRACE_MS = 500;

export type BudgetClass = "stream" | "background";

/** What is left of the turn's allowance. */
class Allowance {
  #streamBytes = 0;
  #backgroundBytes = 0;
  orders = 0;
  streamOrdered = 0;
  backgroundOrdered = 0;
  pressure: MemoryPressure = "none";

  renew(budget: TurnBudget): void {
    this.#streamBytes = budget.streamBytes;
    this.#backgroundBytes = budget.backgroundBytes;
    this.orders = ORDERS_PER_TURN;
    this.streamOrdered = 0;
    this.backgroundOrdered = 0;
    this.pressure = budget.pressure ?? "none";
  }

  get isSpentForStreams(): boolean {
    return this.#streamBytes <= 0 || this.orders <= 0;
  }

  get isSpentForBackground(): boolean {
    return this.#backgroundBytes <= 0 || this.orders <= 0;
  }

  spend(from: BudgetClass, lengthBytes: number): void {
    this.orders--;
    if (from === "stream") {
      this.#streamBytes -= lengthBytes;
      this.streamOrdered += lengthBytes;
    } else {
      this.#backgroundBytes -= lengthBytes;
      this.backgroundOrdered += lengthBytes;
    }
  }
}

export class OrderBook {
  readonly pieces: PieceTable;
  readonly allowance = new Allowance();
  readonly #orders: PeerOrders;
  outstandingCount = 0;
  wastedBytes = 0;
  /** Pieces that have unasked blocks again since the list was last emptied. */
  readonly reopened: number[] = [];
  nowMs = 0;
  /** How long a peer's queue should keep it busy, as of this turn. */
  queueMs = 1_000;

  constructor(pieces: PieceTable, orders: PeerOrders) {
    this.pieces = pieces;
    this.#orders = orders;
  }

  /** Asks `peer` for a block and takes its length from the allowance; the caller has checked that it may. */
  request(peer: PeerState, partial: PartialPiece, block: number, from: BudgetClass): void {
    const { piece } = partial;
    const lengthBytes = this.pieces.geometry.blockLength(piece, block);
    peer.noteAsked(piece, block);
    if (peer.queue.count === 0) peer.model.becameBusy(this.nowMs);
    const dueAtMs = this.nowMs + peer.etaNewMs();
    peer.queue.push(piece, block, this.nowMs, dueAtMs);
    peer.queuedBytes += lengthBytes;
    partial.ask(block);
    this.outstandingCount++;
    this.allowance.spend(from, lengthBytes);
    this.#orders.request(peer.key, piece, block * BLOCK_BYTES, lengthBytes);
  }

  /** Withdraws the request at `index` of the peer's queue; its block may still come. */
  cancelAt(peer: PeerState, index: number): void {
    const piece = peer.queue.pieceAt(index);
    const block = peer.queue.blockAt(index);
    const lengthBytes = this.pieces.geometry.blockLength(piece, block);
    this.dropAt(peer, index, true);
    this.#orders.cancel(peer.key, piece, block * BLOCK_BYTES, lengthBytes);
  }

  /** Takes the request out of the queue without a word to the peer. */
  dropAt(peer: PeerState, index: number, asGhost: boolean): void {
    const piece = peer.queue.pieceAt(index);
    const block = peer.queue.blockAt(index);
    if (asGhost) this.#haunt(peer, index);
    this.settleAt(peer, index);
    const partial = this.pieces.partials.get(piece);
    if (partial === undefined) return;
    const hadUnasked = partial.unaskedCount > 0;
    partial.unask(block);
    if (partial.unaskedCount === 0) return;
    if (!hadUnasked || partial.isUntouched) this.reopened.push(piece);
    this.pieces.dropIfUntouched(partial);
  }

  /** The peer has answered the request at `index`: off its queue; the block's state is the caller's to set. */
  settleAt(peer: PeerState, index: number): void {
    const { queue } = peer;
    peer.queuedBytes -= this.pieces.geometry.blockLength(queue.pieceAt(index), queue.blockAt(index));
    queue.removeAt(index);
    this.outstandingCount--;
    if (peer.queue.count === 0) peer.model.becameIdle(this.nowMs);
  }

  /** Everything that the peer owes is needed again. */
  dropAll(peer: PeerState, asGhosts: boolean): void {
    while (peer.queue.count > 0) this.dropAt(peer, peer.queue.count - 1, asGhosts);
  }

  cancelAll(peer: PeerState): void {
    while (peer.queue.count > 0) this.cancelAt(peer, peer.queue.count - 1);
  }

  /** Every request that is out for the piece is withdrawn. */
  cancelPiece(peers: readonly PeerState[], piece: number): void {
    if (this.pieces.partials.get(piece)?.requestCount === 0) return;
    for (const peer of peers) {
      for (let i = peer.queue.count - 1; i >= 0; i--) {
        if (peer.queue.pieceAt(i) === piece) this.cancelAt(peer, i);
      }
    }
  }

  /** What was asked and what has arrived of the piece: all of it is needed again. */
  giveUp(peers: readonly PeerState[], piece: number): void {
    this.cancelPiece(peers, piece);
    this.pieces.partials.delete(piece);
    this.reopened.push(piece);
    this.#orders.drop(piece);
  }

  /** Every request that is out for the block is withdrawn. */
  cancelCopies(peers: readonly PeerState[], piece: number, block: number): void {
    for (const peer of peers) {
      const index = peer.queue.indexOf(piece, block);
      if (index >= 0) this.cancelAt(peer, index);
    }
  }

  #haunt(peer: PeerState, index: number): void {
    const dueAtMs = this.nowMs + peer.model.rttMs + 2 * peer.model.errMs + GHOST_GRACE_MS;
    peer.unansweredCancels++;
    const { queue } = peer;
    const countsUntilMs = Math.max(this.nowMs, Math.min(dueAtMs, queue.dueAtMs(index)));
    peer.ghosts.push(queue.pieceAt(index), queue.blockAt(index), this.nowMs, countsUntilMs);
  }
}
