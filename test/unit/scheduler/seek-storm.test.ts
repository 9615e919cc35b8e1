// A viewer who drags the slider: each place is asked for and taken back before the peer has heard of it.

import { expect, test } from "bun:test";
import { seededRandom } from "../../../src/base/random.ts";
import { TorrentScheduler } from "../../../src/scheduler/index.ts";
import { geometryOf, MIB } from "./torrent-shape.ts";
import { demandAt } from "./toy-swarm.ts";
import { VirtualClock } from "./virtual-clock.ts";

const OPEN = { streamBytes: Number.POSITIVE_INFINITY, backgroundBytes: Number.POSITIVE_INFINITY };

test("requests taken back in a storm of seeks count as on their way until the peer answers", () => {
  const asked: number[] = [];
  const cancelled: [piece: number, beginBytes: number, lengthBytes: number][] = [];
  const geometry = geometryOf(256 * MIB, MIB);
  const scheduler = new TorrentScheduler({
    geometry,
    clock: new VirtualClock(),
    random: seededRandom(3),
    orders: {
      request: (_peer, piece) => void asked.push(piece),
      cancel: (_peer, ...block) => void cancelled.push(block),
      drop: () => undefined,
    },
  });
  scheduler.addPeer(1, { connectMs: 10, hasFast: true, requestQueue: null });
  scheduler.peerHasAll(1);
  scheduler.peerChoking(1, false);
  for (let at = 0; at < 50; at++) {
    scheduler.setDemands([demandAt(geometry, at * 4 * MIB, { stream: at + 1, aheadBytes: 0 })]);
    scheduler.turn(OPEN);
  }
  expect(asked.length).toBeLessThan(40);
  for (const block of cancelled) scheduler.rejected(1, ...block);
  const before = asked.length;
  scheduler.turn(OPEN);
  expect(asked.length).toBeGreaterThan(before);
  expect(asked[before]).toBe(49 * 4);
});
