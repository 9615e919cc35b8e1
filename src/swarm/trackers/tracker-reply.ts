// What both tracker protocols answer, already bounded: the values come from a host that nobody trusts.

import type { PeerAddress } from "../../base/address.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatIp } from "../egress/ip-literal.ts";

export interface TrackerReply {
  readonly intervalSec: number;
  readonly minIntervalSec: number;
  /** Of any address class; port never 0; at most LIMITS.tracker.peersPerReply. */
  readonly peers: readonly PeerAddress[];
  readonly seeders: number | null;
  readonly leechers: number | null;
  readonly warning: string | null;
  /** BEP 3 "tracker id", to be sent back. */
  readonly trackerId: Uint8Array | null;
}

/** Seconds within LIMITS.tracker's bounds, whatever the tracker said; the usual half hour when it said nothing. */
export function clampIntervalSec(value: number | null): number {
  const { intervalMinSec, intervalMaxSec, intervalDefaultSec } = LIMITS.tracker;
  if (value === null || !Number.isFinite(value)) return intervalDefaultSec;
  return Math.min(intervalMaxSec, Math.max(intervalMinSec, value));
}

/** The bound below which no announce but one by hand goes; without a word of the tracker our own minimum. */
export function clampMinIntervalSec(value: number | null): number {
  return value === null ? LIMITS.tracker.intervalMinSec : clampIntervalSec(value);
}

/** A count of peers, or null when it is none. */
export function asCount(value: number | null): number | null {
  return value !== null && value >= 0 && value < 2 ** 31 ? value : null;
}

/** Compact peers (BEP 23, BEP 7): `ipBytes` (4 or 16) of address and 2 of port each; a torn last one is dropped. */
export function parseCompactPeers(bytes: Uint8Array, ipBytes: 4 | 16): PeerAddress[] {
  const size = ipBytes + 2;
  const peers: PeerAddress[] = [];
  for (let at = 0; at + size <= bytes.length && peers.length < LIMITS.tracker.peersPerReply; at += size) {
    const port = ((bytes[at + ipBytes] ?? 0) << 8) | (bytes[at + ipBytes + 1] ?? 0);
    if (port !== 0) peers.push({ host: formatIp(bytes.subarray(at, at + ipBytes)), port });
  }
  return peers;
}
