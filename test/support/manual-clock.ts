// A clock that moves only when told. Timers run in the order of their times, then of their making.

import type { Clock, Timer } from "../../src/base/clock.ts";

interface Pending {
  readonly id: number;
  atMs: number;
  readonly periodMs: number | null;
  readonly task: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  #nextId = 0;
  readonly #wallStartMs: number;
  readonly #pending = new Map<number, Pending>();

  constructor(wallStartMs = Date.UTC(2026, 0, 1)) {
    this.#wallStartMs = wallStartMs;
  }

  get timers(): number {
    return this.#pending.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add(delayMs, null, task);
  }

  every(periodMs: number, task: () => void): Timer {
    return this.#add(periodMs, periodMs, task);
  }

  /** Moves the time on and runs what falls due. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let due = this.#nextUntil(endMs); due !== undefined; due = this.#nextUntil(endMs)) {
      this.#nowMs = due.atMs;
      if (due.periodMs === null) this.#pending.delete(due.id);
      else due.atMs += due.periodMs;
      due.task();
    }
    this.#nowMs = endMs;
  }

  #add(delayMs: number, periodMs: number | null, task: () => void): Timer {
    const id = this.#nextId++;
    this.#pending.set(id, { id, atMs: this.#nowMs + delayMs, periodMs, task });
    return { cancel: () => void this.#pending.delete(id) };
  }

  #nextUntil(endMs: number): Pending | undefined {
    return [...this.#pending.values()]
      .filter(({ atMs }) => atMs <= endMs)
      .sort((a, b) => a.atMs - b.atMs || a.id - b.id)[0];
  }
}
