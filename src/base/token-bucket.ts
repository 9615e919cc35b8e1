// A rate limit as a bucket that fills with time. 0 as rate means no limit. The bucket may go into debt by one take,
// so that the mean rate holds whatever the size of a single take is.

export class TokenBucket {
  #ratePerSec: number;
  #capacity: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(options: { ratePerSec: number; burst: number; nowMs: number }) {
    this.#ratePerSec = options.ratePerSec;
    this.#capacity = options.burst;
    this.#tokens = options.burst;
    this.#filledAtMs = options.nowMs;
  }

  /** What may be taken now: Infinity without a limit, ≤ 0 when nothing. */
  available(nowMs: number): number {
    if (this.#ratePerSec === 0) return Number.POSITIVE_INFINITY;
    const elapsedSec = Math.max(0, nowMs - this.#filledAtMs) / 1000;
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + elapsedSec * this.#ratePerSec);
    return this.#tokens;
  }

  take(amount: number): void {
    if (this.#ratePerSec !== 0) this.#tokens -= amount;
  }

  /** Takes one whole amount if it is there. */
  tryTake(amount: number, nowMs: number): boolean {
    if (this.available(nowMs) < amount) return false;
    this.take(amount);
    return true;
  }

  setRate(ratePerSec: number, burst: number): void {
    this.#ratePerSec = ratePerSec;
    this.#capacity = burst;
    this.#tokens = Math.min(this.#tokens, burst);
  }
}
