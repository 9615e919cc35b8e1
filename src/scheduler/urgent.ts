// Urgent blocks, one by one, each to the peer that will have it soonest: P0 first, the least served stream before
// the others, then PX and P1 by deadline.

import { NumberList } from "./number-list.ts";
import type { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import type { PieceRoom } from "./piece-room.ts";
import type { Suspects } from "./suspects.ts";
import type { StreamWindow, StreamWindows } from "./windows.ts";

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
  #peers: readonly PeerState[] = [];
  /** Blocks are wanted at once: queues may be twice as deep. */
  #isNow = false;
  /** Places in the list of peers: who had room when the phase began. */
  readonly #roomy = new NumberList();
  /** Who can bring the piece at hand; parallel, so that the choice for each block is one pass over numbers. */
  readonly #able = new NumberList();
  readonly #etasMs = new NumberList();
  readonly #rooms = new NumberList();

  constructor(book: OrderBook, suspects: Suspects, room: PieceRoom) {
    this.#book = book;
    this.#suspects = suspects;
    this.#room = room;
  }

  assign(windows: StreamWindows, peers: readonly PeerState[]): void {
    this.#peers = peers;
    this.#begin(true);
    if (this.#roomy.count === 0) return;
    this.#assignNow(windows.streams);
    this.#begin(false);
    let stuck = 0;
    const { soon } = windows;
    for (let at = 0; at < soon.count; at++) {
      if (this.#book.allowance.isSpentForStreams || stuck > STUCK_PIECES) return;
      if (!this.#assignPiece(soon.pieceAt(at), soon.deadlineMsAt(at), Number.POSITIVE_INFINITY)) stuck++;
    }
  }

  #begin(isNow: boolean): void {
    this.#isNow = isNow;
    this.#roomy.clear();
    for (let at = 0; at < this.#peers.length; at++) {
      if ((this.#peers[at]?.room(this.#book.queueMs, isNow) ?? 0) > 0) this.#roomy.push(at);
    }
  }

  #assignNow(streams: readonly StreamWindow[]): void {
    const open = streams.filter((window) => this.#isOpen(window));
    // A stream that needed nothing for a while has no claim on the past.
    const least = Math.min(...open.map((window) => window.servedBlocks));
    for (const window of streams) {
      window.servedBlocks = Math.max(window.servedBlocks, least);
      window.cursor = 0;
    }
    while (open.length > 0 && !this.#book.allowance.isSpentForStreams) {
      const next = leastServed(open);
      if (next.cursor >= next.now.count) open.splice(open.indexOf(next), 1);
      else this.#serve(next);
    }
  }

  #isOpen({ now }: StreamWindow): boolean {
    for (let at = 0; at < now.count; at++) {
      if (this.#book.pieces.unaskedCount(now.pieceAt(at)) > 0) return true;
    }
    return false;
  }

  /** A few blocks of the piece at the window's cursor. */
  #serve(window: StreamWindow): void {
    const { now, cursor } = window;
    const before = this.#book.allowance.orders;
    const isDone = this.#assignPiece(now.pieceAt(cursor), now.deadlineMsAt(cursor), QUANTUM_BLOCKS);
    window.servedBlocks += before - this.#book.allowance.orders;
    if (!isDone || this.#book.pieces.unaskedCount(now.pieceAt(cursor)) === 0) window.cursor++;
  }

  /** Orders up to `blocks` of the piece. False when a block found no peer, or the piece no memory. */
  #assignPiece(piece: number, deadlineMs: number, blocks: number): boolean {
    if (this.#book.pieces.unaskedCount(piece) === 0) return true;
    if (!this.#isAnyoneFree(piece) || !this.#room.make(piece)) return false;
    this.#survey(piece);
    for (let count = 0; count < blocks && !this.#book.allowance.isSpentForStreams; count++) {
      const at = this.#best(deadlineMs - this.#book.nowMs);
      const peer = at < 0 ? undefined : this.#peers[this.#able.at(at)];
      if (peer === undefined) return false;
      const partial = this.#book.pieces.openPartial(piece);
      const block = partial.nextUnasked();
      if (block < 0) return true;
      this.#book.request(peer, partial, block, "stream");
      this.#etasMs.set(at, peer.etaNewMs());
      this.#rooms.set(at, this.#rooms.at(at) - 1);
      if (this.#suspects.has(piece)) {
        this.#suspects.noteAsked(piece, peer);
        this.#survey(piece);
      }
    }
    return true;
  }

  #isAnyoneFree(piece: number): boolean {
    for (let at = 0; at < this.#roomy.count; at++) {
      if (this.#peers[this.#roomy.at(at)]?.canAsk(piece) === true) return true;
    }
    return false;
  }

  /** Who could bring the piece, how soon, and how many blocks each may still be asked for. */
  #survey(piece: number): void {
    this.#findAble(piece);
    this.#etasMs.clear();
    this.#rooms.clear();
    const coldShare = Math.ceil(COLD_BLOCKS / this.#able.count);
    for (let at = 0; at < this.#able.count; at++) {
      const peer = this.#peers[this.#able.at(at)];
      if (peer === undefined) return;
      const room = peer.room(this.#book.queueMs, this.#isNow);
      const isCold = this.#isNow && !peer.model.isMeasured;
      this.#etasMs.push(peer.etaNewMs());
      this.#rooms.push(isCold ? Math.min(room, coldShare - peer.queue.count) : room);
    }
  }

  /** Snubbed peers only where there is no other. */
  #findAble(piece: number): void {
    const rivals = this.#suspects.has(piece) ? this.#peers.filter((peer) => peer.canAsk(piece)) : this.#peers;
    let hasTrusted = false;
    this.#able.clear();
    for (let at = 0; at < this.#peers.length; at++) {
      const peer = this.#peers[at];
      if (peer === undefined || !peer.canAsk(piece)) continue;
      if (!this.#suspects.allows(piece, peer, rivals)) continue;
      const isTrusted = peer.snub === "none";
      if (isTrusted && !hasTrusted) this.#able.clear();
      hasTrusted ||= isTrusted;
      if (isTrusted === hasTrusted) this.#able.push(at);
    }
  }

  /** Index of the peer that will have a block soonest, or −1 where none has room or a busy one is the better bet. */
  #best(slackMs: number): number {
    let best = -1;
    let bestMs = Number.POSITIVE_INFINITY;
    let anyMs = Number.POSITIVE_INFINITY;
    for (let at = 0; at < this.#able.count; at++) {
      const etaMs = this.#etasMs.at(at);
      if (etaMs < anyMs) anyMs = etaMs;
      if (etaMs >= bestMs || this.#rooms.at(at) <= 0) continue;
      best = at;
      bestMs = etaMs;
    }
    const lateMs = Math.max(0, slackMs) + (this.#isNow ? LATE_NOW_MS : LATE_SOON_MS);
    return bestMs > lateMs && anyMs < bestMs / 2 ? -1 : best;
  }
}

function leastServed(open: readonly StreamWindow[]): StreamWindow {
  return open.reduce((least, each) => (each.servedBlocks < least.servedBlocks ? each : least));
}
