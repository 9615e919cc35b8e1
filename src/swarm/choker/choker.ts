// The choker of one torrent: keeps between rounds what chooseUnchoked needs. The owner calls round() every
// LIMITS.choker.roundMs and whenever slots became free, onInterested() as peers ask, onGone() as they leave, and
// carries out what is answered. Invariant: never more peers unchoked than slots.

import { LIMITS } from "../../base/limits.ts";
import {
  type ChokeCandidate,
  type ChokeState,
  chooseUnchoked,
  type PeerChokeState,
} from "./choose-unchoked.ts";

export class Choker {
  readonly #slots: number;
  readonly #quotaBytes: number;
  #peers = new Map<number, PeerChokeState>();
  #optimistic: ReadonlyMap<number, number> = new Map();

  constructor(options: { pieceLengthBytes: number; slots?: number }) {
    this.#slots = options.slots ?? LIMITS.choker.slots;
    this.#quotaBytes = LIMITS.choker.quotaPieces * options.pieceLengthBytes;
  }

  /** Peers that should be unchoked now, by key. All others are to be choked. */
  round(nowMs: number, peers: readonly ChokeCandidate[], isSeeding: boolean): ReadonlySet<number> {
    const state: ChokeState = { peers: this.#peers, optimistic: this.#optimistic };
    const { unchoked, optimistic } = chooseUnchoked(peers, state, {
      nowMs,
      isSeeding,
      slots: this.#slots,
      optimisticSlots: Math.min(this.#slots, Math.max(1, Math.floor(this.#slots / 5))),
      optimisticMs: LIMITS.choker.optimisticMs,
      quotaBytes: this.#quotaBytes,
      quotaMs: LIMITS.choker.quotaMs,
    });
    this.#optimistic = optimistic;
    this.#peers = new Map(
      peers.map((peer) => [peer.peer, this.#after(peer, { isUnchoked: unchoked.has(peer.peer), nowMs })]),
    );
    return unchoked;
  }

  /** True where the peer shall be unchoked at once because a slot is free. */
  onInterested(candidate: ChokeCandidate, nowMs: number): boolean {
    const known = this.#peers.get(candidate.peer);
    if (known?.unchokedAtMs != null) return true;
    const isUnchoked = this.unchokedCount < this.#slots;
    // Totals stay those of the last round, so that what was received since then counts in the next.
    const totals = known ?? {
      receivedAtRoundBytes: candidate.receivedBytes,
      sentAtRoundBytes: candidate.sentBytes,
    };
    this.#peers.set(candidate.peer, {
      ...this.#after(candidate, { isUnchoked, nowMs }),
      receivedAtRoundBytes: totals.receivedAtRoundBytes,
      sentAtRoundBytes: totals.sentAtRoundBytes,
    });
    return isUnchoked;
  }

  onGone(peer: number): void {
    this.#peers.delete(peer);
  }

  get unchokedCount(): number {
    let count = 0;
    for (const state of this.#peers.values()) if (state.unchokedAtMs !== null) count++;
    return count;
  }

  #after(candidate: ChokeCandidate, now: { isUnchoked: boolean; nowMs: number }): PeerChokeState {
    const known = this.#peers.get(candidate.peer);
    const wasUnchoked = known !== undefined && known.unchokedAtMs !== null;
    const totals = { receivedAtRoundBytes: candidate.receivedBytes, sentAtRoundBytes: candidate.sentBytes };
    if (known !== undefined && wasUnchoked && now.isUnchoked) return { ...known, ...totals };
    // Waiting begins with the interest, and anew when a slot is lost.
    const keepsWaiting = known !== undefined && !wasUnchoked && candidate.isInterested;
    return {
      ...totals,
      unchokedAtMs: now.isUnchoked ? now.nowMs : null,
      sentAtUnchokeBytes: candidate.sentBytes,
      waitingSinceMs: keepsWaiting ? known.waitingSinceMs : now.nowMs,
    };
  }
}
