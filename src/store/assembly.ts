// One torrent's pieces in the making. Blocks are put in place by whoever receives them, straight into the piece's
// memory. Invariant: a sealed piece can no longer change, because its memory ignores writes from then on; until then
// a place has one writer at a time (engine/block-intake.ts). When memory is short, pieces that stand still go to disk.

import type { ByteRange } from "../base/byte-range.ts";
import type { Clock } from "../base/clock.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import type { Geometry } from "../metainfo/geometry.ts";
import { type AssemblyBudget, type MemoryHolder, slabBytesOf } from "./assembly-budget.ts";
import { Making } from "./making.ts";
import type { PieceSlot, TorrentMemory } from "./ports.ts";
import type { SpilledBlocks, SpillJob } from "./spill.ts";

/** A piece whose blocks are all here. */
export interface SealedPiece {
  readonly piece: number;
  readonly slot: PieceSlot;
}

/** Where blocks of pieces that stand still go (spill.ts). */
export interface SpillPlace {
  /** Runs a task that writes or reads there; false where the disk is not to be touched now. It must not reject. */
  run(task: () => Promise<void>): boolean;
  write(job: SpillJob, blocks: readonly ByteRange[]): Promise<SpilledBlocks | null>;
  read(job: SpillJob, spilled: SpilledBlocks): Promise<boolean>;
}

export interface AssemblyOptions {
  readonly geometry: Geometry;
  readonly memory: Pick<TorrentMemory, "take">;
  readonly budget: AssemblyBudget;
  readonly clock: Clock;
  readonly spill: SpillPlace;
  /** The piece's blocks were given up. Called from a microtask of its own. */
  readonly onDropped: (piece: number) => void;
  /** The last block of a piece came back from the disk. */
  readonly onSealed: (sealed: SealedPiece) => void;
}

/** A piece that got no block for so long gives way when memory is short. */
const STALE_MS = 60_000;
/** While memory is short it is asked for with every piece that is begun. */
const LOOK_EVERY_MS = 1_000;

export class Assembly implements MemoryHolder {
  readonly #options: AssemblyOptions;
  readonly #making = new Map<number, Making>();
  #heldBytes = 0;
  #sealedBytes = 0;
  #awayBytes = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AssemblyOptions) {
    this.#options = options;
  }

  /** In whole slabs, also of sealed pieces. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The part of `heldBytes` that belongs to sealed pieces. */
  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  /** What pieces whose blocks lie on disk will take when they go on. */
  get awayBytes(): number {
    return this.#awayBytes;
  }

  target(piece: number, beginBytes: number, lengthBytes: number, isUrgent: boolean): PieceSlot | null {
    const block = beginBytes / BLOCK_BYTES;
    const { geometry } = this.#options;
    if (!Number.isInteger(block) || block < 0 || block >= geometry.blockCount(piece)) return null;
    if (lengthBytes !== geometry.blockLength(piece, block)) return null;
    const making = this.#making.get(piece) ?? this.#begin(piece, isUrgent);
    if (making === null || !making.lacks(block)) return null;
    const slot = making.slot ?? this.#load(piece, making, isUrgent);
    if (slot === null) return null;
    if (making.place === "spilling") making.wake(this.#options.clock.nowMs());
    making.give(block);
    return slot;
  }

  /** Marks the block; the piece once it was the last one. Blocks that were given no target are ignored. */
  arrived(piece: number, beginBytes: number): SealedPiece | null {
    const making = this.#making.get(piece);
    if (making === undefined) return null;
    const block = beginBytes / BLOCK_BYTES;
    if (making.arrived(block, this.#options.clock.nowMs()))
      return making.isWhole ? this.#seal(piece, making) : null;
    // Whoever sent it believes that it is here.
    if (making.isStray(block)) this.#giveUp(piece, making);
    return null;
  }

  /** The piece's blocks are given up. */
  drop(piece: number): void {
    const making = this.#making.get(piece);
    if (making !== undefined) this.#forget(piece, making);
  }

  /** The sealed piece is done with. */
  release({ slot }: SealedPiece): void {
    this.#sealedBytes -= slabBytesOf(slot.lengthBytes);
    this.#options.budget.settled(slot.lengthBytes);
    this.#release(slot);
  }

  giveUpStale(): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    for (const [piece, making] of this.#making) {
      if (making.place !== "memory" || making.movedAtMs > nowMs - STALE_MS) continue;
      if (!this.#options.spill.run(() => this.#spill(piece, making))) this.#giveUp(piece, making);
    }
  }

  /** Returns the pieces whose blocks are gone. */
  dropAll(): number[] {
    const pieces = [...this.#making.keys()];
    for (const piece of pieces) this.drop(piece);
    return pieces;
  }

  #begin(piece: number, isUrgent: boolean): Making | null {
    const slot = this.#take(piece, isUrgent);
    if (slot === null) return null;
    const making = new Making(slot, this.#options.clock.nowMs());
    this.#making.set(piece, making);
    return making;
  }

  #seal(piece: number, making: Making): SealedPiece | null {
    const { slot } = making;
    if (slot === null) return null;
    this.#making.delete(piece);
    this.#sealedBytes += slabBytesOf(slot.lengthBytes);
    this.#options.budget.sealed(slot.lengthBytes);
    return { piece, slot };
  }

  async #spill(piece: number, making: Making): Promise<void> {
    const { slot } = making;
    if (slot === null) return;
    const isStill = making.beginSpill();
    const isWanted = () => this.#making.get(piece) === making && isStill();
    const spilled = await this.#options.spill.write({ piece, slot, isWanted }, making.blocksHere());
    if (!isWanted()) return;
    if (spilled === null) return this.#giveUp(piece, making);
    making.sendAway(spilled);
    this.#awayBytes += slabBytesOf(making.lengthBytes);
    this.#release(slot);
  }

  #load(piece: number, making: Making, isUrgent: boolean): PieceSlot | null {
    const { spilled } = making;
    const slot = spilled === null ? null : this.#take(piece, isUrgent);
    if (spilled === null || slot === null) return null;
    const mayLoad = this.#options.spill.run(() => {
      this.#awayBytes -= slabBytesOf(making.lengthBytes);
      making.beginLoading(slot, this.#options.clock.nowMs());
      return this.#readBack(piece, making, { slot, spilled });
    });
    if (mayLoad) return slot;
    this.#release(slot);
    return null;
  }

  async #readBack(
    piece: number,
    making: Making,
    { slot, spilled }: { slot: PieceSlot; spilled: SpilledBlocks },
  ): Promise<void> {
    const isWanted = () => this.#making.get(piece) === making;
    const isBack = await this.#options.spill.read({ piece, slot, isWanted }, spilled);
    if (!isWanted()) return;
    if (!isBack) return this.#giveUp(piece, making);
    making.endLoading();
    const sealed = making.isWhole ? this.#seal(piece, making) : null;
    if (sealed !== null) this.#options.onSealed(sealed);
  }

  #giveUp(piece: number, making: Making): void {
    this.#forget(piece, making);
    queueMicrotask(() => this.#options.onDropped(piece));
  }

  #forget(piece: number, making: Making): void {
    this.#making.delete(piece);
    if (making.slot === null) this.#awayBytes -= slabBytesOf(making.lengthBytes);
    else this.#release(making.slot);
  }

  #take(piece: number, isUrgent: boolean): PieceSlot | null {
    const { budget, geometry, memory } = this.#options;
    const lengthBytes = geometry.pieceLength(piece);
    if (!budget.tryTake(this, lengthBytes, isUrgent)) return null;
    budget.join(this);
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
    const { budget } = this.#options;
    this.#heldBytes -= slabBytesOf(lengthBytes);
    if (this.#heldBytes === 0) budget.leave(this);
    budget.giveBack(lengthBytes);
  }
}
