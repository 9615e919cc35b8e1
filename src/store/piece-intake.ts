// A torrent's pieces from their first block until they lie verified on disk. Invariant: nothing is written to stay that
// has not passed its hash, and a piece is announced only after it was written.

import type { Bitfield } from "../base/bitfield.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Assembly, type SealedPiece, type SpillPlace } from "./assembly.ts";
import type { AssemblyBudget } from "./assembly-budget.ts";
import type { FileKey } from "./layout.ts";
import type { StoreParts } from "./loader.ts";
import { PiecePipeline } from "./piece-pipeline.ts";
import type { PieceSlot, TorrentMemory } from "./ports.ts";
import { Spill } from "./spill.ts";

export interface PieceIntakeOptions {
  readonly parts: StoreParts;
  readonly have: Bitfield;
  readonly memory: Pick<TorrentMemory, "take">;
  readonly clock: Clock;
  readonly log: Log;
  readonly budget: AssemblyBudget;
  /** Whether pieces may be written now; asked again after every wait. */
  readonly mayWrite: () => boolean;
  readonly onVerified: (piece: number) => void;
  /** As StoreEvents.onCorrupt. */
  readonly onCorrupt: (piece: number, bytes: Uint8Array | null) => void;
  readonly onFailed: (error: unknown) => void;
}

/** Pieces that are hashed and written at a time: enough that no thread waits for this one. */
const IN_FLIGHT = 16;

/** lost: it could not be written, or was not to be; no peer is to blame. */
type Settlement =
  | { readonly kind: "written"; readonly keys: readonly FileKey[] }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "corrupt" | "lost" };

export class PieceIntake {
  readonly #options: PieceIntakeOptions;
  readonly #assembly: Assembly;
  readonly #pipeline: PiecePipeline;
  readonly #spill: Spill;

  constructor(options: PieceIntakeOptions) {
    const { budget, clock, log, memory, parts } = options;
    this.#options = options;
    this.#spill = new Spill({ layout: parts.layout, io: parts.io, committer: parts.committer, log });
    this.#pipeline = new PiecePipeline(IN_FLIGHT, (sealed) => this.#settle(sealed));
    this.#assembly = new Assembly({
      geometry: parts.layout.geometry,
      memory,
      budget,
      clock,
      spill: this.#spillPlace(),
      onDropped: (piece) => this.#lost(piece),
      onSealed: (sealed) => this.#sealed(sealed),
    });
  }

  get heldBytes(): number {
    return this.#assembly.heldBytes;
  }

  get settlingBytes(): number {
    return this.#assembly.sealedBytes;
  }

  get spilledBytes(): number {
    return this.#assembly.awayBytes;
  }

  target(piece: number, beginBytes: number, lengthBytes: number, isUrgent: boolean): PieceSlot | null {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.#options.have.length) return null;
    if (this.#options.have.has(piece) || this.#pipeline.has(piece)) return null;
    return this.#assembly.target(piece, beginBytes, lengthBytes, isUrgent);
  }

  arrived(piece: number, beginBytes: number): void {
    const sealed = this.#assembly.arrived(piece, beginBytes);
    if (sealed !== null) this.#sealed(sealed);
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
    this.#assembly.dropAll();
  }

  /** Unverified blocks go where nothing is had, in files that are known to be the torrent's own, never with a fault. */
  #spillPlace(): SpillPlace {
    const { have, mayWrite, parts } = this.#options;
    const maySpill = (piece: number) => mayWrite() && !have.has(piece);
    return {
      run: (task) => mayWrite() && parts.claim.isOurs && this.#pipeline.runBeside(task),
      read: (job, spilled) => this.#spill.read(job, spilled),
      write: (job, blocks) => {
        const isWanted = () => job.isWanted() && maySpill(job.piece);
        return this.#spill.write({ ...job, isWanted }, blocks);
      },
    };
  }

  #sealed(sealed: SealedPiece): void {
    if (this.#options.mayWrite() && !this.#options.have.has(sealed.piece)) this.#pipeline.add(sealed);
    else queueMicrotask(() => this.#discard(sealed));
  }

  async #settle(sealed: SealedPiece): Promise<void> {
    const { piece, slot } = sealed;
    const { have, parts, mayWrite, onVerified, onCorrupt, onFailed } = this.#options;
    const settlement = await this.#write(sealed);
    // Not where it was caught: what was written before it failed is settled before it, too.
    if (settlement.kind === "failed") onFailed(settlement.error);
    this.#pipeline.settled(piece);
    if (settlement.kind === "written" && mayWrite()) {
      have.add(piece);
      parts.committer.noteWritten(piece, settlement.keys, slot.lengthBytes);
      onVerified(piece);
    } else onCorrupt(piece, settlement.kind === "corrupt" ? slot.copy(0, slot.lengthBytes) : null);
    this.#assembly.release(sealed);
  }

  async #write({ piece, slot }: SealedPiece): Promise<Settlement> {
    const { parts, mayWrite } = this.#options;
    try {
      const spilling = this.#spill.written(piece);
      if (spilling !== null) await spilling;
      // Files that are open already are not waited for: the piece is on its way before the next block is read.
      const held = parts.io.tryHoldForWrite(piece) ?? (await parts.io.holdForWrite(piece));
      try {
        if (!mayWrite()) return { kind: "lost" };
        const outcome = await slot.settle(parts.layout.hashOf(piece), held.writes);
        return outcome.kind === "written" ? { kind: "written", keys: held.keys } : outcome;
      } finally {
        await held.leave();
      }
    } catch (error) {
      return { kind: "failed", error };
    }
  }

  #discard(sealed: SealedPiece): void {
    this.#assembly.release(sealed);
    this.#lost(sealed.piece);
  }

  /** Told, unless a check has found the piece on disk since its first blocks came. */
  #lost(piece: number): void {
    if (!this.#options.have.has(piece)) this.#options.onCorrupt(piece, null);
  }
}
