// Where a torrent's peers come from: its trackers, and the DHT unless the torrent is private (BEP 27).

import { addressKey, type PeerAddress } from "../base/address.ts";
import type { Timer } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { type PeerSource, TrackerList, type TrackerState } from "../swarm/index.ts";
import type { Shared } from "./shared.ts";
import type { SessionFacts } from "./swarm-session.ts";

const DHT_ANNOUNCE_MS = 15 * 60_000;
/** Sources that a private torrent must not use (BEP 27). */
export const PUBLIC_SOURCES: ReadonlySet<PeerSource> = new Set(["dht", "magnet"]);

export class PeerSources {
  readonly #shared: Shared;
  readonly #facts: SessionFacts;
  readonly #trackers: TrackerList;
  readonly #onPeers: (addresses: readonly PeerAddress[], source: PeerSource) => void;
  #dhtTimer: Timer | null = null;
  #dhtLookup: AbortController | null = null;

  constructor(options: {
    shared: Shared;
    log: Log;
    facts: SessionFacts;
    trackers: readonly (readonly string[])[];
    onPeers: (addresses: readonly PeerAddress[], source: PeerSource) => void;
  }) {
    const { shared, facts } = options;
    this.#shared = shared;
    this.#facts = facts;
    this.#onPeers = options.onPeers;
    this.#trackers = new TrackerList({
      tiers: options.trackers,
      client: shared.deps.trackers,
      clock: shared.deps.clock,
      random: shared.deps.random,
      log: options.log,
      onPeers: options.onPeers,
      facts: () => ({
        infoHash: facts.identity().infoHash,
        peerId: shared.peerId,
        port: shared.listenPort,
        leftBytes: facts.leftBytes(),
        ...facts.traffic(),
      }),
    });
  }

  /** The first announces go at a random moment within `withinMs`. */
  start(withinMs: number): void {
    this.#trackers.start({ withinMs });
    const { clock, random } = this.#shared.deps;
    const begin = () => {
      this.#searchDht();
      this.#dhtTimer = clock.every(DHT_ANNOUNCE_MS, () => this.#searchDht());
    };
    if (withinMs === 0) begin();
    else this.#dhtTimer = clock.after(withinMs * random.next(), begin);
  }

  announceNow(): void {
    this.#trackers.announceNow("by_hand");
    this.#searchDht();
  }

  /** Nobody is left to dial; trackers are asked as soon as their minimum interval allows. */
  outOfPeers(): void {
    this.#trackers.announceNow("out_of_peers");
  }

  add(trackerUrls: readonly string[]): void {
    this.#trackers.add(trackerUrls);
  }

  completed(): void {
    this.#trackers.completed();
  }

  states(): readonly TrackerState[] {
    return this.#trackers.states();
  }

  /** For good: no lookup, no announce. */
  stopDht(): void {
    this.#dhtTimer?.cancel();
    this.#dhtLookup?.abort();
  }

  stop(): Promise<void> {
    this.stopDht();
    return this.#trackers.stop();
  }

  #searchDht(): void {
    const dht = this.#shared.dht;
    if (dht === null || this.#facts.isPrivate()) return;
    const { infoHash } = this.#facts.identity();
    this.#dhtLookup?.abort();
    this.#dhtLookup = new AbortController();
    dht.lookup(infoHash, (peer) => this.#onPeers([peer], "dht"), this.#dhtLookup.signal);
    dht.announce(infoHash, this.#shared.listenPort);
  }
}

/** Each once; of very many the latest. */
export function mergedPeers(
  known: readonly PeerAddress[],
  more: readonly PeerAddress[],
): readonly PeerAddress[] {
  if (more.length === 0) return known;
  const byKey = new Map([...known, ...more].map((peer) => [addressKey(peer), peer]));
  return [...byKey.values()].slice(-LIMITS.peer.candidates);
}
