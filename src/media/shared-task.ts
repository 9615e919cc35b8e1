// Work that several wait for and that is done once. It is given up when nobody has waited for it for a while: a player
// that was told to ask again later finds it under way.

import type { Clock, Timer } from "../base/clock.ts";
import { unlessAborted } from "./unless-aborted.ts";

const LINGER_MS = 10_000;
const NOBODY = new DOMException("nobody waits for it", "AbortError");

export class SharedTask<T> {
  readonly #clock: Clock;
  readonly #abort = new AbortController();
  readonly #result: Promise<T>;
  #waiting = 0;
  #isOver = false;
  #lingering: Timer | null = null;

  /** `work` begins in this call. */
  constructor(clock: Clock, work: (signal: AbortSignal) => Promise<T>) {
    this.#clock = clock;
    this.#result = work(this.#abort.signal).finally(() => {
      this.#isOver = true;
      this.#lingering?.cancel();
    });
    // Told to those who wait.
    this.#result.catch(() => undefined);
  }

  get isGivenUp(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Rejects with the signal's reason where that ends the wait. */
  async wait(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.#waiting++;
    this.#lingering?.cancel();
    try {
      return await unlessAborted(this.#result, signal);
    } finally {
      this.#waiting--;
      if (this.#waiting === 0 && !this.#isOver) {
        this.#lingering = this.#clock.after(LINGER_MS, () => this.giveUp(NOBODY));
      }
    }
  }

  /** Who still waits is told `reason` by the work. */
  giveUp(reason: Error): void {
    this.#lingering?.cancel();
    this.#abort.abort(reason);
  }
}
