// How verified pieces are announced.

import { expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { silentLog } from "../../../src/base/log.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { RateLimits } from "../../../src/engine/rate-limits.ts";
import { Transfer } from "../../../src/engine/transfer.ts";
import { AssemblyBudget, type TorrentStore } from "../../../src/store/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { geometryOf, MIB } from "../scheduler/torrent-shape.ts";
import { fakePeer } from "./fake-peer.ts";

function setUp() {
  const clock = new FakeClock();
  const geometry = geometryOf(16 * MIB, MIB);
  const transfer = new Transfer({
    geometry,
    store: { have: new Bitfield(geometry.pieceCount), assemblyBytes: 0 } as unknown as TorrentStore,
    limits: new RateLimits(clock).ofTorrent(0, 0),
    budget: new AssemblyBudget(64 * MIB),
    clock,
    random: seededRandom(1),
    log: silentLog,
    onUploaded: () => undefined,
    onDownloaded: () => undefined,
    onLiar: () => undefined,
  });
  const [leecher, seed] = [fakePeer("198.51.100.1"), fakePeer("198.51.100.2")];
  for (const { peer } of [leecher, seed]) transfer.addPeer(peer);
  transfer.haves(seed.peer, { kind: "all" });
  const forget = () => {
    for (const { link } of [leecher, seed]) {
      link.take();
      link.flushes = 0;
    }
  };
  forget();
  return { clock, transfer, leecher, seed };
}

test("pieces that get complete together are announced with one write, within 20 ms, to who lacks any", () => {
  const { clock, transfer, leecher, seed } = setUp();
  for (const piece of [3, 9, 4]) transfer.pieceVerified(piece);
  clock.advance(19);
  expect(leecher.link.take()).toEqual([]);
  clock.advance(1);
  expect(leecher.link.take()).toEqual(["have 3", "have 9", "have 4"]);
  expect(leecher.link.flushes).toBe(1);
  expect(seed.link.take()).toEqual([]);
  transfer.pieceVerified(5);
  clock.advance(20);
  expect(leecher.link.take()).toEqual(["have 5"]);
});

test("nothing is announced after a pause", () => {
  const { clock, transfer, leecher } = setUp();
  transfer.pieceVerified(3);
  transfer.pause();
  clock.advance(100);
  expect(leecher.link.take()).toEqual([]);
});
