// How long a request is held for what is still being made: while something moves, but not for ever, and 20 s while
// nothing does. Then its player is told why, and to ask again (PRODUCT §8).

import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import type { Wait, WaitCode } from "../../engine/port.ts";

export interface Progress {
  /** Another text means that something has moved. */
  readonly marker: string;
  /** What the swarm is waited for with; null where all that is needed is there. */
  readonly wait: Wait | null;
}

export interface Patience {
  readonly clock: Clock;
  /** The client's going away. */
  readonly signal: AbortSignal;
  readonly look: () => Promise<Progress>;
}

const LOOK_MS = 1_000;
const STILL_MS = 20_000;
/** Players give up by themselves after about 45 s without a byte. */
const LONGEST_MS = 40_000;
const RETRY_SEC = 2;

const WAITING = "waiting_pieces";
const CAUSES: Readonly<Record<WaitCode, string>> = {
  META_SEARCH: "nobody has been found yet who has the list of files",
  META_FETCH: "the list of files is on its way",
  NO_PEERS: "nobody is connected who has it",
  CHOKED: "nobody who is connected lets us download yet",
  PART_MISSING: "nobody who is connected has this part",
  HEAD_TAIL: "the file's index is on its way",
  SLOW_SWARM: "the download is slower than the film",
  SEEK_FETCH: "the new position is being loaded",
  DISK_FULL: "the disk is full",
};

/** Rejects what `work` rejects, the signal's reason, or busy (waiting_pieces, transcode_busy). */
export async function patiently<T>(
  work: (signal: AbortSignal) => Promise<T>,
  patience: Patience,
): Promise<T> {
  const held = new HeldRequest(patience);
  try {
    return await work(held.signal);
  } finally {
    held.end();
  }
}

class HeldRequest {
  readonly signal: AbortSignal;
  readonly #patience: Patience;
  readonly #impatience = new AbortController();
  readonly #timer: { cancel(): void };
  readonly #sinceMs: number;
  #movedMs: number;
  #marker: string | null = null;
  #isLooking = false;

  constructor(patience: Patience) {
    const { clock } = patience;
    this.#patience = patience;
    this.#sinceMs = clock.nowMs();
    this.#movedMs = this.#sinceMs;
    this.signal = AbortSignal.any([patience.signal, this.#impatience.signal]);
    this.#timer = clock.every(LOOK_MS, () => this.#look());
  }

  end(): void {
    this.#timer.cancel();
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { clock, look } = this.#patience;
    look()
      .then(({ marker, wait }) => {
        const nowMs = clock.nowMs();
        if (marker !== this.#marker) this.#movedMs = nowMs;
        this.#marker = marker;
        const isOver = nowMs - this.#movedMs >= STILL_MS || nowMs - this.#sinceMs >= LONGEST_MS;
        if (isOver) this.#impatience.abort(busy(wait));
      })
      // Who cannot tell will not be waited for either.
      .catch((error: unknown) => this.#impatience.abort(error))
      .finally(() => {
        this.#isLooking = false;
      });
  }
}

function busy(wait: Wait | null): TorrxError {
  const made = "transcode_busy: this machine has not made it in time";
  return new TorrxError("busy", wait === null ? made : textOf(wait), { retryAfterSec: RETRY_SEC });
}

/** A run found that nothing came for it. */
export function isOfPieces(error: unknown): error is TorrxError {
  return error instanceof TorrxError && error.code === "busy" && error.message.startsWith(WAITING);
}

/** The same, in the words of who knows why. */
export function waitingFor(wait: Wait | null, error: TorrxError): TorrxError {
  if (wait === null) return error;
  return new TorrxError("busy", textOf(wait), {
    cause: error,
    retryAfterSec: error.retryAfterSec ?? RETRY_SEC,
  });
}

function textOf({ code }: Wait): string {
  return `${WAITING}: ${code}, ${CAUSES[code]}`;
}
