// One address that a torrent may dial, and which of two is dialled first. Pure.

import { addressKey, type PeerAddress } from "../../base/address.ts";
import type { Random } from "../../base/random.ts";
import type { PeerSource } from "../ports.ts";
import { isLocal } from "./address-rules.ts";
import { banKey } from "./ban-list.ts";

export interface Candidate {
  readonly address: PeerAddress;
  /** addressKey of it. */
  readonly key: string;
  /** banKey of its host. */
  readonly banKey: string;
  readonly isLocal: boolean;
  source: PeerSource;
  failCount: number;
  /** Not to be dialled before this time. */
  notBeforeMs: number;
  /** When a connection that was of use ended; −Infinity without one. */
  lastUsefulMs: number;
  /** Random rank among equals, so that not every client of a swarm dials the same peers first. */
  readonly lot: number;
}

/** Of this many failures a candidate is dialled only when no better one is left. */
export const LAST_RESORT_FAILS = 3;

const RETRY_FIRST_MS = 15_000;
const RETRY_MAX_MS = 600_000;

/** Sources by how much is known of what they name: what a person named, then trackers, then strangers. */
const SOURCE_RANK: Readonly<Record<PeerSource, number>> = {
  manual: 0,
  magnet: 1,
  incoming: 2,
  tracker_private: 3,
  tracker: 4,
  dht: 5,
};

export function newCandidate(address: PeerAddress, source: PeerSource, random: Random): Candidate {
  return {
    address,
    key: addressKey(address),
    banKey: banKey(address.host),
    isLocal: isLocal(address.host),
    source,
    failCount: 0,
    notBeforeMs: Number.NEGATIVE_INFINITY,
    lastUsefulMs: Number.NEGATIVE_INFINITY,
    lot: random.next(),
  };
}

/** Negative when `a` is to be dialled before `b`. */
export function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    a.failCount - b.failCount ||
    Number(b.isLocal) - Number(a.isLocal) ||
    compareUseful(a, b) ||
    SOURCE_RANK[a.source] - SOURCE_RANK[b.source] ||
    a.lot - b.lot
  );
}

export function isBetterSource(source: PeerSource, than: PeerSource): boolean {
  return SOURCE_RANK[source] < SOURCE_RANK[than];
}

/** Milliseconds until the next try after `failCount` failures (0 = it was of use): 15 s·2^n ± a quarter, ≤ 10 min. */
export function retryDelayMs(failCount: number, random: Random): number {
  const delayMs = RETRY_FIRST_MS * 2 ** Math.min(Math.max(0, failCount - 1), 10);
  return Math.min(RETRY_MAX_MS, delayMs * (0.75 + 0.5 * random.next()));
}

/** The latest first; two that never were of use are equal (their difference is not a number). */
function compareUseful(a: Candidate, b: Candidate): number {
  return a.lastUsefulMs === b.lastUsefulMs ? 0 : b.lastUsefulMs - a.lastUsefulMs;
}
