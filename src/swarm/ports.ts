// What swarm needs from outside: name resolution, HTTP and UDP, all replaceable in tests and simulation.

import type { PeerAddress } from "../base/address.ts";
import type { InfoHash } from "../base/brand.ts";

/** Where a peer address came from; private addresses are believed from some of these only (PRODUCT §8). */
export type PeerSource = "tracker" | "tracker_private" | "dht" | "magnet" | "manual" | "incoming";

export interface Dns {
  /** Every address of the name, literals unchanged. Rejects where there is none. */
  resolve(host: string): Promise<readonly string[]>;
}

export interface UdpSocket {
  readonly port: number;
  send(bytes: Uint8Array, to: PeerAddress): void;
  close(): void;
}

export interface UdpNet {
  bind(
    options: { host: string; port: number },
    onPacket: (bytes: Uint8Array, from: PeerAddress) => void,
  ): Promise<UdpSocket>;
}

/** Asks for a URL by GET at an address that was checked before; no redirects, body capped while it arrives. */
export interface HttpGet {
  get(options: {
    readonly url: URL;
    /** Connects here whatever the name says (DNS rebinding). */
    readonly pinnedAddress: string;
    readonly timeoutMs: number;
    readonly maxBytes: number;
    readonly signal: AbortSignal;
  }): Promise<{ readonly status: number; readonly location: string | null; readonly body: Uint8Array }>;
}

export type AnnounceEvent = "started" | "completed" | "stopped" | null;

/** What a tracker is told. */
export interface AnnounceFacts {
  readonly infoHash: InfoHash;
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
}

export interface AnnounceReply {
  /** Already clamped. */
  readonly intervalSec: number;
  /** The tracker's own lower bound between two announces, already clamped. */
  readonly minIntervalSec: number;
  readonly peers: readonly PeerAddress[];
  readonly seeders: number | null;
  readonly leechers: number | null;
  readonly warning: string | null;
  /** Whether the tracker itself sits on a private or loopback address, and so may hand out such peers. */
  readonly isPrivateTracker: boolean;
}

/** One row of GET /torrents/{id}/trackers. */
export interface TrackerState {
  readonly url: string;
  readonly tier: number;
  readonly status: "idle" | "announcing" | "working" | "failed";
  readonly message: string | null;
  readonly nextAnnounceSec: number | null;
  readonly seeders: number | null;
  readonly leechers: number | null;
}
