// One peer as the scheduler sees it: what it has, whether it lets us ask, what it owes us, how fast it is.

import { Bitfield } from "../base/bitfield.ts";
import { BLOCK_BYTES } from "../base/limits.ts";
import { PeerModel, RATE_FLOOR } from "./peer-model.ts";
import type { PeerKey, PeerTraits } from "./ports.ts";
import { RequestQueue } from "./request-queue.ts";

/** Silence after which everything that the peer owes is asked elsewhere. */
const BULK_SNUB_MS = 20_000;
/** An idle snubbed peer gets another chance after this long. */
const SNUB_PARDON_MS = 5_000;
const REFUSAL_MS = 10_000;
/** A peer that rejects this many pieces is left alone as if it choked us. */
const REFUSED_MAX = 256;
const ALLOWED_FAST_MAX = 128;
/** A cancelled block that comes within this time is no unasked one. */
const GHOST_KEEP_MS = 60_000;
const GHOST_COUNTS_MS = 5_000;
const GHOSTS_MAX = 1_000;

export type SnubState = "none" | "stream" | "bulk";

export class PeerState {
  readonly key: PeerKey;
  readonly queue = new RequestQueue();
  /** Of all requests in the queue; the order book's to keep. */
  queuedBytes = 0;
  /** Cancelled requests: their blocks may still come, and are kept if they are still needed. */
  readonly ghosts = new RequestQueue();
  readonly model: PeerModel;
  readonly allowedFast = new Set<number>();
  hasFast = false;
  isChoking = true;
  snub: SnubState = "none";
  /** Rate as of the last tick, and the bytes of cancelled blocks that it may still be sending. */
  rate = 1;
  ghostBytes = 0;
  /** Cancels that were not answered yet, as far as is known: what the peer may have sent before it heard of them. */
  unansweredCancels = 0;
  etaPenaltyMs = 0;
  /** A needed piece that it has (cache of isInteresting), and the epoch of needs when none was found. */
  witness = -1;
  dullEpoch = -1;
  /** Where its search in the rarest-first order goes on. */
  orderCursor = 0;
  /** The piece that it fetches in the background. */
  currentPiece = -1;
  #have: Bitfield;
  #snubbedAtMs = 0;
  /** Pieces that it rejected although it does not choke us: not asked again for a while. */
  readonly #refused = new Set<number>();
  #refusedAtMs = 0;
  #alonePiece = -1;
  #aloneBlock = -1;

  constructor(key: PeerKey, pieceCount: number, nowMs: number) {
    this.key = key;
    this.model = new PeerModel(nowMs);
    this.#have = new Bitfield(pieceCount);
  }

  setTraits(traits: PeerTraits): void {
    this.hasFast = traits.hasFast;
    this.model.setTraits(traits.connectMs, traits.requestQueue);
  }

  get have(): Bitfield {
    return this.#have;
  }

  setHave(have: Bitfield): void {
    this.#have = have;
    this.orderCursor = 0;
    this.witness = -1;
    this.dullEpoch = -1;
  }

  has(piece: number): boolean {
    return this.#have.has(piece);
  }

  get mayAsk(): boolean {
    if (this.#refused.size >= REFUSED_MAX) return false;
    return !this.isChoking || this.allowedFast.size > 0;
  }

  canAsk(piece: number): boolean {
    if (this.isChoking && !this.allowedFast.has(piece)) return false;
    if (this.#refused.size > 0 && (this.#refused.size >= REFUSED_MAX || this.#refused.has(piece)))
      return false;
    return this.#have.has(piece);
  }

  /** Requests that it may still be sent. For blocks needed now its queue may be twice as deep. */
  room(queueMs: number, isNow = false): number {
    if (!this.mayAsk) return 0;
    if (this.snub !== "none") return this.queue.count === 0 ? 1 : 0;
    const depth = this.model.depth(queueMs);
    const allowed = isNow ? Math.min(2 * depth, this.model.depthCap) : depth;
    // Who cancels and asks anew faster than the line can bring it only makes the line longer.
    const crossing = Math.max(0, this.unansweredCancels - allowed);
    return Math.max(0, allowed - this.queue.count - crossing);
  }

  /** Milliseconds until a block asked now would be here. */
  etaNewMs(): number {
    const queued = this.queuedBytes + this.ghostBytes + BLOCK_BYTES;
    return Math.max(this.model.rttMs + (queued * 1000) / this.rate, this.etaPenaltyMs);
  }

  /** Milliseconds until a block that stands behind `bytesAhead` of its own queue is here. */
  etaQueuedMs(bytesAhead: number, ageMs: number): number {
    const remaining = ((bytesAhead + BLOCK_BYTES) * 1000) / this.rate;
    const trip = Math.max(0, this.model.rttMs - ageMs);
    return Math.max(remaining, trip, this.etaPenaltyMs);
  }

  noteAsked(piece: number, block: number): void {
    if (this.queue.count > 0) return;
    this.#alonePiece = piece;
    this.#aloneBlock = block;
  }

  wasAlone(piece: number, block: number): boolean {
    return this.#alonePiece === piece && this.#aloneBlock === block;
  }

  /** Brings rate, penalty for silence, ghosts and the snub state up to date. True when it became snubbed. */
  tick(nowMs: number, priorRate: number): boolean {
    this.model.tick(nowMs);
    this.rate = this.model.rate(nowMs, priorRate);
    this.#expireGhosts(nowMs);
    if (this.#refused.size > 0 && nowMs - this.#refusedAtMs > REFUSAL_MS) {
      this.#refused.clear();
      this.orderCursor = 0;
    }
    const silenceMs = this.model.silenceMs(nowMs);
    const quietMs = 2 * this.model.rttMs + (2 * BLOCK_BYTES * 1000) / this.rate + 100;
    this.etaPenaltyMs = silenceMs > quietMs ? 2 * silenceMs : 0;
    const becameSnubbed = this.#judge(nowMs, silenceMs);
    this.#lowerRate(silenceMs);
    return becameSnubbed;
  }

  /** Not one block in this time: a peer of unknown speed cannot be faster than that. */
  #lowerRate(silenceMs: number): void {
    const waitedMs = silenceMs - this.model.rttMs;
    if (this.model.isMeasured || waitedMs <= 0) return;
    this.rate = Math.min(this.rate, Math.max(RATE_FLOOR, (BLOCK_BYTES * 1000) / waitedMs));
  }

  allowFast(piece: number): void {
    if (this.allowedFast.size < ALLOWED_FAST_MAX) this.allowedFast.add(piece);
  }

  refused(piece: number, nowMs: number): void {
    this.#refused.add(piece);
    this.#refusedAtMs = nowMs;
  }

  /** A block of it came. */
  delivered(nowMs: number): void {
    this.snub = "none";
    if (this.model.isMeasured) this.rate = this.model.rate(nowMs, this.rate);
  }

  #judge(nowMs: number, silenceMs: number): boolean {
    if (this.snub !== "none" && this.queue.count === 0 && nowMs - this.#snubbedAtMs > SNUB_PARDON_MS) {
      this.snub = "none";
    }
    const next: SnubState =
      silenceMs > BULK_SNUB_MS ? "bulk" : silenceMs > this.model.snubAfterMs(this.rate) ? "stream" : "none";
    if (next === "none" || (next === "stream" && this.snub !== "none")) return false;
    this.snub = next;
    this.#snubbedAtMs = nowMs;
    return true;
  }

  #expireGhosts(nowMs: number): void {
    while (
      this.ghosts.count > GHOSTS_MAX ||
      (this.ghosts.count > 0 && nowMs - this.ghosts.sentAtMs(0) > GHOST_KEEP_MS)
    ) {
      this.ghosts.removeAt(0);
    }
    let due = 0;
    let unanswered = 0;
    for (let i = this.ghosts.count - 1; i >= 0 && nowMs - this.ghosts.sentAtMs(i) < GHOST_COUNTS_MS; i--) {
      if (this.ghosts.dueAtMs(i) > nowMs) due++;
      unanswered++;
    }
    this.ghostBytes = due * BLOCK_BYTES;
    // Only BEP 6 promises an answer to a cancel: a block or a reject.
    this.unansweredCancels = this.hasFast ? unanswered : due;
  }
}
