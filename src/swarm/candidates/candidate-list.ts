// The addresses that a torrent knows and does not forget soon: which to dial next, when again, and never two
// connections to one stranger's IP. Bounded; no timers of its own, every time is handed in or read from the clock.

import type { PeerAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { PeerFaultReason } from "../../base/peer-fault.ts";
import type { Random } from "../../base/random.ts";
import { canonicalIp } from "../egress/ip-literal.ts";
import type { PeerSource } from "../ports.ts";
import { ActivePeers, canonical } from "./active-peers.ts";
import { type BanCause, type BanList, banKey } from "./ban-list.ts";
import {
  type Candidate,
  compareCandidates,
  isBetterSource,
  LAST_RESORT_FAILS,
  newCandidate,
  retryDelayMs,
} from "./candidate.ts";

export type DialFailure = "refused" | "timed_out" | "unreachable" | "handshake" | "self";

/** How a connection ended. closed: by the peer or the network. local: by us, for no fault of the peer's. */
export interface Disconnection {
  /** Whether we got or gave a block over it. */
  readonly wasUseful: boolean;
  readonly reason: PeerFaultReason | "closed" | "local";
}

export interface CandidateListOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly bans: BanList;
  /** isDialable of address-rules with the policy of the moment. */
  readonly mayDial: (address: PeerAddress, source: PeerSource) => boolean;
  readonly maxCandidates?: number;
}

/** What one source may hold of the list, so that a flood from one leaves room for the others. */
const SOURCE_SHARE = 0.6;

export class CandidateList {
  readonly #options: CandidateListOptions;
  readonly #maxCandidates: number;
  readonly #byKey = new Map<string, Candidate>();
  readonly #bySource = new Map<PeerSource, number>();
  readonly #active = new ActivePeers();
  /** Our own endpoints as others see them, learnt by connecting to ourselves. */
  readonly #ownKeys = new Set<string>();

  constructor(options: CandidateListOptions) {
    this.#options = options;
    this.#maxCandidates = options.maxCandidates ?? LIMITS.peer.candidates;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Takes the addresses that may be dialled; returns how many were new. */
  add(addresses: readonly PeerAddress[], source: PeerSource): number {
    let added = 0;
    for (const address of addresses) {
      if (this.#add(address, source)) added++;
    }
    return added;
  }

  /**
   * The best address to dial now, marked as being dialled until connected, failed or released is told; null when
   * there is none. `mayNow` can pass over addresses for this call (DialGate.mayDial).
   */
  next(nowMs: number, mayNow: (address: PeerAddress) => boolean = () => true): PeerAddress | null {
    let best: Candidate | null = null;
    let hasFresh = false;
    for (const candidate of this.#byKey.values()) {
      if (this.#active.has(candidate.key)) continue;
      if (candidate.failCount < LAST_RESORT_FAILS && !this.#active.isTaken(candidate.address.host)) {
        hasFresh = true;
      }
      if (best !== null && compareCandidates(best, candidate) <= 0) continue;
      if (this.#isReady(candidate, nowMs) && mayNow(candidate.address)) best = candidate;
    }
    if (best === null || (hasFresh && best.failCount >= LAST_RESORT_FAILS)) return null;
    this.#active.set(best.address, "dialing");
    return best.address;
  }

  /** Who named the address, of all that did the best; null where it is not known here. */
  sourceOf(address: PeerAddress): PeerSource | null {
    return this.#find(address)?.source ?? null;
  }

  /** How many addresses could be dialled now; the connect time-out depends on it. */
  waitingCount(nowMs: number): number {
    let count = 0;
    for (const candidate of this.#byKey.values()) {
      if (!this.#active.has(candidate.key) && this.#isReady(candidate, nowMs)) count++;
    }
    return count;
  }

  /** Whether a connection with this host would be a second one that the rule of one per IP forbids. */
  isHostTaken(host: string): boolean {
    return this.#active.isTaken(canonicalIp(host) ?? host);
  }

  /** A connection stands: one that was dialled, or an incoming one from an address that may be unknown here. */
  connected(address: PeerAddress): void {
    this.#active.set(address, "connected");
  }

  /** A dial, or the handshake after it (told before `connected`), came to nothing. */
  failed(address: PeerAddress, kind: DialFailure): void {
    if (!this.#active.end(address, "dialing")) return;
    if (kind === "self") this.#forgetOwn(address);
    else this.#penalise(address);
  }

  /** An address that `next` gave was not dialled after all. */
  released(address: PeerAddress): void {
    this.#active.end(address, "dialing");
  }

  /** The end of a connection that `connected` was told of. */
  disconnected(address: PeerAddress, { wasUseful, reason }: Disconnection): void {
    if (!this.#active.end(address, "connected")) return;
    if (reason === "self_connection") this.#forgetOwn(address);
    else if (wasUseful) this.#rewind(address, true);
    else if (reason === "local" || reason === "duplicate_connection") this.#rewind(address, false);
    else this.#penalise(address);
  }

  /** Bans the host for all torrents and forgets its addresses here. Connections are the caller's to end. */
  ban(host: string, cause: BanCause): void {
    if (!this.#options.bans.add(host, cause)) return;
    const banned = banKey(host);
    for (const candidate of this.#byKey.values()) {
      if (candidate.banKey === banned) this.#delete(candidate);
    }
  }

  /** Forgets what came from these sources and is not connected (a torrent that turns out private, BEP 27). */
  forget(sources: ReadonlySet<PeerSource>): void {
    for (const candidate of this.#byKey.values()) {
      if (sources.has(candidate.source) && !this.#active.has(candidate.key)) this.#delete(candidate);
    }
  }

  #add(raw: PeerAddress, source: PeerSource): boolean {
    const { host, key } = canonical(raw);
    const address = { host, port: raw.port };
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (isBetterSource(source, known.source)) this.#setSource(known, source);
      return false;
    }
    const isWelcome =
      !this.#ownKeys.has(key) &&
      !this.#options.bans.has(host) &&
      this.#options.mayDial(address, source) &&
      (this.#bySource.get(source) ?? 0) < this.#maxCandidates * SOURCE_SHARE;
    if (!isWelcome) return false;
    const candidate = newCandidate(address, source, this.#options.random);
    if (this.#byKey.size >= this.#maxCandidates && !this.#makeRoomFor(candidate)) return false;
    this.#byKey.set(key, candidate);
    this.#countSource(source, 1);
    return true;
  }

  /** Drops the worst idle candidate if it is worse than the new one. */
  #makeRoomFor(fresh: Candidate): boolean {
    let worst: Candidate = fresh;
    for (const candidate of this.#byKey.values()) {
      if (!this.#active.has(candidate.key) && compareCandidates(candidate, worst) > 0) worst = candidate;
    }
    if (worst === fresh) return false;
    this.#delete(worst);
    return true;
  }

  #isReady(candidate: Candidate, nowMs: number): boolean {
    return (
      candidate.notBeforeMs <= nowMs &&
      !this.#active.isTaken(candidate.address.host) &&
      !this.#options.bans.hasKey(candidate.banKey)
    );
  }

  /** The address may be dialled again after the shortest wait; a useful one keeps its rank over strangers. */
  #rewind(address: PeerAddress, wasUseful: boolean): void {
    const candidate = this.#find(address);
    if (candidate === undefined) return;
    const nowMs = this.#options.clock.nowMs();
    candidate.notBeforeMs = nowMs + retryDelayMs(0, this.#options.random);
    if (!wasUseful) return;
    candidate.failCount = 0;
    candidate.lastUsefulMs = nowMs;
  }

  #penalise(address: PeerAddress): void {
    const candidate = this.#find(address);
    if (candidate === undefined) return;
    candidate.failCount++;
    candidate.notBeforeMs =
      this.#options.clock.nowMs() + retryDelayMs(candidate.failCount, this.#options.random);
  }

  #forgetOwn(address: PeerAddress): void {
    const candidate = this.#find(address);
    if (candidate !== undefined) this.#delete(candidate);
    this.#ownKeys.add(canonical(address).key);
  }

  #find(address: PeerAddress): Candidate | undefined {
    return this.#byKey.get(canonical(address).key);
  }

  #setSource(candidate: Candidate, source: PeerSource): void {
    this.#countSource(candidate.source, -1);
    this.#countSource(source, 1);
    candidate.source = source;
  }

  #delete(candidate: Candidate): void {
    this.#byKey.delete(candidate.key);
    this.#countSource(candidate.source, -1);
  }

  #countSource(source: PeerSource, change: 1 | -1): void {
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + change);
  }
}
