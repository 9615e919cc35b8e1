// What of the torrent is had, wanted and in the making. Flat arrays per torrent; block states exist only for
// pieces in the making. Invariant: a had piece has no partial, and a partial has at least one asked or arrived block.

import { Bitfield } from "../base/bitfield.ts";
import type { Geometry } from "../metainfo/geometry.ts";
import type { PeerKey } from "./ports.ts";

/** How near the streams a piece is, most urgent highest (ENGINE §2.2: P2, P1, PX, P0). */
export const URGENCY = { none: 0, ahead: 1, soon: 2, index: 3, now: 4 } as const;

const ARRIVED = 255;
const NEARLY_COMPLETE = 0.75;
export const NO_PEER: PeerKey = -1;

/** Block states of a piece in the making: 0 = unasked, 1 … = peers it is asked of, ARRIVED. */
export class PartialPiece {
  readonly piece: number;
  readonly #blocks: Uint8Array;
  #unaskedCount: number;
  #arrivedCount = 0;
  #requestCount = 0;
  #firstUnasked = 0;
  /** The peer that last took a run of it in the background; keeps one piece with one peer. */
  owner: PeerKey = NO_PEER;

  constructor(piece: number, blockCount: number) {
    this.piece = piece;
    this.#blocks = new Uint8Array(blockCount);
    this.#unaskedCount = blockCount;
  }

  get blockCount(): number {
    return this.#blocks.length;
  }

  get unaskedCount(): number {
    return this.#unaskedCount;
  }

  get arrivedCount(): number {
    return this.#arrivedCount;
  }

  /** Requests that are out for its blocks, at all peers. */
  get requestCount(): number {
    return this.#requestCount;
  }

  get isNearlyComplete(): boolean {
    return this.#arrivedCount >= NEARLY_COMPLETE * this.#blocks.length;
  }

  get isUntouched(): boolean {
    return this.#unaskedCount === this.#blocks.length;
  }

  hasArrived(block: number): boolean {
    return this.#blocks[block] === ARRIVED;
  }

  /** Peers that the block is asked of now. */
  copies(block: number): number {
    const state = this.#blocks[block] ?? 0;
    return state === ARRIVED ? 0 : state;
  }

  /** The first block that nobody was asked for, or −1. */
  nextUnasked(): number {
    if (this.#unaskedCount === 0) return -1;
    while (this.#firstUnasked < this.#blocks.length && this.#blocks[this.#firstUnasked] !== 0)
      this.#firstUnasked++;
    return this.#firstUnasked;
  }

  ask(block: number): void {
    const state = this.#blocks[block] ?? ARRIVED;
    if (state === ARRIVED) return;
    if (state === 0) this.#unaskedCount--;
    this.#blocks[block] = state + 1;
    this.#requestCount++;
  }

  /** One request less is out for the block. */
  unask(block: number): void {
    const state = this.#blocks[block] ?? 0;
    if (state === 0 || state === ARRIVED) return;
    this.#blocks[block] = state - 1;
    this.#requestCount--;
    if (state > 1) return;
    this.#unaskedCount++;
    if (block < this.#firstUnasked) this.#firstUnasked = block;
  }

  /**
   * Marks the block as here; returns how many requests for it are still out, or −1 if it was here before. From here on
   * they count no more: the caller settles or cancels them.
   */
  arrive(block: number): number {
    const state = this.#blocks[block] ?? ARRIVED;
    if (state === ARRIVED) return -1;
    if (state === 0) this.#unaskedCount--;
    this.#blocks[block] = ARRIVED;
    this.#arrivedCount++;
    this.#requestCount -= state;
    return state;
  }

  /** The block is needed again after it had arrived. */
  forget(block: number): void {
    if (this.#blocks[block] !== ARRIVED) return;
    this.#blocks[block] = 0;
    this.#arrivedCount--;
    this.#unaskedCount++;
    if (block < this.#firstUnasked) this.#firstUnasked = block;
  }
}

export class PieceTable {
  readonly geometry: Geometry;
  readonly partials = new Map<number, PartialPiece>();
  #have: Bitfield;
  #priorities: Uint8Array;
  #missingWantedCount: number;
  /** URGENCY of each piece; kept by StreamWindows. */
  urgency: Uint8Array;

  constructor(geometry: Geometry) {
    this.geometry = geometry;
    this.#have = new Bitfield(geometry.pieceCount);
    this.#priorities = new Uint8Array(geometry.pieceCount);
    this.urgency = new Uint8Array(geometry.pieceCount);
    this.#missingWantedCount = 0;
  }

  get count(): number {
    return this.geometry.pieceCount;
  }

  get haveCount(): number {
    return this.#have.count;
  }

  /** Wanted pieces that are not had. */
  get missingWantedCount(): number {
    return this.#missingWantedCount;
  }

  has(piece: number): boolean {
    return this.#have.has(piece);
  }

  priority(piece: number): number {
    return this.#priorities[piece] ?? 0;
  }

  isUrgent(piece: number): boolean {
    return (this.urgency[piece] ?? 0) >= URGENCY.soon;
  }

  /** Wanted by selection or by a stream, and not had. */
  isNeeded(piece: number): boolean {
    return !this.#have.has(piece) && ((this.#priorities[piece] ?? 0) > 0 || (this.urgency[piece] ?? 0) > 0);
  }

  unaskedCount(piece: number): number {
    const partial = this.partials.get(piece);
    if (partial !== undefined) return partial.unaskedCount;
    return this.#have.has(piece) ? 0 : this.geometry.blockCount(piece);
  }

  openPartial(piece: number): PartialPiece {
    const existing = this.partials.get(piece);
    if (existing !== undefined) return existing;
    const partial = new PartialPiece(piece, this.geometry.blockCount(piece));
    this.partials.set(piece, partial);
    return partial;
  }

  dropIfUntouched(partial: PartialPiece): void {
    if (partial.isUntouched) this.partials.delete(partial.piece);
  }

  setHave(have: Bitfield): void {
    this.#have = have.clone();
    this.#countMissing();
  }

  markHad(piece: number): void {
    this.partials.delete(piece);
    if (this.#have.add(piece) && this.priority(piece) > 0) this.#missingWantedCount--;
  }

  /** Neither had nor in the making. */
  markLost(piece: number): void {
    this.partials.delete(piece);
    if (this.#have.delete(piece) && this.priority(piece) > 0) this.#missingWantedCount++;
  }

  setPriorities(perPiece: Uint8Array): void {
    this.#priorities = perPiece.slice(0, this.count);
    this.#countMissing();
  }

  #countMissing(): void {
    let missing = 0;
    for (let piece = 0; piece < this.count; piece++) {
      if (this.priority(piece) > 0 && !this.#have.has(piece)) missing++;
    }
    this.#missingWantedCount = missing;
  }
}
