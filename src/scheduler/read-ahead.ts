// P2: what follows the urgent part of each stream's window. Peer by peer, in order, in runs of neighbouring blocks,
// the streams taking turns.

import type { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import type { PieceRoom } from "./piece-room.ts";
import type { Suspects } from "./suspects.ts";
import { aheadDeadlineMs, type StreamWindow } from "./windows.ts";

const RUN_BLOCKS = 8;
/** How far one search looks for a piece that the peer has; bounds the cost with small pieces and rare holders. */
const SCAN_PIECES = 512;
/** Of the memory: the rest is for what is needed sooner. */
const MEMORY_SHARE = 9 / 10;

export class ReadAhead {
  readonly #book: OrderBook;
  readonly #suspects: Suspects;
  readonly #room: PieceRoom;
  #rotation = 0;
  #isCritical = false;
  #peers: readonly PeerState[] = [];

  constructor(book: OrderBook, suspects: Suspects, room: PieceRoom) {
    this.#book = book;
    this.#suspects = suspects;
    this.#room = room;
  }

  fill(streams: readonly StreamWindow[], peers: readonly PeerState[]): void {
    const { allowance } = this.#book;
    this.#peers = peers;
    this.#isCritical = allowance.pressure === "critical";
    const open = streams.map((window) => ({ window, first: this.#firstOpen(window, window.aheadFirst) }));
    for (const peer of peers) {
      if (allowance.isSpentForStreams) return;
      if (peer.room(this.#book.queueMs) > 0) this.#fillPeer(peer, open);
    }
  }

  #fillPeer(peer: PeerState, open: readonly { window: StreamWindow; first: number }[]): void {
    let emptyHanded = 0;
    while (emptyHanded < open.length && !this.#book.allowance.isSpentForStreams) {
      const room = peer.room(this.#book.queueMs);
      if (room === 0) return;
      const turn = open[this.#rotation++ % open.length];
      if (turn === undefined) return;
      turn.first = this.#firstOpen(turn.window, turn.first);
      const piece = this.#pick(peer, turn.window, turn.first);
      if (piece < 0) emptyHanded++;
      else {
        emptyHanded = 0;
        this.#takeRun(peer, piece, Math.min(room, RUN_BLOCKS));
      }
    }
  }

  #takeRun(peer: PeerState, piece: number, length: number): void {
    const partial = this.#book.pieces.openPartial(piece);
    this.#suspects.noteAsked(piece, peer);
    for (let i = 0; i < length && !this.#book.allowance.isSpentForStreams; i++) {
      const block = partial.nextUnasked();
      if (block < 0) return;
      this.#book.request(peer, partial, block, "stream");
    }
  }

  #firstOpen(window: StreamWindow, from: number): number {
    let piece = from;
    while (piece < window.aheadEnd && this.#book.pieces.unaskedCount(piece) === 0) piece++;
    return piece;
  }

  /** The first piece that the peer can deliver in time; if it is too slow for all, the last one it can deliver. */
  #pick(peer: PeerState, window: StreamWindow, from: number): number {
    const { pieces, nowMs } = this.#book;
    const readyAtMs = nowMs + peer.etaNewMs();
    let last = -1;
    const end = Math.min(window.aheadEnd, from + SCAN_PIECES);
    const mayBegin = !this.#isCritical && this.#room.hasRoom(MEMORY_SHARE);
    for (let piece = from; piece < end; piece++) {
      if (!mayBegin && !pieces.partials.has(piece)) continue;
      if (!peer.canAsk(piece) || pieces.unaskedCount(piece) === 0) continue;
      if (!this.#suspects.allows(piece, peer, this.#peers)) continue;
      last = piece;
      if (readyAtMs <= aheadDeadlineMs(window, pieces.geometry.pieceStart(piece), nowMs)) return piece;
    }
    return last;
  }
}
