import type { Clock, Timer } from "../../../src/base/clock.ts";

interface Due {
  atMs: number;
  readonly everyMs: number | null;
  readonly task: () => void;
}

/** A clock that stands still until `advance` steps it, running what falls due on the way. */
export class SteppedClock implements Clock {
  #nowMs = 1_000_000;
  readonly #due = new Set<Due>();

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + delayMs, everyMs: null, task });
  }

  every(periodMs: number, task: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + periodMs, everyMs: periodMs, task });
  }

  get timers(): number {
    return this.#due.size;
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#due].filter((due) => due.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      if (next.everyMs === null) this.#due.delete(next);
      else next.atMs += next.everyMs;
      next.task();
    }
    this.#nowMs = untilMs;
  }

  #add(due: Due): Timer {
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }
}
