// The pieces that are had: what the engine reads, and the same told to the viewers' side. The two never differ.

import { Bitfield } from "../base/bitfield.ts";
import type { TorrentMemory } from "./ports.ts";

type Viewers = Pick<TorrentMemory, "addHave" | "removeHave" | "setHave">;

export class HadPieces {
  readonly bits: Bitfield;
  readonly #viewers: Viewers;

  constructor(pieceCount: number, viewers: Viewers) {
    this.bits = new Bitfield(pieceCount);
    this.#viewers = viewers;
  }

  has(piece: number): boolean {
    return this.bits.has(piece);
  }

  /** False where it was had before. Its bytes can be read from the files. */
  add(piece: number): boolean {
    if (!this.bits.add(piece)) return false;
    this.#viewers.addHave(piece);
    return true;
  }

  /** False where it was not had. */
  delete(piece: number): boolean {
    if (!this.bits.delete(piece)) return false;
    this.#viewers.removeHave(piece);
    return true;
  }

  clear(): void {
    for (let piece = 0; piece < this.bits.length; piece++) this.bits.delete(piece);
    this.#viewers.setHave(this.bits.toBytes());
  }

  addAll(found: Bitfield): void {
    for (let piece = 0; piece < found.length; piece++) if (found.has(piece)) this.bits.add(piece);
    this.#viewers.setHave(this.bits.toBytes());
  }
}
