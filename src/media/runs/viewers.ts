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
    const all = [...slots];
    const slot =
      reaching(all, n) ??
      nearest(
        all.filter((candidate) => candidate.covers(n)),
        n,
      ) ??
      null;
    this.#asks.set(client, { n, atMs: this.#clock.nowMs(), slot });
    slot?.want();
  }

  /** A run was started: it has those who wait for it, and those who asked for what no other makes. */
  adopt(slot: RunSlot, waiting: ReadonlySet<string>): void {
    for (const [client, ask] of this.#asks) {
      if ((ask.slot === null || waiting.has(client)) && slot.covers(ask.n)) ask.slot = slot;
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

  /** The furthest segment that a viewer of it asked for last. */
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

/** Of the runs that will soon make segment n the one that makes it first. */
export function reaching(slots: Iterable<RunSlot>, n: number): RunSlot | undefined {
  return nearest(
    [...slots].filter((slot) => slot.willReach(n)),
    n,
  );
}

function nearest(slots: readonly RunSlot[], n: number): RunSlot | undefined {
  return [...slots].sort((a, b) => Math.abs(a.next - n) - Math.abs(b.next - n))[0];
}
