// Who waits for a part of a rendition: each until it is there, or its wait is over for its own reasons (it left, or
// nothing has moved for too long). Every waiter is settled exactly once, and leaves no timer and no listener behind.

import type { Clock, Timer } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";

export interface Wish {
  readonly part: "init" | "segment";
  /** The segment; for an init segment, the one at which a run may as well start. */
  readonly n: number;
  readonly client: string;
}

export interface Waiter extends Wish {
  readonly askedMs: number;
  /** It is known that the store does not have it: a run must make it. */
  isMissing: boolean;
  settle(bytes: Uint8Array): void;
  refuse(error: unknown): void;
}

export interface WaitingOptions {
  readonly clock: Clock;
  /** When something last moved that this waiter waits for (Clock.nowMs()). */
  readonly progressMs: (waiter: Waiter) => number;
  /** One has left, or has been given up. */
  readonly onLeft: () => void;
}

export class Waiting {
  readonly #options: WaitingOptions;
  readonly #waiters = new Set<Waiter>();

  constructor(options: WaitingOptions) {
    this.#options = options;
  }

  get all(): readonly Waiter[] {
    return [...this.#waiters];
  }

  /** Rejects the signal's reason; TorrxError("busy", "waiting_pieces: …") after LIMITS.runs.waitMs without progress. */
  add(wish: Wish, signal: AbortSignal, onAdded: (waiter: Waiter) => void): Promise<Uint8Array> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      let timer: Timer | null = null;
      const onAbort = () => waiter.refuse(signal.reason);
      const leave = () => {
        timer?.cancel();
        signal.removeEventListener("abort", onAbort);
        return this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        ...wish,
        askedMs: this.#options.clock.nowMs(),
        isMissing: false,
        settle: (bytes) => {
          leave();
          resolve(bytes);
        },
        refuse: (error) => {
          const wasWaiting = leave();
          reject(error);
          if (wasWaiting) this.#options.onLeft();
        },
      };
      const watch = (afterMs: number) => {
        timer = this.#options.clock.after(afterMs, () => {
          const leftMs = this.#leftMs(waiter);
          if (leftMs > 0) watch(leftMs);
          else waiter.refuse(noProgress());
        });
      };
      watch(LIMITS.runs.waitMs);
      signal.addEventListener("abort", onAbort);
      this.#waiters.add(waiter);
      onAdded(waiter);
    });
  }

  refuseWhere(isMeant: (waiter: Waiter) => boolean, error: unknown): void {
    for (const waiter of this.all) if (isMeant(waiter)) waiter.refuse(error);
  }

  #leftMs(waiter: Waiter): number {
    const { clock, progressMs } = this.#options;
    const sinceMs = Math.max(waiter.askedMs, progressMs(waiter));
    return sinceMs + LIMITS.runs.waitMs - clock.nowMs();
  }
}

function noProgress(): TorrxError {
  const seconds = LIMITS.runs.waitMs / 1000;
  const { retryAfterSec } = LIMITS.runs;
  return new TorrxError("busy", `waiting_pieces: nothing has come for ${seconds} s`, { retryAfterSec });
}
