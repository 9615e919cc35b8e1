// What a viewer eats per second, from what the connection takes: a prior by the file's size until enough was seen.

import { RateMeter } from "../../base/rate-meter.ts";

const MIB = 1024 * 1024;
const VIDEO_BYTES_PER_SEC = 1_500_000;
const SMALL_BYTES_PER_SEC = 160_000;
const SMALL_FILE_BYTES = 100 * MIB;
const MOST_BYTES_PER_SEC = 12_500_000;
const TRUSTED_AFTER_MS = 10_000;
/** A paused player goes on sooner or later: its need never falls below this share of the prior. */
const FLOOR_SHARE = 0.25;

export class DrainRate {
  readonly #meter: RateMeter;
  readonly #priorBytesPerSec: number;
  #firstTakenAtMs: number | null = null;

  constructor(fileLengthBytes: number, nowMs: number) {
    this.#meter = new RateMeter({ tauMs: 10_000, nowMs });
    this.#priorBytesPerSec = fileLengthBytes < SMALL_FILE_BYTES ? SMALL_BYTES_PER_SEC : VIDEO_BYTES_PER_SEC;
  }

  taken(bytes: number, nowMs: number): void {
    this.#firstTakenAtMs ??= nowMs;
    this.#meter.add(bytes);
  }

  /** Bytes per second, never 0. A player that fills its buffer at the start is not believed to eat that fast for ever. */
  bytesPerSec(nowMs: number): number {
    const measured = Math.min(MOST_BYTES_PER_SEC, this.#meter.rate(nowMs));
    const isTrusted = this.#firstTakenAtMs !== null && nowMs - this.#firstTakenAtMs >= TRUSTED_AFTER_MS;
    const least = isTrusted ? FLOOR_SHARE * this.#priorBytesPerSec : this.#priorBytesPerSec;
    return Math.max(least, measured);
  }
}
