// Download and upload limits: a global bucket and one per torrent, both asked before anything is requested or sent.
// While a stream is short of data, everything that is no stream shares a trickle (ENGINE §2.2, background throttle).

import type { Clock } from "../base/clock.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import { TokenBucket } from "../base/token-bucket.ts";

const BACKGROUND_TRICKLE_BYTES_PER_SEC = 64 * 1024;

/** Half a second's worth, and never less than one block. */
function burstOf(ratePerSec: number): number {
  return Math.max(BLOCK_BYTES, ratePerSec / 2);
}

function createBucket(nowMs: number, ratePerSec = 0): TokenBucket {
  return new TokenBucket({ ratePerSec, burst: burstOf(ratePerSec), nowMs });
}

/** What is shared by all torrents. */
export class RateLimits {
  readonly #clock: Clock;
  readonly #down: TokenBucket;
  readonly #up: TokenBucket;
  readonly #trickle: TokenBucket;
  #isStreamHungry = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#down = createBucket(clock.nowMs());
    this.#up = createBucket(clock.nowMs());
    this.#trickle = createBucket(clock.nowMs(), BACKGROUND_TRICKLE_BYTES_PER_SEC);
  }

  setGlobal(downBytesPerSec: number, upBytesPerSec: number): void {
    this.#down.setRate(downBytesPerSec, burstOf(downBytesPerSec));
    this.#up.setRate(upBytesPerSec, burstOf(upBytesPerSec));
  }

  /** Set each tick from how much lead the streams have. */
  setStreamHungry(isHungry: boolean): void {
    this.#isStreamHungry = isHungry;
  }

  ofTorrent(downBytesPerSec: number, upBytesPerSec: number): TorrentLimits {
    const limits = new TorrentLimits(this.#clock, {
      down: this.#down,
      up: this.#up,
      background: () => (this.#isStreamHungry ? this.#trickle : null),
    });
    limits.set(downBytesPerSec, upBytesPerSec);
    return limits;
  }
}

interface SharedBuckets {
  readonly down: TokenBucket;
  readonly up: TokenBucket;
  /** The bucket that background requests draw from now; null = unthrottled. */
  background(): TokenBucket | null;
}

export class TorrentLimits {
  readonly #clock: Clock;
  readonly #shared: SharedBuckets;
  readonly #down: TokenBucket;
  readonly #up: TokenBucket;

  constructor(clock: Clock, shared: SharedBuckets) {
    this.#clock = clock;
    this.#shared = shared;
    this.#down = createBucket(clock.nowMs());
    this.#up = createBucket(clock.nowMs());
  }

  set(downBytesPerSec: number, upBytesPerSec: number): void {
    this.#down.setRate(downBytesPerSec, burstOf(downBytesPerSec));
    this.#up.setRate(upBytesPerSec, burstOf(upBytesPerSec));
  }

  /** Bytes that may be requested now. */
  downAvailable(): { readonly streamBytes: number; readonly backgroundBytes: number } {
    const nowMs = this.#clock.nowMs();
    const streamBytes = Math.max(
      0,
      Math.min(this.#shared.down.available(nowMs), this.#down.available(nowMs)),
    );
    const trickle = this.#shared.background()?.available(nowMs) ?? Number.POSITIVE_INFINITY;
    return { streamBytes, backgroundBytes: Math.max(0, Math.min(streamBytes, trickle)) };
  }

  takeDown(streamBytes: number, backgroundBytes: number): void {
    this.#shared.down.take(streamBytes + backgroundBytes);
    this.#down.take(streamBytes + backgroundBytes);
    this.#shared.background()?.take(backgroundBytes);
  }

  upAvailable(): number {
    const nowMs = this.#clock.nowMs();
    return Math.min(this.#shared.up.available(nowMs), this.#up.available(nowMs));
  }

  takeUp(bytes: number): void {
    this.#shared.up.take(bytes);
    this.#up.take(bytes);
  }
}
