import { describe, expect, test } from "bun:test";
import { geometryOf, KIB, MIB } from "./torrent-shape.ts";
import { demandAt, ToySwarm } from "./toy-swarm.ts";

describe("a download without a stream", () => {
  test("uses the whole of a mixed swarm", () => {
    const swarm = new ToySwarm(geometryOf(512 * MIB, 256 * KIB));
    const rates = [20, 50, 100, 100, 200, 400, 800, 1600, 3000, 6000].map((rate) => rate * KIB);
    const peers = rates.map((rate, at) => swarm.addPeer({ rate, latencyMs: 10 + 30 * at }));
    swarm.wantAll();
    swarm.run(10_000);
    const before = peers.map((peer) => swarm.sentBytes(peer));
    swarm.run(10_000);
    peers.forEach((peer, at) => {
      const share = (swarm.sentBytes(peer) - before[at]!) / (rates[at]! * 10);
      expect(share, `peer at ${rates[at]} B/s`).toBeGreaterThan(0.93);
    });
    expect(swarm.duplicateBytes).toBe(0);
  });

  test("fills the pipe of one very fast peer", () => {
    const swarm = new ToySwarm(geometryOf(2048 * MIB, 4 * MIB));
    const peer = swarm.addPeer({ rate: 100 * MIB, latencyMs: 20, requestQueue: 2000 });
    swarm.wantAll();
    swarm.run(3_000);
    const before = swarm.sentBytes(peer);
    swarm.run(3_000);
    expect(swarm.sentBytes(peer) - before).toBeGreaterThan(0.9 * 300 * MIB);
  });

  test("keeps to the queue that a peer allows", () => {
    const swarm = new ToySwarm(geometryOf(256 * MIB, MIB));
    const peer = swarm.addPeer({ rate: 50 * MIB, latencyMs: 50, requestQueue: 10 });
    swarm.wantAll();
    let most = 0;
    for (let i = 0; i < 100; i++) {
      swarm.run(20);
      most = Math.max(most, swarm.scheduler.peerFigures(peer).outstandingBlocks);
    }
    expect(most).toBe(8);
  });

  test("begins rare pieces first", () => {
    const geometry = geometryOf(100 * MIB, MIB);
    const swarm = new ToySwarm(geometry, 7);
    const rare = [11, 37, 58, 83];
    const common = Array.from({ length: 100 }, (_, piece) => piece).filter((piece) => !rare.includes(piece));
    for (let i = 0; i < 4; i++) swarm.addPeer({ rate: 200 * KIB, latencyMs: 20, has: common });
    const holder = swarm.addPeer({ rate: 400 * KIB, latencyMs: 20 });
    swarm.wantAll();
    swarm.run(40_000);
    const first = swarm.orders
      .filter((order) => order.peer === holder && order.kind === "request")
      .map((order) => order.piece);
    const order = [...new Set(first)];
    // The first four pieces of a download are random ones; then it is the rare ones' turn.
    expect(rare.every((piece) => order.slice(0, 9).includes(piece))).toBe(true);
  });

  test("finishes, though a slow peer sits on the last blocks", () => {
    const swarm = new ToySwarm(geometryOf(8 * MIB, 512 * KIB));
    swarm.addPeer({ rate: 4 * KIB, latencyMs: 100 });
    swarm.addPeer({ rate: 2 * MIB, latencyMs: 20 });
    swarm.wantAll();
    swarm.run(8_000);
    expect(swarm.have.isFull).toBe(true);
    expect(swarm.duplicateBytes).toBeLessThan(256 * KIB);
  });

  test("takes everything back from a peer that stays silent, and finishes without it", () => {
    const swarm = new ToySwarm(geometryOf(64 * MIB, 512 * KIB));
    swarm.addPeer({ rate: MIB, latencyMs: 20, silentMs: [3_000, Number.POSITIVE_INFINITY] });
    swarm.addPeer({ rate: 2 * MIB, latencyMs: 20 });
    swarm.wantAll();
    swarm.run(50_000);
    expect(swarm.have.isFull).toBe(true);
  });

  test("goes on with the same peer after a choke, and asks others meanwhile", () => {
    for (const hasFast of [true, false]) {
      const swarm = new ToySwarm(geometryOf(16 * MIB, 512 * KIB));
      const flapping = swarm.addPeer({ rate: MIB, latencyMs: 20, hasFast });
      swarm.addPeer({ rate: 500 * KIB, latencyMs: 20, hasFast });
      swarm.wantAll();
      for (let round = 0; round < 8; round++) {
        swarm.run(900);
        swarm.choke(flapping);
        swarm.run(900);
        swarm.unchoke(flapping);
      }
      swarm.run(5_000);
      expect(swarm.have.isFull, `BEP 6 ${hasFast}`).toBe(true);
    }
  });

  test("lies below the streams: of a thin swarm it gets what they leave", () => {
    const swarm = new ToySwarm(geometryOf(256 * MIB, MIB));
    for (let i = 0; i < 3; i++) swarm.addPeer({ rate: 300 * KIB, latencyMs: 20 });
    swarm.wantAll();
    swarm.run(3_000);
    swarm.demand([demandAt(swarm.geometry, 100 * MIB)]);
    const atMs = swarm.clock.nowMs();
    swarm.run(10_000);
    const asked = swarm.requestsSince(atMs);
    const streamed = asked.filter(({ piece }) => piece >= 100 && piece < 132);
    expect(streamed.length).toBeGreaterThan(0.95 * asked.length);
  });

  test("begins new pieces one by one while memory is short, none beside a stream, and goes on with those in the making", () => {
    const swarm = new ToySwarm(geometryOf(256 * MIB, MIB));
    swarm.addPeer({ rate: 400 * KIB, latencyMs: 20 });
    swarm.wantAll();
    swarm.run(300);
    const begun = new Set(swarm.orders.map(({ piece }) => piece));
    swarm.budget = { ...swarm.budget, pressure: "high" };
    swarm.run(10_000);
    const later = swarm.orders.map(({ piece }) => piece).filter((piece) => !begun.has(piece));
    const changes = later.filter((piece, at) => piece !== later[at - 1]).length;
    expect(swarm.have.count).toBeGreaterThan(begun.size);
    expect(changes).toBe(new Set(later).size);
    swarm.budget = { ...swarm.budget, pressure: "critical" };
    const demand = demandAt(swarm.geometry, 200 * MIB, { bytesPerSec: MIB });
    const atMs = swarm.clock.nowMs();
    const streamed = () => new Set(swarm.requestsSince(atMs).map(({ piece }) => piece));
    swarm.demand([demand]);
    swarm.run(35_000);
    expect([200, 205, 209].every((piece) => streamed().has(piece))).toBe(true);
    const last = later.at(-1);
    expect(Math.max(...[...streamed()].filter((piece) => piece !== last))).toBeLessThan(211);
    swarm.budget = { ...swarm.budget, pressure: "none" };
    swarm.run(3_000);
    expect(Math.max(...streamed())).toBeGreaterThanOrEqual(211);
  });

  test("prefers the rest of the file that is played to other files", () => {
    const swarm = new ToySwarm(geometryOf(256 * MIB, MIB));
    swarm.addPeer({ rate: 8 * MIB, latencyMs: 20 });
    swarm.wantAll();
    const file = { start: 100 * MIB, end: 160 * MIB };
    swarm.demand([
      demandAt(swarm.geometry, 150 * MIB, { file, aheadBytes: 4 * MIB, bytesPerSec: 200 * KIB }),
    ]);
    swarm.run(5_000);
    const pieces = new Set(swarm.orders.map(({ piece }) => piece));
    expect(pieces.size).toBeGreaterThan(20);
    expect([...pieces].every((piece) => piece >= 100 && piece < 160)).toBe(true);
  });

  test("respects the budget of a turn within a block", () => {
    const swarm = new ToySwarm(geometryOf(256 * MIB, MIB));
    for (let i = 0; i < 10; i++) swarm.addPeer({ rate: MIB, latencyMs: 20 });
    swarm.wantAll();
    swarm.budget = { streamBytes: 100 * KIB, backgroundBytes: 50 * KIB };
    swarm.scheduler.setDemands([demandAt(swarm.geometry, 0)]);
    const ordered = swarm.turn();
    expect(ordered).toEqual({ streamBytes: 112 * KIB, backgroundBytes: 64 * KIB });
    swarm.budget = { streamBytes: 0, backgroundBytes: 0 };
    expect(swarm.turn()).toEqual({ streamBytes: 0, backgroundBytes: 0 });
  });
});
