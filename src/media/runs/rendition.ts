// A rendition: one track of a film in one form, shared by all who watch it. Whoever asks for a segment gets it from the
// store, or waits for the run that will make it; a run is started where none will reach it soon, and the old one is gone
// before the new one reads, so that they do not pull the torrent two ways. Two watch two places, a third takes the place
// of the run that is furthest ahead of its viewers.

import type { Clock, Timer } from "../../base/clock.ts";
import { describeError, TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { onlyTrack } from "../fmp4/init-facts.ts";
import type { MediaPrograms } from "../ports.ts";
import { FrameGrid } from "./audio-slicer.ts";
import type { OpenInput, SegmentStore } from "./ports.ts";
import { RunHistory } from "./run-history.ts";
import { type RunJob, segmentsOf } from "./run-job.ts";
import type { RunLimits } from "./run-limits.ts";
import { RunSlot, type SlotEnd } from "./run-slot.ts";
import { frameTicksOf, segmentOfSilence } from "./segment-cutter.ts";
import { reaching, Viewers } from "./viewers.ts";
import { type Waiter, Waiting, type Wish } from "./waiting.ts";

export interface RenditionOptions {
  /** Begins its keys in the store: unlike that of any rendition with other bytes. */
  readonly id: string;
  readonly job: RunJob;
  readonly programs: MediaPrograms;
  readonly openInput: OpenInput;
  readonly store: SegmentStore;
  readonly limits: RunLimits;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RunStatus {
  readonly first: number;
  /** The segment that comes out next. */
  readonly next: number;
  /** False while it waits for its place. */
  readonly isRunning: boolean;
  readonly isThrottled: boolean;
  /** When ffmpeg last wrote anything (Clock.nowMs()). */
  readonly lastProgressMs: number;
}

export class Rendition {
  readonly #options: RenditionOptions;
  readonly #clock: Clock;
  readonly #segments: number;
  readonly #grid: FrameGrid;
  readonly #slots = new Set<RunSlot>();
  readonly #waiting: Waiting;
  readonly #viewers: Viewers;
  readonly #history: RunHistory;
  readonly #closing = new AbortController();
  #init: Uint8Array | null = null;
  #isReplacing = false;
  #debounce: Timer | null = null;
  #idleCheck: Timer | null = null;

  constructor(options: RenditionOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#segments = segmentsOf(options.job.plan);
    this.#grid = new FrameGrid(frameTicksOf(options.job));
    this.#viewers = new Viewers(options.clock);
    this.#history = new RunHistory(options.clock);
    this.#waiting = new Waiting({
      clock: options.clock,
      progressMs: (waiter) => this.#slotFor(waiter)?.lastProgressMs ?? 0,
      // Later: several may leave at once, for one reason.
      onLeft: () => queueMicrotask(() => this.#decide()),
    });
  }

  /** Runs that live or wait for their place. */
  get runs(): readonly RunStatus[] {
    return [...this.#slots].map(({ first, next, isRunning, isThrottled, lastProgressMs }) => {
      return { first, next, isRunning, isThrottled, lastProgressMs };
    });
  }

  /** When any of its runs last wrote anything (Clock.nowMs()); null without a run. */
  get lastProgressMs(): number | null {
    if (this.#slots.size === 0) return null;
    return Math.max(...[...this.#slots].map(({ lastProgressMs }) => lastProgressMs));
  }

  /**
   * The bytes of segment n; not to be written to. `client` tells viewers apart: one viewer's seek may end its own run,
   * and another's only where both places are taken and nobody waits for it just now. Rejects the signal's reason; TorrxError: "not_found" beyond the plan; "busy" ("waiting_pieces: …"
   * after 20 s without progress, "transcode_busy: …") with retryAfterSec; "unsupported_media" where this rendition
   * cannot be made (a copy may then be tried as an encode).
   */
  segment(n: number, signal: AbortSignal, client = ""): Promise<Uint8Array> {
    if (!Number.isSafeInteger(n) || n < 0 || n >= this.#segments) {
      return Promise.reject(new TorrxError("not_found", "no such segment"));
    }
    this.#viewers.note(client, n, this.#slots);
    return this.#await({ part: "segment", n, client }, signal);
  }

  /** The init segment. Where a run must be started for it, it starts at `near`: where the viewer will play. */
  init(signal: AbortSignal, near?: number, client = ""): Promise<Uint8Array> {
    if (this.#init !== null) return Promise.resolve(this.#init);
    const wanted = near ?? this.#viewers.lastAsked ?? 0;
    const n = Math.max(0, Math.min(Math.floor(wanted), this.#segments - 1));
    this.#viewers.note(client, n, this.#slots);
    return this.#await({ part: "init", n, client }, signal);
  }

  /** Starts the work on segment n, before anyone waits for it. */
  prepare(n: number, client = ""): void {
    this.segment(n, this.#closing.signal, client).catch((error: unknown) => {
      this.#options.log.debug("a segment could not be prepared", { n, error: describeError(error) });
    });
  }

  /** Ends its runs: they hang, or nobody watches. Who waits goes on waiting, and has new ones started. */
  async stopRuns(): Promise<void> {
    await Promise.all([...this.#slots].map((slot) => slot.stop()));
  }

  /** Ends its runs and refuses whoever waits. Resolves when no process is left. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new TorrxError("busy", "this playback has ended"));
    this.#debounce?.cancel();
    this.#idleCheck?.cancel();
    this.#waiting.refuseWhere(() => true, this.#closing.signal.reason);
    await this.stopRuns();
  }

  #await(wish: Wish, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    // It waits from now on, while the store is being asked: what a run gives out meanwhile is not missed.
    return this.#waiting.add(wish, signal, (waiter) => void this.#lookUp(waiter));
  }

  async #lookUp(waiter: Waiter): Promise<void> {
    const stored = await this.#stored(this.#keyOf(waiter.part === "init" ? "init" : waiter.n));
    if (stored !== null) {
      waiter.settle(stored);
      return;
    }
    waiter.isMissing = true;
    this.#refuseIfKnown(waiter);
    this.#decide();
  }

  async #stored(key: string): Promise<Uint8Array | null> {
    try {
      return await this.#options.store.get(key);
    } catch (error) {
      this.#options.log.warn("a stored segment cannot be read", { key, error: describeError(error) });
      return null;
    }
  }

  /** What is known to be impossible, or to lie behind the film's end, needs no run. */
  #refuseIfKnown(waiter: Waiter): void {
    const failure = this.#history.failureAt(waiter.n);
    if (failure !== null) waiter.refuse(failure);
    else if (waiter.n >= this.#history.filmEnd) this.#settleBehindEnd(waiter);
  }

  #settleBehindEnd(waiter: Waiter): void {
    const track = this.#init === null ? null : onlyTrack(this.#init);
    const silence = track === null ? null : segmentOfSilence(this.#options.job, waiter.n, track);
    if (silence !== null && waiter.part === "segment") waiter.settle(silence);
    else waiter.refuse(new TorrxError("unsupported_media", "the film ends before this part"));
  }

  #slotFor(waiter: Waiter): RunSlot | undefined {
    if (waiter.part === "segment") return reaching(this.#slots, waiter.n);
    const [any] = this.#slots;
    return any;
  }

  /** Starts, or makes room for, the run that is missing most. Called whenever something has changed. */
  #decide(): void {
    for (const slot of this.#slots) slot.look();
    if (this.#isReplacing || this.#closing.signal.aborted) return;
    const waiter = this.#mostUrgent();
    if (waiter === null) return;
    const choice = this.#choose(waiter);
    if (choice === "start") this.#start(waiter.n);
    else if (choice !== "wait") this.#replace(choice, waiter);
  }

  /** Of those whom no run serves the one who asked last, and beside it the earliest segment that one run can begin with. */
  #mostUrgent(): Waiter | null {
    const unserved = this.#waiting.all.filter((one) => one.isMissing && this.#slotFor(one) === undefined);
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
    const unwatched = slots.find(
      (slot) => !this.#hasWaiters(slot) && !this.#viewers.hasOthers(slot, waiter.client),
    );
    if (unwatched !== undefined) return unwatched;
    if (slots.length < LIMITS.runs.perRendition) return "start";
    const leadOf = (slot: RunSlot) => slot.next - this.#viewers.wantedOf(slot);
    const free = slots.filter((slot) => !this.#hasWaiters(slot)).sort((a, b) => leadOf(b) - leadOf(a));
    return free[0] ?? "wait";
  }

  #hasWaiters(slot: RunSlot): boolean {
    return this.#waitersOf(slot).length > 0;
  }

  #waitersOf(slot: RunSlot): readonly Waiter[] {
    return this.#waiting.all.filter((waiter) => this.#slotFor(waiter) === slot);
  }

  /** A client that asks for two at once is one viewer, who waits for both. */
  #wantedOf(slot: RunSlot): number {
    const waiters = this.#waitersOf(slot).filter(({ part }) => part === "segment");
    return Math.max(this.#viewers.wantedOf(slot), ...waiters.map(({ n }) => n));
  }

  /** Not at once: who drags the seek bar asks for many places and leaves them again. */
  #replace(slot: RunSlot, waiter: Waiter): void {
    const leftMs = waiter.askedMs + LIMITS.runs.seekDebounceMs - this.#clock.nowMs();
    this.#debounce?.cancel();
    if (leftMs > 0) {
      this.#debounce = this.#clock.after(leftMs, () => this.#decide());
      return;
    }
    this.#isReplacing = true;
    void slot.stop().finally(() => {
      this.#isReplacing = false;
      this.#decide();
    });
  }

  #start(n: number): void {
    const { job, programs, openInput, limits } = this.#options;
    const start = this.#history.startFor(n, job.work.kind === "copy_video");
    const slot: RunSlot = new RunSlot({
      limits,
      hasWaiters: (one) => this.#hasWaiters(one),
      wanted: (one) => this.#wantedOf(one),
      run: {
        job,
        start: { segment: n, stepsBack: start.stepsBack },
        isStrict: start.isStrict,
        grid: this.#grid,
        programs,
        openInput,
        clock: this.#clock,
        sink: {
          init: (bytes) => this.#takeInit(bytes),
          segment: (at, bytes) => this.#takeSegment(slot, at, bytes),
        },
      },
    });
    this.#slots.add(slot);
    this.#viewers.adopt(slot, new Set(this.#waitersOf(slot).map(({ client }) => client)));
    slot.want();
    // A timer that runs is early enough for any run, and puts itself off no further than the others allow.
    if (this.#idleCheck === null) this.#watchIdle(LIMITS.runs.idleMs);
    void slot.ended.then((end) => this.#afterEnd(slot, end));
  }

  #takeInit(bytes: Uint8Array): void {
    if (this.#init === null) {
      this.#init = bytes;
      void this.#put("init", bytes);
    }
    for (const waiter of this.#waiting.all) if (waiter.part === "init") waiter.settle(this.#init);
  }

  #takeSegment(slot: RunSlot, n: number, bytes: Uint8Array): Promise<void> {
    this.#history.made(n);
    const isNew = !this.#options.store.has(this.#keyOf(n));
    const stored = isNew ? this.#put(n, bytes) : Promise.resolve();
    for (const waiter of this.#waiting.all) {
      if (waiter.part === "segment" && waiter.n === n) waiter.settle(bytes);
    }
    if (this.#isStoredAhead(n) && !this.#hasWaiters(slot)) void slot.stop();
    this.#decide();
    return stored;
  }

  /** Whether what comes next has been made before: then a run has nothing to add. */
  #isStoredAhead(n: number): boolean {
    const ahead = Array.from({ length: LIMITS.runs.storedAhead }, (_, i) => n + 1 + i);
    return ahead.every((next) => next >= this.#segments || this.#options.store.has(this.#keyOf(next)));
  }

  async #put(part: "init" | number, bytes: Uint8Array): Promise<void> {
    const key = this.#keyOf(part);
    try {
      await this.#options.store.put(key, bytes);
    } catch (error) {
      this.#options.log.warn("a segment cannot be stored", { key, error: describeError(error) });
    }
  }

  #afterEnd(slot: RunSlot, end: SlotEnd): void {
    this.#slots.delete(slot);
    this.#viewers.leave(slot);
    if (this.#closing.signal.aborted) return;
    const { refused, last } = this.#history.learn(slot, end);
    for (const waiter of this.#waiting.all) if (waiter.isMissing) this.#refuseIfKnown(waiter);
    if (refused !== null) this.#refuseNear(slot, refused);
    if (last !== null) void this.#takeSegment(slot, slot.next, last);
    if (end.kind === "failed" || end.kind === "bad_start") this.#logEnd(slot, end);
    this.#decide();
  }

  #refuseNear(slot: RunSlot, error: unknown): void {
    const isNear = ({ n }: Waiter) => n >= slot.next && n <= slot.next + LIMITS.runs.joinSegments;
    this.#waiting.refuseWhere((waiter) => waiter.part === "init" || isNear(waiter), error);
  }

  #logEnd(slot: RunSlot, end: SlotEnd): void {
    const why = end.kind === "failed" ? end.error.message : end.kind === "bad_start" ? end.why : "";
    this.#options.log.info("a run ended early", {
      rendition: this.#options.id,
      first: slot.first,
      next: slot.next,
      why,
    });
  }

  #watchIdle(afterMs: number): void {
    this.#idleCheck?.cancel();
    this.#idleCheck = this.#clock.after(afterMs, () => {
      this.#idleCheck = null;
      const idle = [...this.#slots].filter((slot) => slot.idleMs >= LIMITS.runs.idleMs);
      for (const slot of idle) void slot.stop();
      const left = [...this.#slots].filter((slot) => !idle.includes(slot));
      if (left.length > 0)
        this.#watchIdle(LIMITS.runs.idleMs - Math.max(...left.map(({ idleMs }) => idleMs)));
    });
  }

  #keyOf(part: "init" | number): string {
    return `${this.#options.id}/${part}`;
  }
}
