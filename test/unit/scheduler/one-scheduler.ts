// A scheduler alone, its orders written down and its time in the test's hand.

import { seededRandom } from "../../../src/base/random.ts";
import { TorrentScheduler } from "../../../src/scheduler/index.ts";
import { geometryOf, KIB } from "./torrent-shape.ts";
import { VirtualClock } from "./virtual-clock.ts";

export const OPEN = { streamBytes: Number.POSITIVE_INFINITY, backgroundBytes: Number.POSITIVE_INFINITY };

export interface Asked {
  readonly peer: number;
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/** Four pieces of four blocks, the last one a little shorter, unless told otherwise. */
export function setUp(totalBytes = 256 * KIB - 100, pieceBytes = 64 * KIB) {
  const clock = new VirtualClock();
  const geometry = geometryOf(totalBytes, pieceBytes);
  const asked: Asked[] = [];
  const cancelled: Asked[] = [];
  const scheduler = new TorrentScheduler({
    geometry,
    clock,
    random: seededRandom(3),
    orders: {
      drop: () => undefined,
      request: (peer, piece, begin, length) => asked.push({ peer, piece, begin, length }),
      cancel: (peer, piece, begin, length) => cancelled.push({ peer, piece, begin, length }),
    },
  });
  const seed = (key: number, hasFast = true) => {
    scheduler.addPeer(key, { connectMs: 10, hasFast, requestQueue: null });
    scheduler.peerHasAll(key);
    scheduler.peerChoking(key, false);
  };
  const wantAll = () => scheduler.setPriorities(new Uint8Array(geometry.pieceCount).fill(4));
  const arrive = ({ peer, piece, begin, length }: Asked) =>
    scheduler.blockArrived(peer, piece, begin, length);
  const turn = () => {
    const from = asked.length;
    scheduler.turn(OPEN);
    return asked.slice(from);
  };
  /** Lets time pass with a turn each 100 ms. */
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      scheduler.turn(OPEN);
    }
  };
  return { clock, geometry, scheduler, asked, cancelled, seed, wantAll, arrive, turn, pass };
}
