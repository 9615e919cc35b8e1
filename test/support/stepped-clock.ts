// A clock that stands still until it is told to go on; timers run in order, promises between them settle.

import type { Clock, Timer } from "../../src/base/clock.ts";

interface Pending {
  readonly atMs: number;
  readonly order: number;
  readonly task: () => void;
}

export class SteppedClock implements Clock {
  #nowMs = 1_000;
  #order = 0;
  readonly #pending = new Set<Pending>();

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    const pending = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, task };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  every(periodMs: number, task: () => void): Timer {
    let timer = this.after(periodMs, function again(this: void) {
      task();
      timer = clock.after(periodMs, again);
    });
    const clock = this;
    return { cancel: () => timer.cancel() };
  }

  get timerCount(): number {
    return this.#pending.size;
  }

  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await settle();
    for (;;) {
      const next = [...this.#pending]
        .filter((pending) => pending.atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}

/** Lets promise chains of usual length run to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

/**
 * The error that `promise` ends with. bun:test's `rejects` runs the event loop until the promise settles, so it
 * cannot be used where the test itself still has to make time pass.
 */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("it did not fail");
}
