// Pieces that streams need, each with the time by which: parallel lists, refilled whenever the windows move.

import { NumberList } from "./number-list.ts";

export class UrgentPieces {
  #pieces = new NumberList();
  #deadlinesMs = new NumberList();
  #sparePieces = new NumberList();
  #spareDeadlinesMs = new NumberList();

  get count(): number {
    return this.#pieces.count;
  }

  pieceAt(index: number): number {
    return this.#pieces.at(index);
  }

  /** On the clock's scale; past when the viewer already waits. */
  deadlineMsAt(index: number): number {
    return this.#deadlinesMs.at(index);
  }

  add(piece: number, deadlineMs: number): void {
    this.#pieces.push(piece);
    this.#deadlinesMs.push(deadlineMs);
  }

  clear(): void {
    this.#pieces.clear();
    this.#deadlinesMs.clear();
  }

  /** Leaves the pieces that `isKept`, the earliest deadline first; those of one deadline keep their order. */
  sift(isKept: (piece: number) => boolean): void {
    const order: number[] = [];
    for (let at = 0; at < this.count; at++) if (isKept(this.pieceAt(at))) order.push(at);
    order.sort((a, b) => this.deadlineMsAt(a) - this.deadlineMsAt(b) || a - b);
    const [pieces, deadlinesMs] = [this.#pieces, this.#deadlinesMs];
    this.#pieces = this.#sparePieces;
    this.#deadlinesMs = this.#spareDeadlinesMs;
    this.#sparePieces = pieces;
    this.#spareDeadlinesMs = deadlinesMs;
    this.clear();
    for (const at of order) this.add(pieces.at(at), deadlinesMs.at(at));
  }
}
