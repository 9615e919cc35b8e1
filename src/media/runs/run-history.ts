// What a rendition has learned from how its runs ended: how the next one is to start, and what cannot be had at all. A
// first failure is answered by one more try; the second of the same kind at the same segment is believed.

import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { SlotEnd } from "./run-slot.ts";

export interface EndedRun {
  readonly first: number;
  readonly next: number;
  readonly stepsBack: number;
  readonly isStrict: boolean;
}

export interface NextStart {
  readonly stepsBack: number;
  readonly isStrict: boolean;
}

export interface Lesson {
  /** Whoever waited for what the run would have made next is refused with this; null to try again. */
  readonly refused: TorrxError | null;
  /** The film's last segment, which is shorter than planned. */
  readonly last: Uint8Array | null;
}

interface Failure {
  readonly error: TorrxError;
  readonly atMs: number;
}

const AGAIN: Lesson = { refused: null, last: null };

export class RunHistory {
  readonly #clock: Clock;
  readonly #failures = new Map<number, Failure>();
  /** Key frames are followed by pictures that are shown before them: copies start one key frame early. */
  #isOpenGop = false;
  /** Segments at which a run landed late, and how many steps further back the next one starts. */
  readonly #stepsBack = new Map<number, number>();
  readonly #failedOnce = new Set<number>();
  readonly #endedOnce = new Set<number>();
  #filmEnd = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The first segment that the film has nothing for. */
  get filmEnd(): number {
    return this.#filmEnd;
  }

  /** Why segment n could not be made a moment ago, or null. */
  failureAt(n: number): TorrxError | null {
    const failure = this.#failures.get(n);
    if (failure === undefined) return null;
    if (this.#clock.nowMs() - failure.atMs < LIMITS.runs.failureMs) return failure.error;
    this.#failures.delete(n);
    return null;
  }

  /** Segment n could be made. */
  made(n: number): void {
    this.#failedOnce.delete(n);
    this.#failures.delete(n);
  }

  startFor(n: number, isVideoCopy: boolean): NextStart {
    const stepsBack = this.#stepsBack.get(n) ?? 0;
    const forOpenGop = isVideoCopy && this.#isOpenGop && n > 0 ? 1 : 0;
    return { stepsBack: Math.max(stepsBack, forOpenGop), isStrict: stepsBack === 0 };
  }

  learn(run: EndedRun, end: SlotEnd): Lesson {
    switch (end.kind) {
      case "done":
        return AGAIN;
      case "refused":
        return { refused: end.error, last: null };
      case "bad_start":
        return this.#learnBadStart(run, end.why);
      case "film_ended":
        return this.#learnEnd(run, end.rest);
      case "failed":
        return this.#learnFailure(run, end.error);
    }
  }

  #learnBadStart(run: EndedRun, why: "late" | "open_gop"): Lesson {
    if (!run.isStrict) {
      return this.#learnFailure(run, new TorrxError("unsupported_media", "the film has no key frame here"));
    }
    if (why === "open_gop" && run.stepsBack === 0) this.#isOpenGop = true;
    else this.#stepsBack.set(run.first, run.stepsBack + 1);
    return AGAIN;
  }

  #learnEnd(run: EndedRun, rest: Uint8Array | null): Lesson {
    if (!this.#endedOnce.has(run.next)) {
      this.#endedOnce.add(run.next);
      return AGAIN;
    }
    this.#filmEnd = Math.min(this.#filmEnd, rest === null ? run.next : run.next + 1);
    return { refused: null, last: rest };
  }

  #learnFailure(run: EndedRun, error: TorrxError): Lesson {
    if (!this.#failedOnce.has(run.next)) {
      this.#failedOnce.add(run.next);
      return AGAIN;
    }
    this.#failedOnce.delete(run.next);
    if (!error.retryable) this.#failures.set(run.next, { error, atMs: this.#clock.nowMs() });
    return { refused: error, last: null };
  }
}
