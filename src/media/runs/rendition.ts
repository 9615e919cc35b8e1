// A rendition: one track of a film in one form, shared by all who watch it. Whoever asks for a segment gets it from the
// store, or waits for the run that will make it; a run is started where none will reach it soon, and the old one is gone
// before the new one reads, so that they do not pull the torrent two ways. Two watch two places, a third takes the place
// of the run that is furthest ahead of its viewers.

import type { Clock } from "../../base/clock.ts";
import { describeError, TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { onlyTrack } from "../fmp4/init-facts.ts";
import type { MediaPrograms } from "../ports.ts";
import { FrameGrid } from "./audio-slicer.ts";
import type { OpenInput, SegmentStore } from "./ports.ts";
import { RunHistory } from "./run-history.ts";
import { type RunJob, segmentsOf } from "./run-job.ts";
import { RunKeeper } from "./run-keeper.ts";
import type { RunLimits } from "./run-limits.ts";
import { RunSlot, type SlotEnd } from "./run-slot.ts";
import { frameTicksOf, segmentOfSilence } from "./segment-cutter.ts";
import { Viewers } from "./viewers.ts";
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
  readonly #segments: number;
  readonly #grid: FrameGrid;
  readonly #waiting: Waiting;
  readonly #viewers: Viewers;
  readonly #history: RunHistory;
  readonly #keeper: RunKeeper;
  readonly #closing = new AbortController();
  #init: Uint8Array | null = null;

  constructor(options: RenditionOptions) {
    const { clock, job } = options;
    this.#options = options;
    this.#segments = segmentsOf(job.plan);
    this.#grid = new FrameGrid(frameTicksOf(job));
    this.#viewers = new Viewers(clock);
    this.#history = new RunHistory(clock);
    this.#waiting = new Waiting({
      clock,
      progressMs: (waiter) => this.#keeper.slotFor(waiter)?.lastProgressMs ?? 0,
      // Later: several may leave at once, for one reason.
      onLeft: () => queueMicrotask(() => this.#keeper.decide()),
    });
    this.#keeper = new RunKeeper({
      clock,
      waiting: this.#waiting,
      viewers: this.#viewers,
      launch: (n) => this.#launch(n),
    });
  }

  /** Runs that live or wait for their place. */
  get runs(): readonly RunStatus[] {
    return [...this.#keeper.slots].map(({ first, next, isRunning, isThrottled, lastProgressMs }) => {
      return { first, next, isRunning, isThrottled, lastProgressMs };
    });
  }

  /** When any of its runs last wrote anything (Clock.nowMs()); null without a run. */
  get lastProgressMs(): number | null {
    const times = this.runs.map(({ lastProgressMs }) => lastProgressMs);
    return times.length === 0 ? null : Math.max(...times);
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
    this.#viewers.note(client, n, this.#keeper.slots);
    return this.#await({ part: "segment", n, client }, signal);
  }

  /** The init segment. Where a run must be started for it, it starts at `near`: where the viewer will play. */
  init(signal: AbortSignal, near?: number, client = ""): Promise<Uint8Array> {
    if (this.#init !== null) return Promise.resolve(this.#init);
    const wanted = near ?? this.#viewers.lastAsked ?? 0;
    const n = Math.max(0, Math.min(Math.floor(wanted), this.#segments - 1));
    this.#viewers.note(client, n, this.#keeper.slots);
    return this.#await({ part: "init", n, client }, signal);
  }

  /** Starts the work on segment n, before anyone waits for it. */
  prepare(n: number, client = ""): void {
    this.segment(n, this.#closing.signal, client).catch((error: unknown) => {
      this.#options.log.debug("a segment could not be prepared", { n, error: describeError(error) });
    });
  }

  /** Ends its runs: they hang, or nobody watches. Who waits goes on waiting, and has new ones started. */
  stopRuns(): Promise<void> {
    return this.#keeper.stopAll();
  }

  /** Ends its runs and refuses whoever waits. Resolves when no process is left. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new TorrxError("busy", "this playback has ended"));
    this.#waiting.refuseWhere(() => true, this.#closing.signal.reason);
    await this.#keeper.close();
  }

  #await(wish: Wish, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason);
    // It waits from now on, while the store is being asked: what a run gives out meanwhile is not missed.
    return this.#waiting.add(wish, signal, (waiter) => void this.#lookUp(waiter));
  }

  async #lookUp(waiter: Waiter): Promise<void> {
    const stored = await this.#stored(this.#keyOf(waiter.part === "init" ? "init" : waiter.n));
    if (stored !== null) {
      if (waiter.part === "init") this.#init ??= stored;
      waiter.settle(stored);
      return;
    }
    waiter.isMissing = true;
    this.#refuseIfKnown(waiter);
    this.#keeper.decide();
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

  #launch(n: number): RunSlot {
    const { job, programs, openInput, clock, limits } = this.#options;
    const { stepsBack, isStrict } = this.#history.startFor(n, job.work.kind === "copy_video");
    const slot: RunSlot = new RunSlot({
      limits,
      hasWaiters: (one) => this.#keeper.hasWaiters(one),
      wanted: (one) => this.#keeper.wantedOf(one),
      run: {
        job,
        start: { segment: n, stepsBack },
        isStrict,
        grid: this.#grid,
        programs,
        openInput,
        clock,
        sink: {
          init: (bytes) => this.#takeInit(bytes),
          segment: (at, bytes) => this.#takeSegment(slot, at, bytes),
        },
      },
    });
    void slot.ended.then((end) => this.#afterEnd(slot, end));
    return slot;
  }

  #takeInit(bytes: Uint8Array): void {
    if (this.#init === null) {
      this.#init = bytes;
      void this.#put("init", bytes);
    } else if (!isSame(this.#init, bytes)) {
      // Players have the first one: what comes now may not play with it.
      this.#options.log.warn("a run's header is unlike the one before", { rendition: this.#options.id });
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
    if (this.#isStoredAhead(n) && !this.#keeper.hasWaiters(slot)) void slot.stop();
    this.#keeper.decide();
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
    this.#keeper.forget(slot);
    if (this.#closing.signal.aborted) return;
    const { refused, last } = this.#history.learn(slot, end);
    for (const waiter of this.#waiting.all) if (waiter.isMissing) this.#refuseIfKnown(waiter);
    if (refused !== null) this.#refuseNear(slot, refused);
    if (last !== null) void this.#takeSegment(slot, slot.next, last);
    if (end.kind === "failed" || end.kind === "bad_start") this.#logEnd(slot, end);
    this.#keeper.decide();
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

  #keyOf(part: "init" | number): string {
    return `${this.#options.id}/${part}`;
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}
