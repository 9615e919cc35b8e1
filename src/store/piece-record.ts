// What may be said of each piece after a crash: verified (synced), unsure (written, not synced), or nothing. Pure.

import { Bitfield } from "../base/bitfield.ts";

/** The unsure pieces of one moment; promote() makes those of them verified that were not written since. */
export type UnsureSnapshot = readonly (readonly [piece: number, write: number])[];

export class PieceRecord {
  #verified: Bitfield;
  #verifiedBytes: Uint8Array | null = null;
  /** Piece → a number that changes with every write of it. */
  readonly #unsure = new Map<number, number>();
  /** Unsure pieces whose bytes are on the move: nothing makes them verified. */
  readonly #unsettled = new Set<number>();
  /**
   * Null until a sync fails. From then on the page cache may hold bytes that never reached the disk and yet count as
   * clean: what is found there is only believed after it was written again, except these pieces. (Known as long as
   * the process lives; one that starts later finds the same pages and cannot tell.)
   */
  #durable: Bitfield | null = null;
  #writes = 0;

  constructor(pieceCount: number) {
    this.#verified = new Bitfield(pieceCount);
  }

  load(verified: Bitfield): void {
    this.#verified = verified;
    this.#verifiedBytes = null;
    this.#unsure.clear();
    this.#unsettled.clear();
  }

  get hasUnsure(): boolean {
    return this.#unsure.size > 0;
  }

  get unsure(): number[] {
    return [...this.#unsure.keys()];
  }

  /** The same array until a bit changes. */
  get verifiedBytes(): Uint8Array {
    this.#verifiedBytes ??= this.#verified.toBytes();
    return this.#verifiedBytes;
  }

  mustRewrite(piece: number): boolean {
    return this.#durable !== null && !this.#durable.has(piece);
  }

  written(piece: number): void {
    this.moving(piece);
    this.#unsettled.delete(piece);
  }

  /** Unsure until written() is told. */
  moving(piece: number): void {
    this.#unsettled.add(piece);
    this.#unverify(piece);
    this.#unsure.set(piece, ++this.#writes);
  }

  /** False where nothing was said of the piece anyway. */
  lost(piece: number): boolean {
    this.#durable?.delete(piece);
    this.#unsettled.delete(piece);
    const wasUnsure = this.#unsure.delete(piece);
    return this.#unverify(piece) || wasUnsure;
  }

  snapshot(): UnsureSnapshot {
    return [...this.#unsure].filter(([piece]) => !this.#unsettled.has(piece));
  }

  /** The bytes of the snapshot are synced. */
  promote(snapshot: UnsureSnapshot): void {
    for (const [piece, write] of snapshot) {
      if (this.#unsure.get(piece) !== write) continue;
      this.#unsure.delete(piece);
      this.#durable?.add(piece);
      if (this.#verified.add(piece)) this.#verifiedBytes = null;
    }
  }

  /** A sync failed: nothing is said any more of what was not synced before. Returns those pieces. */
  syncFailed(): number[] {
    const pieces = this.unsure;
    this.#durable ??= this.#verified.clone();
    for (const piece of pieces) this.#durable.delete(piece);
    this.#unsure.clear();
    this.#unsettled.clear();
    return pieces;
  }

  #unverify(piece: number): boolean {
    const wasVerified = this.#verified.delete(piece);
    if (wasVerified) this.#verifiedBytes = null;
    return wasVerified;
  }
}
