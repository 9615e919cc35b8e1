// The order in which new background pieces are begun: user priority, files being played, rarity, ties at random. A counting sort,
// made anew at most once per period, because availability changes with every HAVE.

import type { ByteRange } from "../base/byte-range.ts";
import type { Random } from "../base/random.ts";
import type { Availability } from "./availability.ts";
import type { PieceTable } from "./piece-table.ts";

const RARITY_LEVELS = 64;
/** Until then pieces are taken at random: rare ones would come slowly and leave nothing to trade. */
const RANDOM_FIRST_PIECES = 4;
const PERIOD_MS = 1_000;

export class RarityOrder {
  readonly #pieces: PieceTable;
  readonly #availability: Availability;
  readonly #shuffle: Int32Array;
  readonly #order: Int32Array;
  #length = 0;
  readonly #position: Int32Array;
  readonly #keys: Int16Array;
  /** Of each key where its pieces begin, and while they are laid out where the next one goes. */
  readonly #starts = new Int32Array(16 * RARITY_LEVELS + 1);
  #builtAtMs = Number.NEGATIVE_INFINITY;
  #builtVersion = -1;
  #wasRandom = true;
  #isStale = true;
  #favoured: readonly ByteRange[] = [];

  constructor(pieces: PieceTable, availability: Availability, random: Random) {
    this.#pieces = pieces;
    this.#availability = availability;
    this.#shuffle = shuffledIndices(pieces.count, random);
    this.#order = new Int32Array(pieces.count);
    this.#position = new Int32Array(pieces.count).fill(-1);
    this.#keys = new Int16Array(pieces.count);
  }

  get length(): number {
    return this.#length;
  }

  at(position: number): number {
    return this.#order[position] ?? -1;
  }

  /** Where the piece stands, or −1. */
  positionOf(piece: number): number {
    return this.#position[piece] ?? -1;
  }

  /** Selection or haves changed as a whole. */
  invalidate(): void {
    this.#isStale = true;
  }

  /** Files being played: their rest goes before what else has the same priority. */
  setFavoured(ranges: readonly ByteRange[]): void {
    const isSame =
      ranges.length === this.#favoured.length &&
      ranges.every(
        (range, at) => range.start === this.#favoured[at]?.start && range.end === this.#favoured[at]?.end,
      );
    if (isSame) return;
    this.#favoured = ranges;
    this.#isStale = true;
  }

  /** True when the order is a new one: every search begins again. */
  refresh(nowMs: number): boolean {
    const isRandom = this.#pieces.haveCount < RANDOM_FIRST_PIECES;
    const isOutdated =
      this.#builtVersion !== this.#availability.version &&
      nowMs - this.#builtAtMs >= PERIOD_MS + this.#pieces.count / 500;
    if (!this.#isStale && !isOutdated && isRandom === this.#wasRandom) return false;
    this.#build(isRandom);
    this.#isStale = false;
    this.#builtAtMs = nowMs;
    this.#builtVersion = this.#availability.version;
    this.#wasRandom = isRandom;
    return true;
  }

  #build(isRandom: boolean): void {
    const starts = this.#starts.fill(0);
    const keys = this.#keys;
    const favoured = this.#favouredPieces();
    for (let piece = 0; piece < this.#pieces.count; piece++) {
      const key = this.#keyOf(piece, isRandom, favoured[piece] === 1);
      keys[piece] = key;
      if (key >= 0) starts[key + 1] = (starts[key + 1] ?? 0) + 1;
    }
    for (let key = 1; key < starts.length; key++) starts[key] = (starts[key] ?? 0) + (starts[key - 1] ?? 0);
    this.#length = starts[starts.length - 1] ?? 0;
    this.#position.fill(-1);
    for (const piece of this.#shuffle) {
      const key = keys[piece] ?? -1;
      if (key < 0) continue;
      const place = starts[key] ?? 0;
      starts[key] = place + 1;
      this.#order[place] = piece;
      this.#position[piece] = place;
    }
  }

  /** Low = early; −1 = not wanted or had. */
  #keyOf(piece: number, isRandom: boolean, isFavoured: boolean): number {
    const priority = this.#pieces.priority(piece);
    if (priority === 0 || this.#pieces.has(piece)) return -1;
    const rarity = isRandom ? 0 : Math.min(RARITY_LEVELS - 1, this.#availability.rarity(piece));
    const level = 2 * (7 - Math.min(7, priority)) + (isFavoured ? 0 : 1);
    return level * RARITY_LEVELS + rarity;
  }

  #favouredPieces(): Uint8Array {
    const marks = new Uint8Array(this.#favoured.length === 0 ? 0 : this.#pieces.count);
    for (const range of this.#favoured) {
      const { first, end } = this.#pieces.geometry.piecesOf(range);
      marks.fill(1, first, end);
    }
    return marks;
  }
}

function shuffledIndices(count: number, random: Random): Int32Array {
  const indices = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const other = random.below(i + 1);
    indices[i] = indices[other] ?? 0;
    indices[other] = i;
  }
  return indices;
}
