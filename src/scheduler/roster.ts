// The peers of one torrent and what they have: membership, haves, availability, interest.

import { Bitfield } from "../base/bitfield.ts";
import { Availability } from "./availability.ts";
import { PeerState } from "./peer-state.ts";
import type { PieceTable } from "./piece-table.ts";
import type { PeerKey } from "./ports.ts";

const PRIOR_RATE = 64 * 1024;
const PRIOR_RATE_MAX = 256 * 1024;

export class Roster {
  readonly availability: Availability;
  readonly #pieces: PieceTable;
  readonly #byKey = new Map<PeerKey, PeerState>();
  #list: PeerState[] = [];
  /** Grows when something may have become needed that was not. */
  #needEpoch = 0;

  constructor(pieces: PieceTable) {
    this.#pieces = pieces;
    this.availability = new Availability(pieces.count);
  }

  get list(): readonly PeerState[] {
    return this.#list;
  }

  find(key: PeerKey): PeerState | undefined {
    return this.#byKey.get(key);
  }

  add(key: PeerKey, nowMs: number): PeerState {
    const peer = new PeerState(key, this.#pieces.count, nowMs);
    peer.rate = this.priorRate(nowMs);
    this.#byKey.set(key, peer);
    this.#list.push(peer);
    return peer;
  }

  remove(peer: PeerState): void {
    this.availability.remove(peer.have);
    this.#byKey.delete(peer.key);
    this.#list = this.#list.filter((each) => each !== peer);
  }

  gain(peer: PeerState, piece: number): boolean {
    if (piece < 0 || piece >= this.#pieces.count || peer.has(piece)) return false;
    this.availability.gain(peer.have, piece);
    peer.have.add(piece);
    if (this.#pieces.isNeeded(piece)) peer.witness = piece;
    return true;
  }

  replaceHave(peer: PeerState, have: Bitfield): void {
    this.availability.remove(peer.have);
    peer.setHave(have);
    this.availability.add(have);
  }

  needsChanged(): void {
    this.#needEpoch++;
  }

  /** Whether the peer has anything that we need. A needed piece once found is looked at first. */
  isInteresting(peer: PeerState): boolean {
    if (peer.witness >= 0 && this.#pieces.isNeeded(peer.witness) && peer.has(peer.witness)) return true;
    if (peer.dullEpoch === this.#needEpoch && peer.witness < 0) return false;
    const start = Math.max(0, peer.witness);
    for (let step = 0; step < this.#pieces.count; step++) {
      const piece = (start + step) % this.#pieces.count;
      if (!this.#pieces.isNeeded(piece) || !peer.has(piece)) continue;
      peer.witness = piece;
      return true;
    }
    peer.witness = -1;
    peer.dullEpoch = this.#needEpoch;
    return false;
  }

  /** What is assumed of a peer that delivered nothing yet: half of what the others do. */
  priorRate(nowMs: number): number {
    const rates = this.#list
      .filter((peer) => peer.model.isMeasured)
      .map((peer) => peer.model.rate(nowMs, PRIOR_RATE))
      .sort((a, b) => a - b);
    if (rates.length === 0) return PRIOR_RATE;
    return Math.min(PRIOR_RATE_MAX, (rates[rates.length >> 1] ?? PRIOR_RATE) / 2);
  }

  full(): Bitfield {
    return Bitfield.full(this.#pieces.count);
  }
}
