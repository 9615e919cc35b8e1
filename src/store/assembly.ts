// One torrent's pieces in the making: one contiguous buffer per piece, blocks put in place by whoever receives them.
// Invariant: what is hashed and written can no longer change. A target that was handed out twice, or handed out and
// never filled, may still be written to by a slow peer; a piece with such a target is copied before it is sealed and
// its first buffer is never reused.

import type { Clock } from "../base/clock.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import type { Geometry } from "../metainfo/geometry.ts";
import type { AssemblyBudget, MemoryHolder } from "./assembly-budget.ts";

interface Making {
  readonly bytes: Uint8Array;
  readonly hasArrived: Uint8Array;
  /** How often the place of each block was handed out (stops at 2). */
  readonly handedOut: Uint8Array;
  missingBlocks: number;
  movedAtMs: number;
}

/** A piece whose blocks are all here. */
export interface SealedPiece {
  readonly piece: number;
  readonly bytes: Uint8Array;
}

export interface AssemblyOptions {
  readonly geometry: Geometry;
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

  constructor(options: AssemblyOptions) {
    this.#options = options;
    options.budget.join(this);
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  target(piece: number, beginBytes: number, lengthBytes: number, isUrgent: boolean): Uint8Array | null {
    const block = beginBytes / BLOCK_BYTES;
    const { geometry } = this.#options;
    if (!Number.isInteger(block) || block < 0 || block >= geometry.blockCount(piece)) return null;
    if (lengthBytes !== geometry.blockLength(piece, block)) return null;
    const making = this.#making.get(piece) ?? this.#begin(piece, isUrgent);
    if (making === null || making.hasArrived[block] === 1) return null;
    making.handedOut[block] = Math.min(2, (making.handedOut[block] ?? 0) + 1);
    return making.bytes.subarray(beginBytes, beginBytes + lengthBytes);
  }

  /** Marks the block; the piece's bytes once it was the last one. Blocks that were given no target are ignored. */
  arrived(piece: number, beginBytes: number): SealedPiece | null {
    const making = this.#making.get(piece);
    const block = beginBytes / BLOCK_BYTES;
    if (making === undefined || !making.handedOut[block] || making.hasArrived[block] === 1) return null;
    making.hasArrived[block] = 1;
    making.movedAtMs = this.#options.clock.nowMs();
    if (--making.missingBlocks > 0) return null;
    this.#making.delete(piece);
    return { piece, bytes: this.#isStill(making) ? making.bytes : this.#copied(making) };
  }

  /** The piece's blocks are given up. */
  drop(piece: number): void {
    const making = this.#making.get(piece);
    if (making !== undefined) this.#drop(piece, making);
  }

  /** The sealed piece is done with. */
  release(sealed: SealedPiece): void {
    this.#giveBack(sealed.bytes, true);
  }

  dropStale(): void {
    const beforeMs = this.#options.clock.nowMs() - STALE_MS;
    for (const [piece, making] of this.#making) {
      if (making.movedAtMs > beforeMs) continue;
      this.#drop(piece, making);
      queueMicrotask(() => this.#options.onDropped(piece));
    }
  }

  /** Returns the pieces whose blocks are gone. */
  dropAll(): number[] {
    const pieces = [...this.#making.keys()];
    for (const [piece, making] of this.#making) this.#drop(piece, making);
    return pieces;
  }

  /** Gives everything back and leaves the budget; sealed pieces are still released one by one. */
  close(): void {
    this.dropAll();
    this.#options.budget.leave(this);
  }

  #begin(piece: number, isUrgent: boolean): Making | null {
    const { budget, geometry, clock } = this.#options;
    const bytes = budget.tryTake(this, geometry.pieceLength(piece), isUrgent);
    if (bytes === null) return null;
    this.#heldBytes += bytes.length;
    const blocks = geometry.blockCount(piece);
    const making: Making = {
      bytes,
      hasArrived: new Uint8Array(blocks),
      handedOut: new Uint8Array(blocks),
      missingBlocks: blocks,
      movedAtMs: clock.nowMs(),
    };
    this.#making.set(piece, making);
    return making;
  }

  #isStill(making: Making): boolean {
    return making.handedOut.every((count, block) => count === making.hasArrived[block]);
  }

  /** The copy takes over the place of the original in the account. */
  #copied(making: Making): Uint8Array {
    return making.bytes.slice();
  }

  #drop(piece: number, making: Making): void {
    this.#making.delete(piece);
    this.#giveBack(making.bytes, this.#isStill(making));
  }

  #giveBack(bytes: Uint8Array, isReusable: boolean): void {
    this.#heldBytes -= bytes.length;
    this.#options.budget.giveBack(bytes, isReusable);
  }
}
