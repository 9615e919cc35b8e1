// When the bytes of a torrent came to the server, by what passed the relay in front of its one seeder.

import type { Relay } from "./actors/relay.ts";
import type { MadeTorrent } from "./torrent-maker.ts";

export interface ByteSpan {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

const FRAME_HEAD_BYTES = 9;

export class PieceTimes {
  readonly #relay: Relay;
  readonly #torrent: MadeTorrent;

  constructor(relay: Relay, torrent: MadeTorrent) {
    this.#relay = relay;
    this.#torrent = torrent;
  }

  /**
   * When the last block of the pieces that hold the span passed, in milliseconds of the machine (performance.timeOrigin +
   * performance.now()); null when they are not all there. Positions are those of the torrent's first file.
   */
  thereAtMs(span: ByteSpan): number | null {
    const { pieceBytes, lengthBytes } = this.#torrent;
    const blocks = this.#blocks();
    let lastMs = 0;
    for (let piece = Math.floor(span.start / pieceBytes); piece * pieceBytes < span.end; piece++) {
      const wholeBytes = Math.min(pieceBytes, lengthBytes - piece * pieceBytes);
      const seen = blocks.get(piece);
      if (seen === undefined || seen.bytes < wholeBytes) return null;
      lastMs = Math.max(lastMs, seen.lastMs);
    }
    return performance.timeOrigin + lastMs;
  }

  #blocks(): Map<number, { bytes: number; lastMs: number; begins: Set<number> }> {
    const pieces = new Map<number, { bytes: number; lastMs: number; begins: Set<number> }>();
    for (const frame of this.#relay.frames) {
      if (frame.name !== "piece" || frame.piece === null || frame.beginBytes === null) continue;
      const seen = pieces.get(frame.piece) ?? { bytes: 0, lastMs: 0, begins: new Set() };
      pieces.set(frame.piece, seen);
      if (seen.begins.has(frame.beginBytes)) continue;
      seen.begins.add(frame.beginBytes);
      seen.bytes += frame.lengthBytes - FRAME_HEAD_BYTES;
      seen.lastMs = frame.atMs;
    }
    return pieces;
  }
}
