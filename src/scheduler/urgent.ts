// Urgent blocks, one by one, each to the peer that will have it soonest: P0 first, the least served stream before
// the others, then PX and P1 by deadline.

import type { Allowance, OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import type { Suspects } from "./suspects.ts";
import type { StreamWindow, StreamWindows, UrgentPiece } from "./windows.ts";

/** Blocks that one stream gets before the next may have its turn. */
const QUANTUM_BLOCKS = 4;
/** A free but slow peer is passed over when it would be this late and a busy one sooner. */
const LATE_NOW_MS = 500;
const LATE_SOON_MS = 2_000;
/** Pieces without a free peer after which the rest waits for the next turn. */
const STUCK_PIECES = 64;

interface Want {
  readonly piece: number;
  readonly isNow: boolean;
  readonly slackMs: number;
}

export class UrgentOrders {
  readonly #book: OrderBook;
  readonly #suspects: Suspects;
  #roomy: PeerState[] = [];

  constructor(book: OrderBook, suspects: Suspects) {
    this.#book = book;
    this.#suspects = suspects;
  }

  assign(windows: StreamWindows, peers: readonly PeerState[], allowance: Allowance): void {
    this.#roomy = peers.filter((peer) => peer.room(true, true) > 0);
    if (this.#roomy.length === 0) return;
    this.#assignNow(windows.streams, peers, allowance);
    this.#roomy = peers.filter((peer) => peer.room(true) > 0);
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

  /** False when a block found no peer. */
  #assignPiece(
    urgent: UrgentPiece,
    share: { isNow: boolean; blocks: number },
    peers: readonly PeerState[],
    allowance: Allowance,
  ): boolean {
    const { piece } = urgent;
    if (this.#book.pieces.unaskedCount(piece) === 0) return true;
    if (!this.#roomy.some((peer) => peer.canAsk(piece))) return false;
    const want = { piece, isNow: share.isNow, slackMs: urgent.deadlineMs - this.#book.nowMs };
    const able = peers.filter((peer) => peer.canAsk(piece));
    for (let count = 0; count < share.blocks && !isSpent(allowance); count++) {
      const peer = this.#best(able, want);
      if (peer === null) return false;
      const partial = this.#book.pieces.openPartial(piece);
      const block = partial.nextUnasked();
      if (block < 0) return true;
      this.#book.request(peer, partial, block, { allowance, from: "stream" });
      this.#suspects.noteAsked(piece, peer);
    }
    return true;
  }

  #best(able: readonly PeerState[], want: Want): PeerState | null {
    let best: PeerState | null = null;
    let bestMs = Number.POSITIVE_INFINITY;
    let anyMs = Number.POSITIVE_INFINITY;
    let lastResort: PeerState | null = null;
    for (const peer of able) {
      if (!this.#suspects.allows(want.piece, peer, able)) continue;
      if (peer.snub !== "none") {
        if (peer.room(true) > 0) lastResort = peer;
        continue;
      }
      const etaMs = peer.etaNewMs();
      if (etaMs < anyMs) anyMs = etaMs;
      if (etaMs < bestMs && peer.room(true, want.isNow) > 0) {
        best = peer;
        bestMs = etaMs;
      }
    }
    if (best === null) return anyMs === Number.POSITIVE_INFINITY ? lastResort : null;
    const lateMs = Math.max(0, want.slackMs) + (want.isNow ? LATE_NOW_MS : LATE_SOON_MS);
    return bestMs > lateMs && anyMs < bestMs / 2 ? null : best;
  }
}

function isSpent(allowance: Allowance): boolean {
  return allowance.streamBytes <= 0 || allowance.orders <= 0;
}

function leastServed<T extends { window: StreamWindow }>(open: readonly T[]): T {
  return open.reduce((least, each) => (each.window.servedBlocks < least.window.servedBlocks ? each : least));
}
