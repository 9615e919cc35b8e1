// What each client of a rendition asked for last, and of which run. A run is throttled by its furthest viewer, and is
// nobody's to kill for another as long as it has viewers.

import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { RunSlot } from "./run-slot.ts";

interface Ask {
  readonly n: number;
  readonly atMs: number;
  slot: RunSlot | null;
}

export class Viewers {
  readonly #clock: Clock;
  readonly #asks = new Map<string, Ask>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The segment that was asked for last by anyone; null before the first. */
  get lastAsked(): number | null {
    let last: Ask | null = null;
    for (const ask of this.#asks.values()) if (last === null || ask.atMs >= last.atMs) last = ask;
    return last?.n ?? null;
  }

  note(client: string, n: number, slots: Iterable<RunSlot>): void {
    this.#forgetGone();
    const near = [...slots].filter((candidate) => candidate.covers(n)).sort((a, b) => b.first - a.first);
    const slot = near[0] ?? null;
    this.#asks.set(client, { n, atMs: this.#clock.nowMs(), slot });
    slot?.want(this.wantedOf(slot));
  }

  /** A run was started: it has those who asked for what no other makes. */
  adopt(slot: RunSlot): void {
    for (const ask of this.#asks.values()) {
      if (ask.slot === null && slot.covers(ask.n)) ask.slot = slot;
    }
  }

  leave(slot: RunSlot): void {
    for (const ask of this.#asks.values()) if (ask.slot === slot) ask.slot = null;
  }

  /** Whether others than `client` watch what it makes. */
  hasOthers(slot: RunSlot, client: string): boolean {
    this.#forgetGone();
    return [...this.#asks].some(([name, ask]) => name !== client && ask.slot === slot);
  }

  wantedOf(slot: RunSlot): number {
    let wanted = slot.first;
    for (const ask of this.#asks.values()) if (ask.slot === slot) wanted = Math.max(wanted, ask.n);
    return wanted;
  }

  #forgetGone(): void {
    const oldestMs = this.#clock.nowMs() - LIMITS.runs.idleMs;
    for (const [name, ask] of this.#asks) if (ask.atMs < oldestMs) this.#asks.delete(name);
  }
}
