// One tier of a torrent's trackers (BEP 12): one announce at a time, to the first tracker of the tier that may be
// asked; the one that works moves to the front, one that fails is left alone for longer each time.

import type { Clock, Timer } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { withTimeLimit } from "../egress/time-limit.ts";
import type { AnnounceEvent, AnnounceFacts, AnnounceReply, TrackerState } from "../ports.ts";
import { backoffMs, regularDelayMs } from "./announce-times.ts";
import type { TrackerClient } from "./tracker-client.ts";
import { cleanMessage, publicUrl } from "./tracker-secrets.ts";

export interface TierDeps {
  readonly client: TrackerClient;
  readonly facts: () => AnnounceFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onReply: (reply: AnnounceReply) => void;
}

/**
 * by_hand: the user asks; failed trackers are tried again at once. out_of_peers: the torrent has nobody left to dial;
 * goes as soon as the tracker's own minimum allows.
 */
export type AnnounceReason = "by_hand" | "out_of_peers";

interface Tracker {
  readonly url: string;
  status: TrackerState["status"];
  message: string | null;
  failCount: number;
  /** No announce before this time. */
  notBeforeMs: number;
  /** The earliest time for an announce that was asked for out of turn. */
  floorMs: number;
  /** It knows us: it got our "started", and is owed a "stopped". */
  hasStarted: boolean;
  owesCompleted: boolean;
  seeders: number | null;
  leechers: number | null;
}

interface Flight {
  readonly tracker: Tracker;
  readonly controller: AbortController;
}

export class TrackerTier {
  readonly #deps: TierDeps;
  readonly #index: number;
  readonly #trackers: Tracker[];
  #isRunning = false;
  #timer: Timer | null = null;
  #nextAtMs = 0;
  #flight: Flight | null = null;

  /** `urls` in the order in which they are to be tried. */
  constructor(deps: TierDeps, index: number, urls: readonly string[]) {
    this.#deps = deps;
    this.#index = index;
    this.#trackers = urls.map(newTracker);
  }

  start(delayMs: number): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#scheduleAt(this.#deps.clock.nowMs() + delayMs);
  }

  announceNow(reason: AnnounceReason): void {
    if (!this.#isRunning || this.#flight !== null) return;
    const nowMs = this.#deps.clock.nowMs();
    if (reason === "by_hand") {
      for (const tracker of this.#trackers) {
        if (tracker.failCount > 0) tracker.notBeforeMs = nowMs;
      }
    }
    const first = this.#trackers.find((tracker) => tracker.notBeforeMs <= nowMs) ?? this.#earliest();
    const atMs = Math.max(nowMs, first.floorMs, first.notBeforeMs);
    if (atMs < this.#nextAtMs) this.#scheduleAt(atMs);
  }

  /** Tells every tracker that knows us that the download is complete, each with its next announce, the first now. */
  completed(): void {
    for (const tracker of this.#trackers) {
      tracker.owesCompleted = tracker.hasStarted || this.#flight?.tracker === tracker;
    }
    const isOwed = this.#trackers.some((tracker) => tracker.owesCompleted);
    if (this.#isRunning && this.#flight === null && isOwed) this.#scheduleAt(this.#deps.clock.nowMs());
  }

  /** Ends all announces, tells those that know us that we leave; settles within LIMITS.tracker.stoppedMs. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#timer?.cancel();
    const flight = this.#flight;
    this.#flight = null;
    flight?.controller.abort();
    const leaving = this.#trackers.filter((tracker) => tracker.hasStarted || tracker === flight?.tracker);
    for (const tracker of this.#trackers) reset(tracker);
    await Promise.all(leaving.map((tracker) => this.#sayStopped(tracker)));
  }

  states(): TrackerState[] {
    const { clock } = this.#deps;
    const next = this.#flight === null && this.#isRunning ? this.#dueAt(this.#nextAtMs) : undefined;
    return this.#trackers.map((tracker) => ({
      url: publicUrl(tracker.url),
      tier: this.#index,
      status: tracker.status,
      message: tracker.message,
      nextAnnounceSec:
        tracker === next ? Math.max(0, Math.round((this.#nextAtMs - clock.nowMs()) / 1000)) : null,
      seeders: tracker.seeders,
      leechers: tracker.leechers,
    }));
  }

  #scheduleAt(atMs: number): void {
    this.#timer?.cancel();
    this.#nextAtMs = atMs;
    this.#timer = this.#deps.clock.after(Math.max(0, atMs - this.#deps.clock.nowMs()), () =>
      this.#announce(),
    );
  }

  /** The tracker that an announce at `atMs` goes to. */
  #dueAt(atMs: number): Tracker | undefined {
    return this.#trackers.find((tracker) => tracker.notBeforeMs <= atMs);
  }

  #earliest(): Tracker {
    return this.#trackers.reduce((best, tracker) =>
      tracker.notBeforeMs < best.notBeforeMs ? tracker : best,
    );
  }

  #announce(): void {
    if (!this.#isRunning || this.#flight !== null) return;
    const tracker = this.#dueAt(this.#deps.clock.nowMs());
    if (tracker === undefined) {
      this.#scheduleAt(this.#earliest().notBeforeMs);
      return;
    }
    const flight: Flight = { tracker, controller: new AbortController() };
    this.#flight = flight;
    const event = eventFor(tracker);
    const statusBefore = tracker.status;
    tracker.status = "announcing";
    this.#deps.client.announce(tracker.url, this.#deps.facts(), event, flight.controller.signal).then(
      (reply) => this.#landed(flight, () => this.#succeeded(tracker, reply, event)),
      (error) => this.#landed(flight, () => this.#failed(tracker, error, statusBefore)),
    );
  }

  /** Outcomes of flights that a stop has ended do not count. */
  #landed(flight: Flight, settle: () => void): void {
    if (this.#flight !== flight) return;
    this.#flight = null;
    settle();
  }

  #succeeded(tracker: Tracker, reply: AnnounceReply, event: AnnounceEvent): void {
    const nowMs = this.#deps.clock.nowMs();
    tracker.status = "working";
    tracker.message = reply.warning;
    tracker.failCount = 0;
    tracker.hasStarted = true;
    if (event === "completed") tracker.owesCompleted = false;
    tracker.floorMs = nowMs + reply.minIntervalSec * 1000;
    tracker.seeders = reply.seeders;
    tracker.leechers = reply.leechers;
    this.#trackers.splice(this.#trackers.indexOf(tracker), 1);
    this.#trackers.unshift(tracker);
    this.#scheduleAt(tracker.owesCompleted ? nowMs : nowMs + regularDelayMs(reply, this.#deps.random));
    this.#deps.onReply(reply);
  }

  #failed(tracker: Tracker, error: unknown, statusBefore: TrackerState["status"]): void {
    const nowMs = this.#deps.clock.nowMs();
    tracker.status = "failed";
    tracker.message = cleanMessage(describeError(error), tracker.url);
    tracker.failCount++;
    tracker.notBeforeMs = nowMs + backoffMs(tracker.failCount, this.#deps.random);
    tracker.floorMs = 0;
    if (statusBefore !== "failed") {
      this.#deps.log.info("tracker failed", { tracker: publicUrl(tracker.url), reason: tracker.message });
    }
    this.#scheduleAt(Math.max(nowMs, this.#earliest().notBeforeMs));
  }

  async #sayStopped(tracker: Tracker): Promise<void> {
    const { client, clock, facts, log } = this.#deps;
    const limit = { clock, timeoutMs: LIMITS.tracker.stoppedMs, signal: new AbortController().signal };
    try {
      await withTimeLimit(limit, (signal) => client.announce(tracker.url, facts(), "stopped", signal));
    } catch (error) {
      // The tracker forgets us by itself after an interval or two.
      log.debug("stopped not told", {
        tracker: publicUrl(tracker.url),
        reason: cleanMessage(describeError(error), tracker.url),
      });
    }
  }
}

function eventFor(tracker: Tracker): AnnounceEvent {
  if (!tracker.hasStarted) return "started";
  return tracker.owesCompleted ? "completed" : null;
}

function newTracker(url: string): Tracker {
  return {
    url,
    status: "idle",
    message: null,
    failCount: 0,
    notBeforeMs: 0,
    floorMs: 0,
    hasStarted: false,
    owesCompleted: false,
    seeders: null,
    leechers: null,
  };
}

function reset(tracker: Tracker): void {
  Object.assign(tracker, newTracker(tracker.url));
}
