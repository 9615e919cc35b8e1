// A torrent's pieces from their first block until they lie verified on disk. Invariant: nothing is written that has
// not passed its hash, and a piece is announced only after it was written.

import type { Bitfield } from "../base/bitfield.ts";
import type { Clock } from "../base/clock.ts";
import { Assembly, type SealedPiece } from "./assembly.ts";
import type { AssemblyBudget } from "./assembly-budget.ts";
import { isHashOf } from "./checker.ts";
import type { FileKey } from "./layout.ts";
import type { StoreParts } from "./loader.ts";
import { PiecePipeline } from "./piece-pipeline.ts";
import type { PieceHasher } from "./ports.ts";

export interface PieceIntakeOptions {
  readonly parts: StoreParts;
  readonly have: Bitfield;
  readonly hasher: PieceHasher;
  readonly clock: Clock;
  readonly budget: AssemblyBudget;
  /** Whether pieces may be written now; asked again after every wait. */
  readonly mayWrite: () => boolean;
  readonly onVerified: (piece: number) => void;
  /** As StoreEvents.onCorrupt. */
  readonly onCorrupt: (piece: number, bytes: Uint8Array | null) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Pieces that are hashed or written at a time. */
const IN_FLIGHT = 4;

export class PieceIntake {
  readonly #options: PieceIntakeOptions;
  readonly #assembly: Assembly;
  readonly #pipeline: PiecePipeline;

  constructor(options: PieceIntakeOptions) {
    const { budget, clock, parts } = options;
    const onDropped = (piece: number) => options.onCorrupt(piece, null);
    this.#options = options;
    this.#assembly = new Assembly({ geometry: parts.layout.geometry, budget, clock, onDropped });
    this.#pipeline = new PiecePipeline(IN_FLIGHT, (sealed) => this.#settle(sealed));
  }

  get heldBytes(): number {
    return this.#assembly.heldBytes;
  }

  target(piece: number, beginBytes: number, lengthBytes: number, isUrgent: boolean): Uint8Array | null {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.#options.have.length) return null;
    if (this.#options.have.has(piece) || this.#pipeline.has(piece)) return null;
    return this.#assembly.target(piece, beginBytes, lengthBytes, isUrgent);
  }

  arrived(piece: number, beginBytes: number): void {
    const sealed = this.#assembly.arrived(piece, beginBytes);
    if (sealed === null) return;
    if (this.#options.mayWrite() && !this.#options.have.has(piece)) this.#pipeline.add(sealed);
    else queueMicrotask(() => this.#discard(sealed));
  }

  drop(piece: number): void {
    this.#assembly.drop(piece);
  }

  /** Runs `task` while nothing is written; pieces that get complete meanwhile wait. */
  async whilePaused<T>(task: () => Promise<T>): Promise<T> {
    await this.#pipeline.pause();
    try {
      return await task();
    } finally {
      this.#pipeline.resume();
    }
  }

  /** Resolves when every complete piece is settled. */
  drain(): Promise<void> {
    return this.#pipeline.drain();
  }

  /** Complete pieces that nobody works on yet are needed again. */
  dropWaiting(): void {
    for (const sealed of this.#pipeline.takeWaiting()) this.#discard(sealed);
  }

  /** Pieces in the making are needed again as well. */
  dropAll(): void {
    this.dropWaiting();
    for (const piece of this.#assembly.dropAll()) this.#options.onCorrupt(piece, null);
  }

  /** For good. Resolves when nothing is under way. */
  async end(): Promise<void> {
    await this.#pipeline.pause();
    for (const sealed of this.#pipeline.takeWaiting()) this.#assembly.release(sealed);
    this.#assembly.close();
  }

  async #settle(sealed: SealedPiece): Promise<void> {
    const { piece, bytes } = sealed;
    const isGood = await this.#passes(sealed);
    const keys = isGood && this.#options.mayWrite() ? await this.#write(sealed) : null;
    this.#pipeline.settled(piece);
    if (keys !== null && this.#options.mayWrite()) {
      this.#options.have.add(piece);
      this.#options.parts.committer.noteWritten(piece, keys, bytes.length);
      this.#options.onVerified(piece);
    } else this.#options.onCorrupt(piece, isGood ? null : bytes);
    this.#assembly.release(sealed);
  }

  async #passes({ piece, bytes }: SealedPiece): Promise<boolean> {
    try {
      return isHashOf(this.#options.parts.layout, piece, await this.#options.hasher.sha1(bytes));
    } catch (error) {
      // No peer is to blame, and after a failure nothing is written.
      this.#options.onFailed(error);
      return true;
    }
  }

  async #write({ piece, bytes }: SealedPiece): Promise<FileKey[] | null> {
    try {
      return await this.#options.parts.io.writePiece(piece, bytes);
    } catch (error) {
      this.#options.onFailed(error);
      return null;
    }
  }

  #discard(sealed: SealedPiece): void {
    this.#assembly.release(sealed);
    this.#options.onCorrupt(sealed.piece, null);
  }
}
