// How many runs there are in the whole process. Who finds no place waits a little in line; then it is refused as busy.
// A holder that nobody has asked anything of for a while makes way for one who waits.

import type { Clock, Timer } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

/** cheap: copies, and sound; encode: pictures. */
export type RunKind = "cheap" | "encode";

export interface RunHolder {
  /** For how long nobody has wanted anything of it; 0 while someone waits. */
  idleMs(): number;
  /** Gives its place up: stops, and releases when it is gone. */
  yield(): void;
}

export interface RunPermit {
  /** Idempotent. */
  release(): void;
}

export interface RunLimitsOptions {
  readonly clock: Clock;
  /** Encodes that this machine can hold in real time; see encodesFor(). */
  readonly encodes: number;
  readonly cheap?: number;
}

interface Waiter {
  readonly holder: RunHolder;
  readonly grant: (permit: RunPermit) => void;
  readonly refuse: (error: unknown) => void;
}

interface Lane {
  readonly places: number;
  readonly holders: Set<RunHolder>;
  readonly waiters: Set<Waiter>;
  /** Holders that were asked to give up their places: each for another waiter. */
  readonly yielding: Set<RunHolder>;
}

/** What `cores` processors can encode at once. */
export function encodesFor(cores: number): number {
  return Math.max(1, Math.floor(cores / 4));
}

export class RunLimits {
  readonly #clock: Clock;
  readonly #lanes: Readonly<Record<RunKind, Lane>>;
  #isClosed = false;

  constructor(options: RunLimitsOptions) {
    this.#clock = options.clock;
    this.#lanes = {
      cheap: laneOf(options.cheap ?? LIMITS.runs.cheapAtOnce),
      encode: laneOf(options.encodes),
    };
  }

  /** Places taken. */
  running(kind: RunKind): number {
    return this.#lanes[kind].holders.size;
  }

  places(kind: RunKind): number {
    return this.#lanes[kind].places;
  }

  /** Rejects TorrxError("busy", "transcode_busy: …") when no place comes free in time, or the signal's reason. */
  acquire(kind: RunKind, holder: RunHolder, signal: AbortSignal): Promise<RunPermit> {
    const lane = this.#lanes[kind];
    if (this.#isClosed) return Promise.reject(closed());
    if (signal.aborted) return Promise.reject(signal.reason);
    if (lane.holders.size < lane.places && lane.waiters.size === 0) {
      return Promise.resolve(this.#give(lane, holder));
    }
    return this.#wait(kind, holder, signal);
  }

  /** Refuses all who wait, now and later. Runs are their owners' to stop. */
  close(): void {
    this.#isClosed = true;
    for (const lane of Object.values(this.#lanes)) {
      for (const waiter of [...lane.waiters]) waiter.refuse(closed());
    }
  }

  #wait(kind: RunKind, holder: RunHolder, signal: AbortSignal): Promise<RunPermit> {
    const lane = this.#lanes[kind];
    return new Promise((resolve, reject) => {
      const onAbort = () => waiter.refuse(signal.reason);
      const leave = () => {
        lane.waiters.delete(waiter);
        timer.cancel();
        look?.cancel();
        signal.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        holder,
        grant: (permit) => {
          leave();
          resolve(permit);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const timer: Timer = this.#clock.after(LIMITS.runs.queueMs, () => waiter.refuse(busy(kind)));
      let look: Timer | null = null;
      const makeRoom = () => {
        look = this.#clock.after(LIMITS.runs.idleLookMs, makeRoom);
        yieldIdle(lane);
      };
      lane.waiters.add(waiter);
      signal.addEventListener("abort", onAbort);
      makeRoom();
    });
  }

  #give(lane: Lane, holder: RunHolder): RunPermit {
    lane.holders.add(holder);
    return {
      release: () => {
        if (!lane.holders.delete(holder)) return;
        lane.yielding.delete(holder);
        const [next] = lane.waiters;
        if (next !== undefined) next.grant(this.#give(lane, next.holder));
      },
    };
  }
}

function laneOf(places: number): Lane {
  return { places, holders: new Set(), waiters: new Set(), yielding: new Set() };
}

/** One idle holder for each who waits, those first that have idled longest. */
function yieldIdle(lane: Lane): void {
  const missing = lane.waiters.size - lane.yielding.size;
  if (missing <= 0) return;
  const idle = [...lane.holders].filter(
    (holder) => !lane.yielding.has(holder) && holder.idleMs() >= LIMITS.runs.idleBeforeYieldMs,
  );
  for (const holder of idle.sort((a, b) => b.idleMs() - a.idleMs()).slice(0, missing)) {
    lane.yielding.add(holder);
    holder.yield();
  }
}

function busy(kind: RunKind): TorrxError {
  const what =
    kind === "encode" ? "no video can be converted beside those that are" : "too many films play at once";
  return new TorrxError("busy", `transcode_busy: ${what}`, { retryAfterSec: LIMITS.runs.retryAfterSec });
}

function closed(): TorrxError {
  return new TorrxError("busy", "the server is stopping");
}
