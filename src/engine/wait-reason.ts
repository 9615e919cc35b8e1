// Why a torrent or a stream waits, in the words of UI §3.5. Pure: facts in, one reason out.

import type { Wait, WaitCode } from "./port.ts";

export interface WaitFacts {
  readonly hasMetadata: boolean;
  readonly metadataParts: { readonly have: number; readonly total: number } | null;
  readonly isDiskFull: boolean;
  readonly connectedPeers: number;
  readonly knownPeers: number;
  readonly unchokedPeers: number;
  readonly downloadSpeed: number;
  /** Null where nobody waits for a byte of it. */
  readonly stream: {
    readonly isReadingIndex: boolean;
    readonly hasSeeked: boolean;
    /** Whether any connected peer has the piece that the stream needs next. */
    readonly isNextPieceAvailable: boolean;
    readonly haveBytes: number;
    readonly needBytes: number;
  } | null;
}

/** The most important reason, or null where nothing is in the way. */
export function waitCodeOf(facts: WaitFacts): WaitCode | null {
  if (facts.isDiskFull) return "DISK_FULL";
  if (!facts.hasMetadata) return facts.metadataParts === null ? "META_SEARCH" : "META_FETCH";
  if (facts.connectedPeers === 0) return "NO_PEERS";
  if (facts.stream !== null && !facts.stream.isNextPieceAvailable) return "PART_MISSING";
  if (facts.unchokedPeers === 0) return "CHOKED";
  if (facts.stream === null) return null;
  if (facts.stream.isReadingIndex) return "HEAD_TAIL";
  return facts.stream.hasSeeked ? "SEEK_FETCH" : "SLOW_SWARM";
}

/** Keeps since when the same reason holds. */
export class WaitTracker {
  #code: WaitCode | null = null;
  #sinceMs = 0;

  clear(): null {
    this.#code = null;
    return null;
  }

  update(facts: WaitFacts, wallMs: number): Wait | null {
    const code = waitCodeOf(facts);
    if (code !== this.#code) {
      this.#code = code;
      this.#sinceMs = wallMs;
    }
    if (code === null) return null;
    return {
      code,
      sinceMs: this.#sinceMs,
      haveBytes: facts.stream?.haveBytes ?? null,
      needBytes: facts.stream?.needBytes ?? null,
      rate: Math.round(facts.downloadSpeed),
      peers: { connected: facts.connectedPeers, known: facts.knownPeers, unchoked: facts.unchokedPeers },
    };
  }
}
