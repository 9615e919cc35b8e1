// One piece in the making: its memory, and which of its blocks are there. Blocks that got no company for long may lie in
// the files for a while (spill.ts): "away", until the next block of the piece is asked for.

import type { ByteRange } from "../base/byte-range.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import type { PieceSlot } from "./ports.ts";
import type { SpilledBlocks } from "./spill.ts";

// What is known of a block.
const LACKING = 0;
/** Its place was handed out. */
const GIVEN = 1;
const HERE = 2;

/** Pieces from this length on are hashed while they arrive, in steps of at least ADVANCE_STEP_BYTES. */
const ADVANCED_FROM_BYTES = 2 * 1024 * 1024;
const ADVANCE_STEP_BYTES = 1024 * 1024;

/** spilling: its blocks are being copied into the files. loading: they come back, and others may arrive beside. */
type Place = "memory" | "spilling" | "away" | "loading";

export class Making {
  readonly lengthBytes: number;
  /** When it last got a block, or was wanted again. */
  movedAtMs: number;
  readonly #blocks: Uint8Array;
  #slot: PieceSlot | null;
  #place: Place = "memory";
  #spilled: SpilledBlocks | null = null;
  /** Changes whenever it moves: what was begun before then is void. */
  #move = 0;
  #wasAway = false;
  #missingBlocks: number;
  /** Blocks from the first on without a hole. */
  #prefixBlocks = 0;
  #advancedBytes = 0;

  constructor(slot: PieceSlot, nowMs: number) {
    this.#slot = slot;
    this.lengthBytes = slot.lengthBytes;
    this.movedAtMs = nowMs;
    this.#missingBlocks = Math.ceil(slot.lengthBytes / BLOCK_BYTES);
    this.#blocks = new Uint8Array(this.#missingBlocks);
  }

  /** Null while it is away. */
  get slot(): PieceSlot | null {
    return this.#slot;
  }

  get place(): Place {
    return this.#place;
  }

  /** Where its blocks lie while it is away or loading. */
  get spilled(): SpilledBlocks | null {
    return this.#spilled;
  }

  /** Every block is in its memory. */
  get isWhole(): boolean {
    return this.#missingBlocks === 0 && this.#place === "memory";
  }

  lacks(block: number): boolean {
    return this.#blocks[block] !== HERE;
  }

  give(block: number): void {
    this.#blocks[block] = GIVEN;
  }

  /** False where the block was given no place, or is here already. */
  arrived(block: number, nowMs: number): boolean {
    if (this.#blocks[block] !== GIVEN) return false;
    this.#blocks[block] = HERE;
    this.#missingBlocks--;
    this.#moved(nowMs);
    this.#advance();
    return true;
  }

  /** Its place was handed out before the piece was away, in memory that is another piece's now. */
  isStray(block: number): boolean {
    return this.#wasAway && this.#blocks[block] === LACKING;
  }

  /** The blocks that are here, as byte ranges of the piece. */
  blocksHere(): ByteRange[] {
    const ranges: ByteRange[] = [];
    for (let block = this.#blocks.indexOf(HERE); block !== -1; block = this.#blocks.indexOf(HERE, block)) {
      const start = block * BLOCK_BYTES;
      while (this.#blocks[block] === HERE) block++;
      ranges.push({ start, end: Math.min(block * BLOCK_BYTES, this.lengthBytes) });
    }
    return ranges;
  }

  /** Returns whether the spill still holds: false from the moment the piece moves again. */
  beginSpill(): () => boolean {
    this.#place = "spilling";
    const move = ++this.#move;
    return () => move === this.#move;
  }

  /** The memory is not its own any more. */
  sendAway(spilled: SpilledBlocks): void {
    this.#place = "away";
    this.#spilled = spilled;
    this.#slot = null;
    this.#wasAway = true;
    this.#prefixBlocks = 0;
    this.#advancedBytes = 0;
    for (const [block, state] of this.#blocks.entries()) if (state === GIVEN) this.#blocks[block] = LACKING;
  }

  /** It is wanted again. */
  wake(nowMs: number): void {
    this.#moved(nowMs);
  }

  beginLoading(slot: PieceSlot, nowMs: number): void {
    this.#place = "loading";
    this.#slot = slot;
    this.#moved(nowMs);
  }

  endLoading(): void {
    this.#place = "memory";
    this.#spilled = null;
    this.#advance();
  }

  #moved(nowMs: number): void {
    this.movedAtMs = nowMs;
    this.#move++;
    if (this.#place === "spilling") this.#place = "memory";
  }

  #advance(): void {
    if (this.lengthBytes < ADVANCED_FROM_BYTES || this.#place !== "memory") return;
    while (this.#blocks[this.#prefixBlocks] === HERE) this.#prefixBlocks++;
    const bytes = Math.min(this.#prefixBlocks * BLOCK_BYTES, this.lengthBytes);
    if (bytes - this.#advancedBytes < ADVANCE_STEP_BYTES) return;
    this.#advancedBytes = bytes;
    this.#slot?.advance(bytes);
  }
}
