// Two hundred peers that answer when told to: how a scheduler decides and what its turns cost at full width.

import { Bitfield } from "../../../src/base/bitfield.ts";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { TorrentScheduler } from "../../../src/scheduler/index.ts";
import type { Asked } from "./one-scheduler.ts";
import { geometryOf, MIB } from "./torrent-shape.ts";

function keyOf(peer: number, piece: number, begin: number): number {
  return ((peer * 16_384 + piece) * 4 * MIB + begin) / BLOCK_BYTES;
}

export class WideSwarm {
  nowMs = 0;
  readonly sent: Asked[] = [];
  cancels = 0;
  readonly geometry = geometryOf(40_000 * MIB, 4 * MIB);
  readonly scheduler = new TorrentScheduler({
    geometry: this.geometry,
    clock: {
      nowMs: () => this.nowMs,
      wallMs: () => this.nowMs,
      after: () => ({ cancel: () => undefined }),
      every: () => ({ cancel: () => undefined }),
    },
    random: seededRandom(1),
    orders: {
      drop: () => undefined,
      request: (peer, piece, begin, length) => {
        this.sent.push({ peer, piece, begin, length });
        this.onOrder("request", peer, piece, begin);
      },
      cancel: (peer, piece, begin) => {
        this.cancels++;
        this.#cancelled.add(keyOf(peer, piece, begin));
        this.onOrder("cancel", peer, piece, begin);
      },
    },
  });
  onOrder: (kind: "request" | "cancel", peer: number, piece: number, begin: number) => void = () => undefined;
  readonly #cancelled = new Set<number>();
  readonly #left = new Map<number, number>();

  /** Each has four of five pieces. */
  constructor(peers: number) {
    this.scheduler.setPriorities(new Uint8Array(this.geometry.pieceCount).fill(4));
    const random = seededRandom(2);
    for (let key = 1; key <= peers; key++) {
      this.scheduler.addPeer(key, { connectMs: 20, hasFast: true, requestQueue: 250 });
      const have = new Bitfield(this.geometry.pieceCount);
      for (let piece = 0; piece < have.length; piece++) if (random.next() < 0.8) have.add(piece);
      this.scheduler.peerHaves(key, have.toBytes());
      this.scheduler.peerChoking(key, false);
    }
  }

  /** The oldest `count` requests of all are answered. */
  answer(count: number): void {
    for (const { peer, piece, begin, length } of this.sent.splice(0, count)) {
      if (this.#cancelled.delete(keyOf(peer, piece, begin))) {
        this.scheduler.rejected(peer, piece, begin, length);
        continue;
      }
      this.scheduler.expects(peer, piece, begin, length);
      if (this.scheduler.blockArrived(peer, piece, begin, length) !== "wanted") continue;
      const left = (this.#left.get(piece) ?? this.geometry.blockCount(piece)) - 1;
      this.#left.set(piece, left);
      if (left === 0) this.scheduler.pieceVerified(piece);
    }
  }
}
