// Urgent blocks, one by one, each to the peer that will have it soonest: P0 first, the least served stream before
// the others, then PX and P1 by deadline.

import type { Allowance, OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import type { PieceRoom } from "./piece-room.ts";
import type { Suspects } from "./suspects.ts";
import type { StreamWindow, StreamWindows, UrgentPiece } from "./windows.ts";

/** Blocks that one stream gets before the next may have its turn. */
const QUANTUM_BLOCKS = 4;
/** A free but slow peer is passed over when it would be this late and a busy one sooner. */
const LATE_NOW_MS = 500;
const LATE_SOON_MS = 2_000;
/** Pieces without a free peer after which the rest waits for the next turn. */
const STUCK_PIECES = 64;
/** Blocks that peers of unknown speed get between them: any of them may prove slow, and then holds up the piece. */
const COLD_BLOCKS = 32;

export class UrgentOrders {
  readonly #book: OrderBook;
  readonly #suspects: Suspects;
  readonly #room: PieceRoom;
  #roomy: PeerState[] = [];
  /** Of the piece at hand; parallel, so that the choice for each block is one pass over numbers. */
  #able: PeerState[] = [];
  #etasMs = new Float64Array(0);
  #rooms = new Int32Array(0);

  constructor(book: OrderBook, suspects: Suspects, room: PieceRoom) {
    this.#book = book;
    this.#suspects = suspects;
    this.#room = room;
  }

  assign(windows: StreamWindows, peers: readonly PeerState[], allowance: Allowance): void {
    this.#roomy = peers.filter((peer) => peer.room(this.#book.queueMs, true) > 0);
    if (this.#roomy.length === 0) return;
    this.#assignNow(windows.streams, peers, allowance);
    this.#roomy = peers.filter((peer) => peer.room(this.#book.queueMs) > 0);
    let stuck = 0;
    for (const urgent of windows.soon) {
      if (isSpent(allowance) || stuck > STUCK_PIECES) return;
      const share = { isNow: false, blocks: Number.POSITIVE_INFINITY };
      if (!this.#assignPiece(urgent, share, peers, allowance)) stuck++;
    }
  }

  #assignNow(streams: readonly StreamWindow[], peers: readonly PeerState[], allowance: Allowance): void {
    const open = streams
      .filter((window) => window.now.some(({ piece }) => this.#book.pieces.unaskedCount(piece) > 0))
      .map((window) => ({ window, cursor: 0 }));
    // A stream that needed nothing for a while has no claim on the past.
    const least = Math.min(...open.map(({ window }) => window.servedBlocks));
    for (const window of streams) window.servedBlocks = Math.max(window.servedBlocks, least);
    while (open.length > 0 && !isSpent(allowance)) {
      const next = leastServed(open);
      const urgent = next.window.now[next.cursor];
      if (urgent === undefined) {
        open.splice(open.indexOf(next), 1);
        continue;
      }
      const before = allowance.orders;
      const isStuck = !this.#assignPiece(urgent, { isNow: true, blocks: QUANTUM_BLOCKS }, peers, allowance);
      next.window.servedBlocks += before - allowance.orders;
      if (isStuck || this.#book.pieces.unaskedCount(urgent.piece) === 0) next.cursor++;
    }
  }

  /** False when a block found no peer, or the piece no memory. */
  #assignPiece(
    urgent: UrgentPiece,
    share: { isNow: boolean; blocks: number },
    peers: readonly PeerState[],
    allowance: Allowance,
  ): boolean {
    const { piece } = urgent;
    if (this.#book.pieces.unaskedCount(piece) === 0) return true;
    if (!this.#roomy.some((peer) => peer.canAsk(piece)) || !this.#room.make(piece)) return false;
    const want = { isNow: share.isNow, slackMs: urgent.deadlineMs - this.#book.nowMs };
    this.#survey(piece, share.isNow, peers);
    for (let count = 0; count < share.blocks && !isSpent(allowance); count++) {
      const at = this.#best(want);
      const peer = this.#able[at];
      if (peer === undefined) return false;
      const partial = this.#book.pieces.openPartial(piece);
      const block = partial.nextUnasked();
      if (block < 0) return true;
      this.#book.request(peer, partial, block, { allowance, from: "stream" });
      this.#etasMs[at] = peer.etaNewMs();
      this.#rooms[at] = (this.#rooms[at] ?? 1) - 1;
      if (this.#suspects.has(piece)) {
        this.#suspects.noteAsked(piece, peer);
        this.#survey(piece, share.isNow, peers);
      }
    }
    return true;
  }

  /** Who could bring the piece, how soon, and how many blocks each may still be asked for. */
  #survey(piece: number, isNow: boolean, peers: readonly PeerState[]): void {
    const able = peers.filter((peer) => peer.canAsk(piece));
    this.#able = able.filter((peer) => this.#suspects.allows(piece, peer, able));
    if (this.#able.some((peer) => peer.snub === "none")) {
      this.#able = this.#able.filter((peer) => peer.snub === "none");
    }
    if (this.#etasMs.length < this.#able.length) {
      this.#etasMs = new Float64Array(2 * this.#able.length);
      this.#rooms = new Int32Array(2 * this.#able.length);
    }
    const coldShare = Math.ceil(COLD_BLOCKS / this.#able.length);
    this.#able.forEach((peer, at) => {
      const room = peer.room(this.#book.queueMs, isNow);
      const isCold = isNow && !peer.model.isMeasured;
      this.#etasMs[at] = peer.etaNewMs();
      this.#rooms[at] = isCold ? Math.min(room, coldShare - peer.queue.count) : room;
    });
  }

  /** Index of the peer that will have a block soonest, or −1 where none has room or a busy one is the better bet. */
  #best(want: { isNow: boolean; slackMs: number }): number {
    let best = -1;
    let bestMs = Number.POSITIVE_INFINITY;
    let anyMs = Number.POSITIVE_INFINITY;
    for (let at = 0; at < this.#able.length; at++) {
      const etaMs = this.#etasMs[at] ?? 0;
      if (etaMs < anyMs) anyMs = etaMs;
      if (etaMs >= bestMs || (this.#rooms[at] ?? 0) <= 0) continue;
      best = at;
      bestMs = etaMs;
    }
    const lateMs = Math.max(0, want.slackMs) + (want.isNow ? LATE_NOW_MS : LATE_SOON_MS);
    return bestMs > lateMs && anyMs < bestMs / 2 ? -1 : best;
  }
}

function isSpent(allowance: Allowance): boolean {
  return allowance.streamBytes <= 0 || allowance.orders <= 0;
}

function leastServed<T extends { window: StreamWindow }>(open: readonly T[]): T {
  return open.reduce((least, each) => (each.window.servedBlocks < least.window.servedBlocks ? each : least));
}
