// The info dictionary of a magnet, asked of peers (BEP 9), and served to peers once it is known.

import type { InfoHash } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import { MetadataFetch, MetadataServe } from "../swarm/index.ts";
import type { Peer } from "./peer.ts";

/** Parts of 16 KiB that one peer may ask for: the largest dictionary once, then a slow repeat. */
const SERVED_PARTS_BURST = 1024;
const SERVED_PARTS_PER_SEC = 16;

export class MetadataSession {
  readonly #clock: Clock;
  readonly #served = new WeakMap<Peer, TokenBucket>();
  #fetch: MetadataFetch | null = null;
  #serve: MetadataServe | null = null;

  constructor(options: {
    infoHash: InfoHash;
    infoBytes: Uint8Array | null;
    clock: Clock;
    log: Log;
    onComplete: (infoBytes: Uint8Array) => void;
  }) {
    this.#clock = options.clock;
    if (options.infoBytes !== null) {
      this.#serve = new MetadataServe(options.infoBytes);
      return;
    }
    this.#fetch = new MetadataFetch({
      infoHash: options.infoHash,
      clock: options.clock,
      log: options.log,
      onComplete: (infoBytes) => {
        this.#fetch = null;
        this.#serve = new MetadataServe(infoBytes);
        options.onComplete(infoBytes);
      },
    });
  }

  /** Parts had of parts known; null while no peer has told the size. */
  get progress(): { readonly have: number; readonly total: number } | null {
    const progress = this.#fetch?.progress;
    if (progress === undefined || progress.totalParts === 0) return null;
    return { have: progress.haveParts, total: progress.totalParts };
  }

  addPeer(peer: Peer): void {
    const extended = peer.extended;
    if (extended === null || extended.metadataBytes === null || !extended.extensions.has("ut_metadata"))
      return;
    this.#fetch?.addPeer(peer.key, extended.metadataBytes, (payload) => {
      peer.link.extended("ut_metadata", payload);
      peer.link.flush();
    });
  }

  removePeer(peer: Peer): void {
    this.#fetch?.removePeer(peer.key);
  }

  onMessage(peer: Peer, payload: Uint8Array): void {
    if (this.#fetch !== null) {
      this.#fetch.onMessage(peer.key, payload);
      return;
    }
    const answer = this.#serve?.answer(payload) ?? null;
    if (answer === null || !this.#mayServe(peer)) return;
    peer.link.extended("ut_metadata", answer);
    peer.link.flush();
  }

  #mayServe(peer: Peer): boolean {
    const nowMs = this.#clock.nowMs();
    let bucket = this.#served.get(peer);
    if (bucket === undefined) {
      bucket = new TokenBucket({ ratePerSec: SERVED_PARTS_PER_SEC, burst: SERVED_PARTS_BURST, nowMs });
      this.#served.set(peer, bucket);
    }
    return bucket.tryTake(1, nowMs);
  }

  tick(): void {
    this.#fetch?.tick();
  }
}
