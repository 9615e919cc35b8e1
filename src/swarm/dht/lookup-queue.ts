// Lookups and announces in line. A lookup costs dozens of packets, and an announce needs one first: so there is one
// job per info hash, which all who ask for it share and which ends with the announce; few jobs run at once, and the
// newest goes first, for that is what somebody waits for.

import { addressKey, type PeerAddress } from "../../base/address.ts";
import type { InfoHash } from "../../base/brand.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";

/** A job that has not ended by then makes room; nodes that are silent cost 2 s each. */
const JOB_MS = 60_000;

type Seeker = (peer: PeerAddress) => void;

interface Job {
  readonly infoHash: InfoHash;
  /** Each with what takes it off its abort signal. */
  readonly seekers: Map<Seeker, () => void>;
  readonly seen: Map<string, PeerAddress>;
  announcePort: number | null;
  /** null while it waits. */
  running: { readonly abort: () => void; readonly timer: Timer } | null;
}

export interface LookupQueueOptions {
  readonly clock: Clock;
  /** Whether lookups can find their way now. */
  readonly isReady: () => boolean;
  /** Begins one; calls back when it is over; returns what ends it. */
  readonly lookup: (infoHash: InfoHash, onDone: () => void) => () => void;
  readonly announce: (infoHash: InfoHash, port: number) => void;
}

export class LookupQueue {
  readonly #options: LookupQueueOptions;
  readonly #jobs = new Map<InfoHash, Job>();
  #runningCount = 0;

  constructor(options: LookupQueueOptions) {
    this.#options = options;
  }

  /** `onPeer` is told each peer once, also those that a running job found before. */
  find(infoHash: InfoHash, onPeer: Seeker, signal: AbortSignal): void {
    if (signal.aborted) return;
    const job = this.#jobFor(infoHash);
    const seeker: Seeker = (peer) => onPeer(peer);
    const leave = () => {
      signal.removeEventListener("abort", leave);
      job.seekers.delete(seeker);
      if (job.seekers.size === 0 && job.announcePort === null) this.#end(job);
    };
    job.seekers.set(seeker, () => signal.removeEventListener("abort", leave));
    signal.addEventListener("abort", leave);
    for (const peer of job.seen.values()) seeker(peer);
    this.run();
  }

  announce(infoHash: InfoHash, port: number): void {
    this.#jobFor(infoHash).announcePort = port;
    this.run();
  }

  /** A peer that a lookup found; at most LIMITS.dht.peersPerLookup of a job are told. */
  onPeer(infoHash: InfoHash, peer: PeerAddress): void {
    const job = this.#jobs.get(infoHash);
    const key = addressKey(peer);
    if (job === undefined || job.seen.has(key) || job.seen.size >= LIMITS.dht.peersPerLookup) return;
    job.seen.set(key, peer);
    for (const seeker of [...job.seekers.keys()]) seeker(peer);
  }

  /** Starts what may start. */
  run(): void {
    const waiting = [...this.#jobs.values()].filter((job) => job.running === null);
    while (this.#runningCount < LIMITS.dht.lookupsAtOnce && this.#options.isReady()) {
      const job = waiting.pop();
      if (job === undefined) return;
      this.#start(job);
    }
  }

  close(): void {
    for (const job of [...this.#jobs.values()]) {
      job.announcePort = null;
      this.#end(job);
    }
  }

  #jobFor(infoHash: InfoHash): Job {
    let job = this.#jobs.get(infoHash);
    if (job === undefined) {
      job = { infoHash, seekers: new Map(), seen: new Map(), announcePort: null, running: null };
      this.#jobs.set(infoHash, job);
    }
    return job;
  }

  #start(job: Job): void {
    this.#runningCount++;
    const done = () => {
      if (this.#jobs.get(job.infoHash) === job) this.#end(job);
    };
    job.running = {
      abort: this.#options.lookup(job.infoHash, done),
      timer: this.#options.clock.after(JOB_MS, done),
    };
  }

  #end(job: Job): void {
    this.#jobs.delete(job.infoHash);
    for (const takeOff of job.seekers.values()) takeOff();
    if (job.running === null) return;
    this.#runningCount--;
    job.running.timer.cancel();
    job.running.abort();
    if (job.announcePort !== null) this.#options.announce(job.infoHash, job.announcePort);
    this.run();
  }
}
