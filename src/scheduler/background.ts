// P3: the rest of what is selected, below all streams. A peer goes on with its own piece, then takes up one that
// was left behind, then begins a new one by rarity; at the very end idle peers duplicate the last blocks.

import type { OrderBook } from "./order-book.ts";
import type { PeerState } from "./peer-state.ts";
import type { PieceRoom } from "./piece-room.ts";
import { NO_PEER, type PartialPiece } from "./piece-table.ts";
import type { RarityOrder } from "./rarity-order.ts";
import type { Suspects } from "./suspects.ts";

const OPEN_BLOCKS_MAX = 2_048;
const OPEN_PIECES_PER_PEER = 1.5;
const ENDGAME_COPIES = 2;
/** Of the memory: the rest is for streams. */
const MEMORY_SHARE = 3 / 4;

export class Background {
  readonly #book: OrderBook;
  readonly #suspects: Suspects;
  readonly #order: RarityOrder;
  readonly #room: PieceRoom;
  /** Partial pieces with unasked blocks, as of this turn. */
  readonly #open: PartialPiece[] = [];
  #mayBegin = true;
  #isMemoryShort = false;
  #hasStream = false;
  #peers: readonly PeerState[] = [];

  constructor(parts: { book: OrderBook; suspects: Suspects; order: RarityOrder; room: PieceRoom }) {
    this.#book = parts.book;
    this.#suspects = parts.suspects;
    this.#order = parts.order;
    this.#room = parts.room;
  }

  fill(peers: readonly PeerState[], hasStream: boolean): void {
    const { allowance } = this.#book;
    if (allowance.isSpentForBackground || !this.#hasRoomySome(peers)) return;
    if (this.#order.refresh(this.#book.nowMs)) for (const peer of peers) peer.orderCursor = 0;
    this.#peers = peers;
    this.#surveyOpen(peers);
    this.#hasStream = hasStream;
    this.#isMemoryShort = allowance.pressure !== "none";
    for (const peer of peers) {
      if (allowance.isSpentForBackground) return;
      this.#fillPeer(peer);
    }
    this.#endgame(peers);
  }

  #hasRoomySome(peers: readonly PeerState[]): boolean {
    for (const peer of peers) if (peer.room(this.#book.queueMs) > 0) return true;
    return false;
  }

  /** The piece has unasked blocks again: every peer that passed it looks there once more. */
  reopened(piece: number, peers: readonly PeerState[]): void {
    const position = this.#order.positionOf(piece);
    if (position < 0) {
      if (this.#book.pieces.priority(piece) > 0) this.#order.invalidate();
    } else for (const peer of peers) peer.orderCursor = Math.min(peer.orderCursor, position);
  }

  /** The peer gained a piece. */
  gained(peer: PeerState, piece: number): void {
    const position = this.#order.positionOf(piece);
    if (position >= 0) peer.orderCursor = Math.min(peer.orderCursor, position);
  }

  #surveyOpen(peers: readonly PeerState[]): void {
    this.#open.length = 0;
    let openBlocks = 0;
    let usable = 0;
    for (const partial of this.#book.pieces.partials.values()) {
      if (partial.unaskedCount === 0 || this.#book.pieces.priority(partial.piece) === 0) continue;
      this.#open.push(partial);
      openBlocks += partial.blockCount;
    }
    for (const peer of peers) if (peer.mayAsk) usable++;
    this.#mayBegin =
      this.#open.length < Math.max(2, OPEN_PIECES_PER_PEER * usable) && openBlocks < OPEN_BLOCKS_MAX;
  }

  #fillPeer(peer: PeerState): void {
    const { allowance } = this.#book;
    while (!allowance.isSpentForBackground) {
      const room = peer.room(this.#book.queueMs);
      if (room === 0) return;
      const partial = this.#pick(peer);
      if (partial === null) return;
      this.#suspects.noteAsked(partial.piece, peer);
      for (let i = 0; i < room && !allowance.isSpentForBackground; i++) {
        const block = partial.nextUnasked();
        if (block < 0) break;
        this.#book.request(peer, partial, block, "background");
      }
    }
  }

  #pick(peer: PeerState): PartialPiece | null {
    const { partials } = this.#book.pieces;
    const own = partials.get(peer.currentPiece);
    if (own !== undefined && own.owner === peer.key && this.#isOpenTo(peer, own)) return own;
    return this.#leftBehind(peer, true) ?? this.#begin(peer) ?? this.#leftBehind(peer, false);
  }

  #isOpenTo(peer: PeerState, partial: PartialPiece): boolean {
    return (
      partial.unaskedCount > 0 &&
      this.#book.pieces.priority(partial.piece) > 0 &&
      peer.canAsk(partial.piece) &&
      this.#suspects.allows(partial.piece, peer, this.#peers)
    );
  }

  #leftBehind(peer: PeerState, orphansOnly: boolean): PartialPiece | null {
    let found: PartialPiece | null = null;
    for (const partial of this.#open) {
      if (orphansOnly && partial.owner !== NO_PEER) continue;
      if (!this.#isOpenTo(peer, partial)) continue;
      if (found === null || partial.unaskedCount < found.unaskedCount) found = partial;
    }
    return found === null ? null : this.#adopt(peer, found);
  }

  /** A new piece, if the limit of pieces in the making allows or nothing else is there for this peer. */
  #begin(peer: PeerState): PartialPiece | null {
    if (!this.#mayBegin) {
      const other = this.#leftBehind(peer, false);
      if (other !== null) return other;
    }
    const { pieces } = this.#book;
    // Memory that other torrents hold must not leave this one with nothing.
    if (this.#isMemoryShort && (this.#hasStream || pieces.partials.size > 0)) return null;
    if (!this.#room.hasRoom(MEMORY_SHARE)) return null;
    for (; peer.orderCursor < this.#order.length; peer.orderCursor++) {
      const piece = this.#order.at(peer.orderCursor);
      if (pieces.has(piece) || pieces.partials.has(piece) || !peer.canAsk(piece)) continue;
      if (!this.#suspects.allows(piece, peer, this.#peers)) continue;
      const partial = pieces.openPartial(piece);
      this.#open.push(partial);
      return this.#adopt(peer, partial);
    }
    return null;
  }

  #adopt(peer: PeerState, partial: PartialPiece): PartialPiece {
    partial.owner = peer.key;
    peer.currentPiece = partial.piece;
    return partial;
  }

  /** When every wanted block is asked of somebody, an idle peer may bring one of them a second time. */
  #endgame(peers: readonly PeerState[]): void {
    if (this.#book.pieces.missingWantedCount === 0) return;
    let isAllAsked: boolean | null = null;
    for (const peer of peers) {
      if (!peer.mayAsk || peer.snub !== "none" || peer.queue.count > 0) continue;
      isAllAsked ??= this.#isAllAsked();
      if (!isAllAsked || this.#book.allowance.isSpentForBackground) return;
      this.#duplicate(peer);
    }
  }

  #isAllAsked(): boolean {
    const { pieces } = this.#book;
    let begun = 0;
    for (const partial of pieces.partials.values()) {
      if (pieces.priority(partial.piece) === 0) continue;
      if (partial.unaskedCount > 0) return false;
      begun++;
    }
    return begun === pieces.missingWantedCount;
  }

  #duplicate(peer: PeerState): void {
    for (const partial of this.#book.pieces.partials.values()) {
      if (this.#book.pieces.priority(partial.piece) === 0) continue;
      if (!peer.canAsk(partial.piece) || this.#suspects.has(partial.piece)) continue;
      if (partial.arrivedCount === partial.blockCount) continue;
      for (let block = 0; block < partial.blockCount; block++) {
        const copies = partial.copies(block);
        if (copies === 0 || copies >= ENDGAME_COPIES) continue;
        this.#book.request(peer, partial, block, "background");
        return;
      }
    }
  }
}
