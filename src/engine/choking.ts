// Carries out what the choker decides: who may download from us. One per transfer; rounds by the clock, and at once
// where a peer becomes interested while a slot is free.

import { LIMITS } from "../base/limits.ts";
import { type ChokeCandidate, Choker } from "../swarm/index.ts";
import type { Peer } from "./peer.ts";
import type { Uploader } from "./uploader.ts";

export class Choking {
  readonly #choker: Choker;
  readonly #uploader: Uploader;
  #nextRoundMs = 0;

  constructor(uploader: Uploader, pieceLengthBytes: number) {
    this.#choker = new Choker({ pieceLengthBytes });
    this.#uploader = uploader;
  }

  interested(peer: Peer, nowMs: number): void {
    if (!peer.isInterested || !peer.amChoking) return;
    if (this.#choker.onInterested(candidateOf(peer), nowMs)) this.#set(peer, false);
  }

  gone(peer: Peer): void {
    this.#choker.onGone(peer.key);
  }

  tick(peers: Iterable<Peer>, nowMs: number, isSeeding: boolean): void {
    if (nowMs < this.#nextRoundMs) return;
    this.#nextRoundMs = nowMs + LIMITS.choker.roundMs;
    const present = [...peers].filter((peer) => peer.isReady);
    const unchoked = this.#choker.round(nowMs, present.map(candidateOf), isSeeding);
    for (const peer of present) this.#set(peer, !unchoked.has(peer.key));
  }

  #set(peer: Peer, isChoking: boolean): void {
    if (peer.amChoking === isChoking) return;
    peer.setChoking(isChoking);
    if (isChoking) this.#uploader.choked(peer);
    else this.#uploader.unchoked(peer);
    peer.link.flush();
  }
}

function candidateOf(peer: Peer): ChokeCandidate {
  return {
    peer: peer.key,
    isInterested: peer.isInterested,
    receivedBytes: peer.downMeter.totalBytes,
    sentBytes: peer.upMeter.totalBytes,
  };
}
