// Which runs a rendition has, and when it gets others. A run is started for the viewer whom no run serves; it takes the
// place of one that nobody else watches, or with both taken of the one that is furthest ahead of its viewers, and only when
// that one is gone. Two at most: beyond that, viewers wait. No run that somebody waits for is ended for another.

import type { Clock, Timer } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { RunSlot } from "./run-slot.ts";
import { reaching, type Viewers } from "./viewers.ts";
import type { Waiter, Waiting } from "./waiting.ts";

export interface RunKeeperOptions {
  readonly clock: Clock;
  readonly waiting: Waiting;
  readonly viewers: Viewers;
  /** Starts a run at segment n. */
  readonly launch: (n: number) => RunSlot;
}

export class RunKeeper {
  readonly #options: RunKeeperOptions;
  readonly #slots = new Set<RunSlot>();
  #isReplacing = false;
  #isClosed = false;
  #debounce: Timer | null = null;
  #idleCheck: Timer | null = null;

  constructor(options: RunKeeperOptions) {
    this.#options = options;
  }

  get slots(): ReadonlySet<RunSlot> {
    return this.#slots;
  }

  /** The run that will make what this waiter waits for. */
  slotFor(waiter: Waiter): RunSlot | undefined {
    if (waiter.part === "segment") return reaching(this.#slots, waiter.n);
    const [any] = this.#slots;
    return any;
  }

  hasWaiters(slot: RunSlot): boolean {
    return this.#waitersOf(slot).length > 0;
  }

  /** The furthest segment that is wanted of it. A client that asks for two at once waits for both. */
  wantedOf(slot: RunSlot): number {
    const waiters = this.#waitersOf(slot).filter(({ part }) => part === "segment");
    return Math.max(this.#options.viewers.wantedOf(slot), ...waiters.map(({ n }) => n));
  }

  /** A run is gone: the next decision is the caller's to ask for. */
  forget(slot: RunSlot): void {
    this.#slots.delete(slot);
    this.#options.viewers.leave(slot);
  }

  /** Starts, or makes room for, the run that is missing most. To be called whenever something has changed. */
  decide(): void {
    for (const slot of this.#slots) slot.look();
    if (this.#isReplacing || this.#isClosed) return;
    const waiter = this.#mostUrgent();
    if (waiter === null) return;
    const choice = this.#choose(waiter);
    if (choice === "start") this.#start(waiter.n);
    else if (choice !== "wait") this.#replace(choice, waiter);
  }

  /** Resolves when no process is left. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#slots].map((slot) => slot.stop()));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#debounce?.cancel();
    this.#idleCheck?.cancel();
    await this.stopAll();
  }

  /** Of those whom no run serves the one who asked last, and near it the earliest segment: one run can serve both. */
  #mostUrgent(): Waiter | null {
    const unserved = this.#options.waiting.all.filter(
      (one) => one.isMissing && this.slotFor(one) === undefined,
    );
    const last = unserved.reduce<Waiter | null>(
      (best, one) => (best === null || one.askedMs >= best.askedMs ? one : best),
      null,
    );
    if (last === null) return null;
    const near = unserved.filter(({ n }) => n <= last.n && n >= last.n - LIMITS.runs.joinSegments);
    return near.reduce((first, one) => (one.n < first.n ? one : first), last);
  }

  #choose(waiter: Waiter): "start" | "wait" | RunSlot {
    const slots = [...this.#slots].sort((a, b) => b.idleMs - a.idleMs);
    if (slots.length === 0) return "start";
    const { viewers } = this.#options;
    const own = slots.find((slot) => !this.hasWaiters(slot) && !viewers.hasOthers(slot, waiter.client));
    if (own !== undefined) return own;
    if (slots.length < LIMITS.runs.perRendition) return "start";
    const leadOf = (slot: RunSlot) => slot.next - viewers.wantedOf(slot);
    const free = slots.filter((slot) => !this.hasWaiters(slot)).sort((a, b) => leadOf(b) - leadOf(a));
    return free[0] ?? "wait";
  }

  #waitersOf(slot: RunSlot): readonly Waiter[] {
    return this.#options.waiting.all.filter((waiter) => this.slotFor(waiter) === slot);
  }

  #start(n: number): void {
    const { viewers, launch } = this.#options;
    const slot = launch(n);
    this.#slots.add(slot);
    viewers.adopt(slot, new Set(this.#waitersOf(slot).map(({ client }) => client)));
    slot.want();
    // A timer that runs is early enough for any run, and puts itself off no further than the others allow.
    if (this.#idleCheck === null) this.#watchIdle(LIMITS.runs.idleMs);
  }

  /** Not at once: who drags the seek bar asks for many places and leaves them again. */
  #replace(slot: RunSlot, waiter: Waiter): void {
    const { clock } = this.#options;
    const leftMs = waiter.askedMs + LIMITS.runs.seekDebounceMs - clock.nowMs();
    this.#debounce?.cancel();
    if (leftMs > 0) {
      this.#debounce = clock.after(leftMs, () => this.decide());
      return;
    }
    this.#isReplacing = true;
    void slot.stop().finally(() => {
      this.#isReplacing = false;
      this.decide();
    });
  }

  #watchIdle(afterMs: number): void {
    this.#idleCheck = this.#options.clock.after(afterMs, () => {
      this.#idleCheck = null;
      const idle = [...this.#slots].filter((slot) => slot.idleMs >= LIMITS.runs.idleMs);
      for (const slot of idle) void slot.stop();
      const left = [...this.#slots].filter((slot) => !idle.includes(slot));
      if (left.length === 0) return;
      this.#watchIdle(LIMITS.runs.idleMs - Math.max(...left.map(({ idleMs }) => idleMs)));
    });
  }
}
