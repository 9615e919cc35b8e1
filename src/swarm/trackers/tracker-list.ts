// The trackers of one torrent: every tier announces on its own, at all times to one tracker of it (BEP 12, as
// libtorrent does with announce_to_all_tiers), so that one dead tier never keeps the others' peers away.

import type { PeerAddress } from "../../base/address.ts";
import { LIMITS } from "../../base/limits.ts";
import { shuffled } from "../../base/random.ts";
import type { PeerSource, TrackerState } from "../ports.ts";
import { type AnnounceReason, type TierDeps, TrackerTier } from "./tracker-tier.ts";

export interface TrackerListOptions extends Omit<TierDeps, "onReply"> {
  /** As the torrent gives them (BEP 12); order inside a tier is lost on purpose. */
  readonly tiers: readonly (readonly string[])[];
  readonly onPeers: (peers: readonly PeerAddress[], source: PeerSource) => void;
}

/** Owns its timers and announces from `start` to `stop`; may be started again. */
export class TrackerList {
  readonly #options: TrackerListOptions;
  readonly #known = new Set<string>();
  readonly #tiers: TrackerTier[] = [];
  #isRunning = false;

  constructor(options: TrackerListOptions) {
    this.#options = options;
    for (const urls of options.tiers) this.#addTier(urls);
  }

  /** The first announces go at a random moment within `withinMs` (0 = now), so that a start of many is spread. */
  start({ withinMs = 0 }: { withinMs?: number } = {}): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (const tier of this.#tiers) tier.start(withinMs * this.#options.random.next());
  }

  /** As soon as each tracker's own minimum interval allows; trackers that failed only `by_hand`. */
  announceNow(reason: AnnounceReason = "by_hand"): void {
    for (const tier of this.#tiers) tier.announceNow(reason);
  }

  /** To be called once, when the last wanted byte of the torrent is there, not when it was there from the start. */
  completed(): void {
    for (const tier of this.#tiers) tier.completed();
  }

  /** Says goodbye to the trackers that know us; settles within a second whatever they do. Never rejects. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    await Promise.all(this.#tiers.map((tier) => tier.stop()));
  }

  /** Adds trackers that are not there yet, each as a tier of its own; past LIMITS.metainfo.trackers none. */
  add(urls: readonly string[]): void {
    for (const url of urls) {
      const tier = this.#addTier([url]);
      if (this.#isRunning) tier?.start(0);
    }
  }

  states(): TrackerState[] {
    return this.#tiers.flatMap((tier) => tier.states());
  }

  #addTier(urls: readonly string[]): TrackerTier | null {
    const fresh: string[] = [];
    for (const url of urls) {
      if (this.#known.has(url) || this.#known.size >= LIMITS.metainfo.trackers) continue;
      this.#known.add(url);
      fresh.push(url);
    }
    if (fresh.length === 0) return null;
    const { onPeers, random } = this.#options;
    const deps: TierDeps = {
      ...this.#options,
      onReply: ({ peers, isPrivateTracker }) => {
        if (peers.length > 0) onPeers(peers, isPrivateTracker ? "tracker_private" : "tracker");
      },
    };
    const tier = new TrackerTier(deps, this.#tiers.length, shuffled(fresh, random));
    this.#tiers.push(tier);
    return tier;
  }
}
