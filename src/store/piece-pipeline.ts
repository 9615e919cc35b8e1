// Pieces between their last block and the disk. At most `limit` are worked on at a time; the rest waits in order.

import type { SealedPiece } from "./assembly.ts";

export class PiecePipeline {
  readonly #limit: number;
  readonly #process: (sealed: SealedPiece) => Promise<void>;
  readonly #queue: SealedPiece[] = [];
  /** Waiting or worked on. */
  readonly #pieces = new Set<number>();
  #running = 0;
  /** Tasks that run beside the pieces. */
  #beside = 0;
  #isPaused = false;
  readonly #waiting = new Set<() => void>();

  /** `process` must not reject (the process ends if it does, as with any bug), and calls settled() before it tells anyone what became of the piece. */
  constructor(limit: number, process: (sealed: SealedPiece) => Promise<void>) {
    this.#limit = limit;
    this.#process = process;
  }

  has(piece: number): boolean {
    return this.#pieces.has(piece);
  }

  add(sealed: SealedPiece): void {
    this.#pieces.add(sealed.piece);
    this.#queue.push(sealed);
    this.#start();
  }

  /** Runs another task on the same files, which a pause waits for too; false while paused. It must not reject. */
  runBeside(task: () => Promise<void>): boolean {
    if (this.#isPaused) return false;
    this.#beside++;
    const finish = () => {
      this.#beside--;
      this.#wake();
    };
    void task().finally(finish);
    return true;
  }

  /** Nothing new is started; resolves when nothing runs. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#until(() => this.#running === 0 && this.#beside === 0);
  }

  resume(): void {
    this.#isPaused = false;
    this.#start();
  }

  /** Resolves when nothing waits or runs. */
  drain(): Promise<void> {
    return this.#until(() => this.#running === 0 && this.#beside === 0 && this.#queue.length === 0);
  }

  /** The piece may come again from here on. */
  settled(piece: number): void {
    this.#pieces.delete(piece);
  }

  /** Takes out what has not been started. */
  takeWaiting(): SealedPiece[] {
    const waiting = this.#queue.splice(0);
    for (const { piece } of waiting) this.#pieces.delete(piece);
    this.#wake();
    return waiting;
  }

  #start(): void {
    while (!this.#isPaused && this.#running < this.#limit) {
      const sealed = this.#queue.shift();
      if (sealed === undefined) return;
      this.#running++;
      const finish = () => this.#finish();
      void this.#process(sealed).finally(finish);
    }
  }

  #finish(): void {
    this.#running--;
    this.#start();
    this.#wake();
  }

  #until(isReached: () => boolean): Promise<void> {
    if (isReached()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (!isReached()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}
