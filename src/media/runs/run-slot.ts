// A run with its place among all runs: waits for the place, runs, gives it back when the process is gone.

import type { Clock } from "../../base/clock.ts";
import type { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { Run, type RunEnd, type RunOptions } from "./run.ts";
import { failureOf } from "./run-failure.ts";
import type { RunKind, RunLimits, RunPermit } from "./run-limits.ts";

/** refused: it never ran, for want of a place. */
export type SlotEnd = RunEnd | { readonly kind: "refused"; readonly error: TorrxError };

export interface RunSlotOptions {
  readonly run: Omit<RunOptions, "wanted">;
  /** The furthest segment that anyone wants of this slot now. */
  readonly wanted: (slot: RunSlot) => number;
  readonly limits: RunLimits;
  /** Whether someone waits for a segment of this slot now. */
  readonly hasWaiters: (slot: RunSlot) => boolean;
}

export class RunSlot {
  readonly #options: RunSlotOptions;
  readonly #clock: Clock;
  readonly #leaving = new AbortController();
  #run: Run | null = null;
  #lastAskMs: number;
  readonly #startedMs: number;
  /** Settles when process and place are given back. Never rejects. */
  readonly ended: Promise<SlotEnd>;

  constructor(options: RunSlotOptions) {
    this.#options = options;
    this.#clock = options.run.clock;
    this.#startedMs = this.#clock.nowMs();
    this.#lastAskMs = this.#startedMs;
    this.ended = this.#hold();
  }

  get first(): number {
    return this.#options.run.start.segment;
  }

  get stepsBack(): number {
    return this.#options.run.start.stepsBack;
  }

  get isStrict(): boolean {
    return this.#options.run.isStrict;
  }

  get next(): number {
    return this.#run?.next ?? this.first;
  }

  get isRunning(): boolean {
    return this.#run !== null;
  }

  get isThrottled(): boolean {
    return this.#run?.isThrottled ?? false;
  }

  get lastProgressMs(): number {
    return this.#run?.lastProgressMs ?? this.#startedMs;
  }

  /** For how long nobody has wanted anything of it. */
  get idleMs(): number {
    return this.#options.hasWaiters(this) ? 0 : this.#clock.nowMs() - this.#lastAskMs;
  }

  /** Whether waiting for segment n is better than another run. */
  willReach(n: number): boolean {
    if (this.#leaving.signal.aborted) return false;
    const end = this.#run?.end ?? Number.POSITIVE_INFINITY;
    return n >= this.next && n <= this.next + LIMITS.runs.joinSegments && n < end;
  }

  /** Whether n is among what it has made or will make soon: who asks for that is its viewer. */
  covers(n: number): boolean {
    return !this.#leaving.signal.aborted && n >= this.first && n <= this.next + LIMITS.runs.joinSegments;
  }

  /** Someone asked for one of its segments. */
  want(): void {
    this.#lastAskMs = this.#clock.nowMs();
    this.look();
  }

  /** More may be wanted of it than before. */
  look(): void {
    this.#run?.look();
  }

  /** Resolves when its process is gone. Idempotent. */
  async stop(): Promise<void> {
    this.#leaving.abort();
    await this.#run?.stop();
    await this.ended;
  }

  async #hold(): Promise<SlotEnd> {
    const kind: RunKind = this.#options.run.job.work.kind === "encode_video" ? "encode" : "cheap";
    const holder = { idleMs: () => this.idleMs, yield: () => void this.stop() };
    let permit: RunPermit;
    try {
      permit = await this.#options.limits.acquire(kind, holder, this.#leaving.signal);
    } catch (error) {
      return this.#leaving.signal.aborted ? { kind: "done" } : { kind: "refused", error: failureOf(error) };
    }
    try {
      if (this.#leaving.signal.aborted) return { kind: "done" };
      this.#run = new Run({ ...this.#options.run, wanted: () => this.#options.wanted(this) });
      return await this.#run.ended;
    } finally {
      permit.release();
    }
  }
}
