// A clock that stands still until a test moves it: timers run in order of their due time (ties in order of creation),
// each seeing its own due time as nowMs(), as on a real clock.

import type { Clock, Timer } from "../../src/base/clock.ts";

interface Pending {
  dueMs: number;
  readonly order: number;
  readonly periodMs: number | null;
  readonly task: () => void;
}

export interface FakeClockOptions {
  /** Monotonic time at the start. Default 0. */
  readonly nowMs?: number;
  /** Wall time at the start. Default 2026-01-01T00:00:00Z. */
  readonly wallMs?: number;
}

/** More timers than this in one advance() is a timer that re-arms itself without delay. */
const RUNAWAY_TIMERS = 1_000_000;

export class FakeClock implements Clock {
  #nowMs: number;
  #wallOffsetMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(options: FakeClockOptions = {}) {
    this.#nowMs = options.nowMs ?? 0;
    this.#wallOffsetMs = (options.wallMs ?? Date.UTC(2026, 0, 1)) - this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add(delayMs, null, task);
  }

  every(periodMs: number, task: () => void): Timer {
    return this.#add(Math.max(1, periodMs), Math.max(1, periodMs), task);
  }

  /** Timers that still wait; 0 after a clean close of what is tested. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Milliseconds until the next timer, or null when none waits. */
  get untilNextMs(): number | null {
    const next = this.#next();
    return next === undefined ? null : Math.max(0, next.dueMs - this.#nowMs);
  }

  /** Moves time by `byMs` and runs what falls due on the way. Promises do not run in between: see advanceSettled. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (let ran = 0; this.#runNextDueBy(endMs); ran++) {
      if (ran > RUNAWAY_TIMERS) throw new Error("a timer re-arms itself without delay");
    }
    this.#nowMs = endMs;
  }

  /** As advance(), but lets promises run before, between and after the timers. */
  async advanceSettled(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await this.settle();
    for (let ran = 0; this.#runNextDueBy(endMs); ran++) {
      if (ran > RUNAWAY_TIMERS) throw new Error("a timer re-arms itself without delay");
      await this.settle();
    }
    this.#nowMs = endMs;
    await this.settle();
  }

  /**
   * Lets every promise that is ready run, and what it makes ready in turn. Work of the system (sockets, disk) is not
   * waited for: await an event of it instead.
   */
  async settle(turns = 3): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** The wall clock alone jumps, as after an NTP step. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  #add(delayMs: number, periodMs: number | null, task: () => void): Timer {
    const entry: Pending = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      periodMs,
      task,
    };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (first === undefined || entry.dueMs < first.dueMs) first = entry;
      else if (entry.dueMs === first.dueMs && entry.order < first.order) first = entry;
    }
    return first;
  }

  #runNextDueBy(endMs: number): boolean {
    const next = this.#next();
    if (next === undefined || next.dueMs > endMs) return false;
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    if (next.periodMs === null) this.#pending.delete(next);
    else next.dueMs += next.periodMs;
    next.task();
    return true;
  }
}
