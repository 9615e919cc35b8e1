// What we believe of one peer's speed: block round trip, rates, how long a new block would take, how many requests
// keep it busy (ENGINE §2.2). All O(1); times in milliseconds, rates in bytes per second.

import { BLOCK_BYTES, LIMITS } from "../base/limits.ts";
import { RateMeter } from "../base/rate-meter.ts";

/** Bytes per second below which no peer is thought to be. */
export const RATE_FLOOR = 2 * 1024;
const RTT_WINDOW_MS = 15_000;
const RTT_PRIOR_MS = 150;
const SLOW_START_DEPTH = 4;
const DEPTH_MAX = 500;
const SNUB_MIN_MS = 1_000;
const IDLE_MS = 30_000;
const ACCOUNT_MS = 50;

/** Mean rate over about the last `tauMs` of busy time; unlike a plain EWMA it is not pulled to zero at its start. */
class BusyRate {
  readonly #tauMs: number;
  #bytes = 0;
  #ms = 0;

  constructor(tauMs: number) {
    this.#tauMs = tauMs;
  }

  add(bytes: number, ms: number): void {
    const keep = Math.exp(-ms / this.#tauMs);
    this.#bytes = this.#bytes * keep + bytes;
    this.#ms = this.#ms * keep + ms;
  }

  get bytesPerSec(): number {
    return this.#ms === 0 ? 0 : (this.#bytes * 1000) / this.#ms;
  }
}

export class PeerModel {
  readonly #fast = new BusyRate(2_000);
  readonly #slow = new BusyRate(20_000);
  readonly #shown: RateMeter;
  #peak = 0;
  #blockCount = 0;
  #pendingBytes = 0;
  #busyMs = 0;
  #accountedAtMs: number;
  #isBusy = false;
  /** Last sign of life while something was owed. */
  #progressAtMs: number;
  #idleSinceMs: number;
  #rttMs = Number.POSITIVE_INFINITY;
  #rttBeforeMs = Number.POSITIVE_INFINITY;
  #rttWindowAtMs: number;
  #rttPriorMs = RTT_PRIOR_MS;
  #errMs = 0;
  #isSlowStart = true;
  #slowStartDepth = SLOW_START_DEPTH;
  #slowStartBytes = 0;
  #slowStartAtMs: number;
  #slowStartRate = 0;
  #depthCap: number = LIMITS.peer.requestQueue;

  constructor(nowMs: number) {
    this.#shown = new RateMeter({ tauMs: 3_000, nowMs });
    this.#accountedAtMs = nowMs;
    this.#progressAtMs = nowMs;
    this.#idleSinceMs = nowMs;
    this.#rttWindowAtMs = nowMs;
    this.#slowStartAtMs = nowMs;
  }

  setTraits(connectMs: number | null, requestQueue: number | null): void {
    this.#rttPriorMs = connectMs === null ? RTT_PRIOR_MS : connectMs + 50;
    this.#depthCap =
      requestQueue === null ? LIMITS.peer.requestQueue : Math.max(1, Math.min(DEPTH_MAX, requestQueue - 2));
  }

  get isMeasured(): boolean {
    return this.#blockCount >= 2 && this.#fast.bytesPerSec > 0;
  }

  get depthCap(): number {
    return this.#depthCap;
  }

  get rttMs(): number {
    const measured = Math.min(this.#rttMs, this.#rttBeforeMs);
    return measured === Number.POSITIVE_INFINITY ? this.#rttPriorMs : measured;
  }

  get errMs(): number {
    return this.#errMs;
  }

  /** Bytes per second of busy time; `prior` stands in until two blocks have come. */
  rate(nowMs: number, prior: number): number {
    if (!this.isMeasured) return Math.max(RATE_FLOOR, prior);
    if (!this.#isBusy && nowMs - this.#idleSinceMs > IDLE_MS) return Math.max(RATE_FLOOR, this.#peak / 2);
    return Math.max(RATE_FLOOR, Math.min(this.#fast.bytesPerSec, 1.25 * this.#slow.bytesPerSec));
  }

  /** Bytes per second over all time, busy or not: what a user is shown. */
  shownRate(nowMs: number): number {
    return this.#shown.rate(nowMs);
  }

  /** Milliseconds since the last sign of life while it owes us something. */
  silenceMs(nowMs: number): number {
    return this.#isBusy ? nowMs - this.#progressAtMs : 0;
  }

  /** From this much silence on the peer is not to be trusted with urgent blocks. */
  snubAfterMs(rate: number): number {
    return Math.max(SNUB_MIN_MS, 2 * this.rttMs + (2 * BLOCK_BYTES * 1000) / rate + 4 * this.#errMs + 100);
  }

  /** Requests that keep the peer busy for `queueMs`, or for two round trips where that is longer. */
  depth(queueMs: number): number {
    const byRate = Math.min(this.#depthByRate(queueMs), this.#depthCap);
    if (!this.#isSlowStart) return byRate;
    return Math.min(
      this.#slowStartDepth,
      this.isMeasured ? Math.min(this.#depthCap, Math.max(SLOW_START_DEPTH, byRate)) : this.#depthCap,
    );
  }

  #depthByRate(leastMs: number): number {
    const queueMs = Math.min(3_000, Math.max(leastMs, 2 * this.rttMs));
    const blocks = Math.ceil((this.#fast.bytesPerSec * queueMs) / 1000 / BLOCK_BYTES) + 1;
    return Math.max(2, blocks);
  }

  signOfLife(nowMs: number): void {
    this.#progressAtMs = nowMs;
  }

  becameBusy(nowMs: number): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#accountedAtMs = nowMs;
    this.#progressAtMs = nowMs;
  }

  becameIdle(nowMs: number): void {
    if (!this.#isBusy) return;
    this.#account(nowMs);
    this.#isBusy = false;
    this.#idleSinceMs = nowMs;
  }

  /** A block of ours came in that was thought to come at `dueAtMs`. */
  blockReceived(nowMs: number, lengthBytes: number, dueAtMs: number): void {
    this.#blockCount++;
    this.#pendingBytes += lengthBytes;
    this.#shown.add(lengthBytes);
    this.#progressAtMs = nowMs;
    const deviation = Math.abs(nowMs - dueAtMs);
    this.#errMs += (Math.min(deviation, 5_000) - this.#errMs) / 8;
    if (this.#isSlowStart) this.#slowStart(nowMs, lengthBytes);
    if (nowMs - this.#accountedAtMs > ACCOUNT_MS) this.#account(nowMs);
  }

  /** Folds what came since the last time into the rates. */
  tick(nowMs: number): void {
    if (this.#isBusy) this.#account(nowMs);
  }

  #account(nowMs: number): void {
    this.#busyMs += nowMs - this.#accountedAtMs;
    this.#accountedAtMs = nowMs;
    if (this.#busyMs < ACCOUNT_MS || (this.#blockCount === 0 && this.#pendingBytes === 0)) return;
    this.#fast.add(this.#pendingBytes, this.#busyMs);
    this.#slow.add(this.#pendingBytes, this.#busyMs);
    this.#peak = Math.max(this.#peak, this.#fast.bytesPerSec);
    this.#pendingBytes = 0;
    this.#busyMs = 0;
  }

  /** A block came for which nothing else was owed when it was asked. */
  roundTrip(nowMs: number, elapsedMs: number): void {
    if (nowMs - this.#rttWindowAtMs > RTT_WINDOW_MS) {
      this.#rttBeforeMs = this.#rttMs;
      this.#rttMs = Number.POSITIVE_INFINITY;
      this.#rttWindowAtMs = nowMs;
    }
    this.#rttMs = Math.min(this.#rttMs, Math.max(1, elapsedMs));
  }

  #slowStart(nowMs: number, bytes: number): void {
    this.#slowStartDepth++;
    this.#slowStartBytes += bytes;
    const elapsedMs = nowMs - this.#slowStartAtMs;
    if (elapsedMs < 1_000) return;
    const rate = (this.#slowStartBytes * 1000) / elapsedMs;
    if (this.#slowStartRate > 0 && rate < 1.1 * this.#slowStartRate) this.#isSlowStart = false;
    this.#slowStartRate = rate;
    this.#slowStartBytes = 0;
    this.#slowStartAtMs = nowMs;
  }
}
