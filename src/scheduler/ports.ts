// What the scheduler is told and what it orders. It decides which block is asked from which peer and when; it owns
// no socket, no file and no clock. Peers and streams are small integers chosen by the engine.

import type { ByteRange } from "../base/byte-range.ts";

export type PeerKey = number;
export type StreamKey = number;

/** 0 = not wanted; higher is asked first. */
export const PIECE_PRIORITY = { skip: 0, low: 1, normal: 4, high: 7 } as const;

/** One viewer's need in one torrent. Offsets are bytes of the torrent, not of the file. */
export interface StreamDemand {
  readonly stream: StreamKey;
  /** The next byte that the viewer will be given. */
  readonly readBytes: number;
  /** The bytes of the file being played. */
  readonly file: ByteRange;
  /** What the viewer eats per second: container bitrate or measured drain, never 0. */
  readonly bytesPerSec: number;
  /** Class PX: where the container's index lies, wanted soon although it is far from `readBytes`. */
  readonly index: readonly ByteRange[];
  /** Window that may be fetched ahead of `readBytes` for this stream (P2's bound). */
  readonly aheadBytes: number;
}

export interface PeerTraits {
  readonly connectMs: number | null;
  readonly hasFast: boolean;
  /** The peer's BEP 10 reqq, null where unknown. */
  readonly requestQueue: number | null;
}

/** Where orders go. The engine puts them on the peer's link and flushes after the turn. */
export interface PeerOrders {
  request(peer: PeerKey, piece: number, beginBytes: number, lengthBytes: number): void;
  cancel(peer: PeerKey, piece: number, beginBytes: number, lengthBytes: number): void;
  /** What has arrived of the piece is given up, because its memory is needed for what is more urgent. */
  drop(piece: number): void;
}

export interface TurnBudget {
  /** Bytes that may be requested in this turn for streams and for the rest (rate limits, arena back-pressure). */
  readonly streamBytes: number;
  readonly backgroundBytes: number;
  /** How short memory for pieces in the making is; "none" where absent. */
  readonly pressure?: MemoryPressure;
  /** Memory for all pieces of this torrent that are begun and not verified; no bound where absent. */
  readonly memoryBytes?: number;
}

/** high: no new piece in the background; critical: none ahead of a stream either. What plays now or soon always goes on. */
export type MemoryPressure = "none" | "high" | "critical";

/** What became of a block that a peer delivered. */
export type BlockVerdict = "wanted" | "duplicate" | "unrequested";

export interface SwarmView {
  /** Peers that are known to have the piece. */
  availabilityOf(piece: number): number;
}

/** Numbers for the UI, the wait reason and the tests. */
export interface SchedulerFigures {
  readonly outstandingBlocks: number;
  readonly unchokedPeers: number;
  readonly wastedBytes: number;
}

/** What is known of one peer's downloading. */
export interface PeerFigures {
  readonly downloadBytesPerSec: number;
  readonly outstandingBlocks: number;
  readonly isSnubbed: boolean;
  /** 0 … 1: the share of pieces that it has. */
  readonly progress: number;
}
