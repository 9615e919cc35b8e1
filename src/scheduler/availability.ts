// How many peers have each piece. Peers that have everything are counted once, not per piece.

import type { Bitfield } from "../base/bitfield.ts";
import type { SwarmView } from "./ports.ts";

export class Availability implements SwarmView {
  readonly #counts: Uint16Array;
  #seedCount = 0;
  /** Grows with every change; tells whether an order by rarity is stale. */
  version = 0;

  constructor(pieceCount: number) {
    this.#counts = new Uint16Array(pieceCount);
  }

  get seedCount(): number {
    return this.#seedCount;
  }

  availabilityOf(piece: number): number {
    return (this.#counts[piece] ?? 0) + this.#seedCount;
  }

  /** Availability apart from seeds: enough to compare pieces. */
  rarity(piece: number): number {
    return this.#counts[piece] ?? 0;
  }

  add(have: Bitfield): void {
    if (have.isFull) this.#seedCount++;
    else this.#each(have, 1);
    this.version++;
  }

  remove(have: Bitfield): void {
    if (have.isFull) this.#seedCount--;
    else this.#each(have, -1);
    this.version++;
  }

  /** The peer's `have` is about to gain `piece`. */
  gain(have: Bitfield, piece: number): void {
    if (have.count + 1 === have.length) {
      this.#each(have, -1);
      this.#seedCount++;
    } else this.#counts[piece] = (this.#counts[piece] ?? 0) + 1;
    this.version++;
  }

  #each(have: Bitfield, step: number): void {
    if (have.count === 0) return;
    for (let piece = 0; piece < have.length; piece++) {
      if (have.has(piece)) this.#counts[piece] = (this.#counts[piece] ?? 0) + step;
    }
  }
}
