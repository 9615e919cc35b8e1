// One piece in the making: its memory and which of its blocks are there.

import { BLOCK_BYTES } from "../base/limits.ts";
import type { PieceSlot } from "./ports.ts";

/** Its place was handed out. Before, a block is 0. */
const GIVEN = 1;
const HERE = 2;

/** Pieces from this length on are hashed while they arrive, in steps of at least ADVANCE_STEP_BYTES. */
const ADVANCED_FROM_BYTES = 2 * 1024 * 1024;
const ADVANCE_STEP_BYTES = 1024 * 1024;

export class Making {
  readonly slot: PieceSlot;
  /** When it last got a block. */
  movedAtMs: number;
  readonly #blocks: Uint8Array;
  #missingBlocks: number;
  /** Blocks from the first on without a hole. */
  #prefixBlocks = 0;
  #advancedBytes = 0;

  constructor(slot: PieceSlot, blockCount: number, nowMs: number) {
    this.slot = slot;
    this.movedAtMs = nowMs;
    this.#blocks = new Uint8Array(blockCount);
    this.#missingBlocks = blockCount;
  }

  get isWhole(): boolean {
    return this.#missingBlocks === 0;
  }

  /** False where the block is here already. */
  give(block: number): boolean {
    if (this.#blocks[block] === HERE) return false;
    this.#blocks[block] = GIVEN;
    return true;
  }

  /** False where the block was given no place, or is here already. */
  arrived(block: number, nowMs: number): boolean {
    if (this.#blocks[block] !== GIVEN) return false;
    this.#blocks[block] = HERE;
    this.#missingBlocks--;
    this.movedAtMs = nowMs;
    if (this.slot.lengthBytes >= ADVANCED_FROM_BYTES) this.#advance();
    return true;
  }

  #advance(): void {
    while (this.#blocks[this.#prefixBlocks] === HERE) this.#prefixBlocks++;
    const bytes = Math.min(this.#prefixBlocks * BLOCK_BYTES, this.slot.lengthBytes);
    if (bytes - this.#advancedBytes < ADVANCE_STEP_BYTES) return;
    this.#advancedBytes = bytes;
    this.slot.advance(bytes);
  }
}
