// One torrent's pieces in the making. Blocks are put in place by whoever receives them, straight into the piece's
// memory. Invariant: a sealed piece can no longer change, because its memory ignores writes from then on; until then
// a place has one writer at a time (engine/block-intake.ts).

import type { Clock } from "../base/clock.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import type { Geometry } from "../metainfo/geometry.ts";
import { type AssemblyBudget, type MemoryHolder, slabBytesOf } from "./assembly-budget.ts";
import { Making } from "./making.ts";
import type { PieceSlot, TorrentMemory } from "./ports.ts";

/** A piece whose blocks are all here. */
export interface SealedPiece {
  readonly piece: number;
  readonly slot: PieceSlot;
}

export interface AssemblyOptions {
  readonly geometry: Geometry;
  readonly memory: Pick<TorrentMemory, "take">;
  readonly budget: AssemblyBudget;
  readonly clock: Clock;
  /** The piece's blocks were dropped for want of memory. Called from a microtask of its own. */
  readonly onDropped: (piece: number) => void;
}

/** A piece that got no block for so long gives way when memory is short. */
const STALE_MS = 60_000;

export class Assembly implements MemoryHolder {
  readonly #options: AssemblyOptions;
  readonly #making = new Map<number, Making>();
  #heldBytes = 0;
  #sealedBytes = 0;

  constructor(options: AssemblyOptions) {
    this.#options = options;
    options.budget.join(this);
  }

  /** In whole slabs, also of sealed pieces. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The part of `heldBytes` that belongs to sealed pieces. */
  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  target(piece: number, beginBytes: number, lengthBytes: number, isUrgent: boolean): PieceSlot | null {
    const block = beginBytes / BLOCK_BYTES;
    const { geometry } = this.#options;
    if (!Number.isInteger(block) || block < 0 || block >= geometry.blockCount(piece)) return null;
    if (lengthBytes !== geometry.blockLength(piece, block)) return null;
    const making = this.#making.get(piece) ?? this.#begin(piece, isUrgent);
    return making?.give(block) ? making.slot : null;
  }

  /** Marks the block; the piece once it was the last one. Blocks that were given no target are ignored. */
  arrived(piece: number, beginBytes: number): SealedPiece | null {
    const making = this.#making.get(piece);
    if (making === undefined) return null;
    if (!making.arrived(beginBytes / BLOCK_BYTES, this.#options.clock.nowMs()) || !making.isWhole)
      return null;
    this.#making.delete(piece);
    this.#sealedBytes += slabBytesOf(making.slot.lengthBytes);
    return { piece, slot: making.slot };
  }

  /** The piece's blocks are given up. */
  drop(piece: number): void {
    const making = this.#making.get(piece);
    if (making === undefined) return;
    this.#making.delete(piece);
    this.#release(making.slot);
  }

  /** The sealed piece is done with. */
  release({ slot }: SealedPiece): void {
    this.#sealedBytes -= slabBytesOf(slot.lengthBytes);
    this.#release(slot);
  }

  giveUpStale(): void {
    const beforeMs = this.#options.clock.nowMs() - STALE_MS;
    for (const [piece, making] of this.#making) {
      if (making.movedAtMs > beforeMs) continue;
      this.drop(piece);
      queueMicrotask(() => this.#options.onDropped(piece));
    }
  }

  /** Returns the pieces whose blocks are gone. */
  dropAll(): number[] {
    const pieces = [...this.#making.keys()];
    for (const piece of pieces) this.drop(piece);
    return pieces;
  }

  /** Gives everything back and leaves the budget; sealed pieces are still released one by one. */
  close(): void {
    this.dropAll();
    this.#options.budget.leave(this);
  }

  #begin(piece: number, isUrgent: boolean): Making | null {
    const { geometry, clock } = this.#options;
    const slot = this.#take(piece, isUrgent);
    if (slot === null) return null;
    const making = new Making(slot, geometry.blockCount(piece), clock.nowMs());
    this.#making.set(piece, making);
    return making;
  }

  #take(piece: number, isUrgent: boolean): PieceSlot | null {
    const { budget, geometry, memory } = this.#options;
    const lengthBytes = geometry.pieceLength(piece);
    if (!budget.tryTake(this, lengthBytes, isUrgent)) return null;
    this.#heldBytes += slabBytesOf(lengthBytes);
    const slot = memory.take(piece, lengthBytes);
    if (slot === null) this.#giveBack(lengthBytes);
    return slot;
  }

  #release(slot: PieceSlot): void {
    slot.release();
    this.#giveBack(slot.lengthBytes);
  }

  #giveBack(lengthBytes: number): void {
    this.#heldBytes -= slabBytesOf(lengthBytes);
    this.#options.budget.giveBack(lengthBytes);
  }
}
