import { describe, expect, test } from "bun:test";
import { PIECE_PRIORITY } from "../../../src/scheduler/index.ts";
import { geometryOf, KIB, MIB } from "./torrent-shape.ts";
import { demandAt, ToySwarm, ToyViewer } from "./toy-swarm.ts";

/** Plays for `ms` in steps of 100 ms, telling the scheduler of the playhead at each step. */
function play(
  swarm: ToySwarm,
  viewers: readonly { viewer: ToyViewer; bytesPerSec: number }[],
  ms: number,
): void {
  for (let passed = 0; passed < ms; passed += 100) {
    swarm.run(100);
    for (const { viewer } of viewers) viewer.step(100);
    swarm.demand(
      viewers.map(({ viewer, bytesPerSec }, at) =>
        demandAt(swarm.geometry, viewer.positionBytes, { stream: at + 1, bytesPerSec }),
      ),
    );
  }
}

describe("a stream", () => {
  test("gets its pieces in the order in which it plays them", () => {
    const swarm = new ToySwarm(geometryOf(64 * MIB, 256 * KIB));
    for (let i = 0; i < 5; i++) swarm.addPeer({ rate: 400 * KIB, latencyMs: 30 });
    const viewer = new ToyViewer(swarm, { bytesPerSec: MIB, atBytes: 10 * MIB });
    swarm.demand([demandAt(swarm.geometry, 10 * MIB, { bytesPerSec: MIB })]);
    play(swarm, [{ viewer, bytesPerSec: MIB }], 20_000);
    expect(viewer.startedAtMs).toBeLessThan(1_500);
    expect(viewer.stalledMs).toBe(0);
    const first = [...swarm.verifiedAtMs.keys()].slice(0, 4);
    expect(Math.max(...first)).toBeLessThan(40 + 8);
  });

  test("asks for a sought place in the same turn, and cancels what stands before it", () => {
    const swarm = new ToySwarm(geometryOf(300 * MIB, MIB));
    for (let i = 0; i < 4; i++) swarm.addPeer({ rate: 250 * KIB, latencyMs: 40 });
    swarm.wantAll();
    swarm.run(5_000);
    const seekAtMs = swarm.clock.nowMs();
    const before = swarm.orders.length;
    swarm.demand([demandAt(swarm.geometry, 240 * MIB)]);
    const sameTurn = swarm.orders.slice(before);
    expect(sameTurn.every((order) => order.atMs === seekAtMs)).toBe(true);
    const asked = sameTurn.filter((order) => order.kind === "request");
    expect(asked[0]?.piece).toBe(240);
    expect(asked.length).toBeGreaterThan(8);
    const cancelled = sameTurn.filter((order) => order.kind === "cancel");
    expect(cancelled.length).toBeGreaterThan(8);
    expect(cancelled.every((order) => order.piece < 240 || order.piece >= 272)).toBe(true);
    swarm.run(3_000);
    expect(swarm.have.has(240)).toBe(true);
    // 1 MiB of a whole swarm of 1 MB/s: a second, and what was already on its way.
    expect(swarm.verifiedAtMs.get(240)! - seekAtMs).toBeLessThan(1_800);
  });

  test("does not wait at a sought place behind the file's index or another window's pieces", () => {
    const swarm = new ToySwarm(geometryOf(300 * MIB, MIB));
    swarm.addPeer({ rate: MIB, latencyMs: 10 });
    const index = [{ start: 292 * MIB, end: 300 * MIB }];
    swarm.demand([demandAt(swarm.geometry, 0, { index })]);
    swarm.run(4_000);
    swarm.have.add(1);
    for (const piece of [0, 1, 2, 3]) swarm.scheduler.pieceVerified(piece);
    swarm.run(500);
    const before = swarm.orders.length;
    swarm.demand([demandAt(swarm.geometry, 100 * MIB, { stream: 2, index })]);
    const sameTurn = swarm.orders.slice(before);
    expect(sameTurn.find((order) => order.kind === "cancel" && order.piece >= 292)).toBeDefined();
    expect(sameTurn.find((order) => order.kind === "request")?.piece).toBe(100);
  });

  test("clears the way of a place that is sought within the window of the old one", () => {
    const swarm = new ToySwarm(geometryOf(300 * MIB, MIB));
    swarm.addPeer({ rate: MIB, latencyMs: 10 });
    swarm.scheduler.setPriorities(new Uint8Array(300).fill(PIECE_PRIORITY.normal));
    swarm.demand([demandAt(swarm.geometry, 0, { aheadBytes: 200 * MIB })]);
    swarm.run(4_000);
    const before = swarm.orders.length;
    swarm.demand([demandAt(swarm.geometry, 100 * MIB, { aheadBytes: 200 * MIB })]);
    const sameTurn = swarm.orders.slice(before);
    expect(sameTurn.filter((order) => order.kind === "cancel").length).toBeGreaterThan(8);
    expect(sameTurn.find((order) => order.kind === "request")?.piece).toBe(100);
  });

  test("clears the way of a sought place also when the old one is given up a moment later", () => {
    const swarm = new ToySwarm(geometryOf(300 * MIB, MIB));
    swarm.addPeer({ rate: MIB, latencyMs: 10 });
    swarm.scheduler.setPriorities(new Uint8Array(300).fill(PIECE_PRIORITY.normal));
    const old = demandAt(swarm.geometry, 0);
    const sought = demandAt(swarm.geometry, 100 * MIB, { stream: 2 });
    swarm.demand([old]);
    swarm.run(4_000);
    const before = swarm.orders.length;
    swarm.demand([old, sought]);
    swarm.demand([sought]);
    const sameTurn = swarm.orders.slice(before);
    expect(sameTurn.filter((order) => order.kind === "cancel").length).toBeGreaterThan(8);
    expect(sameTurn.find((order) => order.kind === "request")?.piece).toBe(100);
  });

  test("has the first byte of a sought place within a second and the time of a piece", () => {
    for (const rates of [[1000], [400, 300, 200, 100]]) {
      for (const pieceBytes of [256 * KIB, MIB, 4 * MIB]) {
        const swarm = new ToySwarm(geometryOf(300 * MIB, pieceBytes));
        for (const rate of rates) swarm.addPeer({ rate: rate * 1000, latencyMs: 30 });
        swarm.wantAll();
        swarm.demand([demandAt(swarm.geometry, 0)]);
        swarm.run(8_000);
        for (const place of [0.8, 0.3, 0.95]) {
          const atMs = swarm.clock.nowMs();
          const piece = Math.floor(place * swarm.geometry.pieceCount);
          swarm.demand([demandAt(swarm.geometry, piece * pieceBytes)]);
          swarm.run(8_000);
          const tookMs = swarm.verifiedAtMs.get(piece)! - atMs;
          expect(tookMs, `${rates} kB/s, ${pieceBytes}, ${place}`).toBeLessThan(1_000 + pieceBytes / 1_000);
        }
      }
    }
  });

  test("is not held up for long by a peer that falls silent with its blocks", () => {
    const swarm = new ToySwarm(geometryOf(64 * MIB, 512 * KIB));
    swarm.addPeer({ rate: 3 * MIB, latencyMs: 20, silentMs: [4_000, Number.POSITIVE_INFINITY] });
    swarm.addPeer({ rate: 700 * KIB, latencyMs: 60 });
    swarm.addPeer({ rate: 700 * KIB, latencyMs: 60 });
    const viewer = new ToyViewer(swarm, { bytesPerSec: MIB, atBytes: 0 });
    // Little ahead, so that the silence is felt at once.
    for (let passed = 0; passed < 20_000; passed += 100) {
      swarm.run(100);
      viewer.step(100);
      swarm.demand([demandAt(swarm.geometry, viewer.positionBytes, { bytesPerSec: MIB, aheadBytes: MIB })]);
    }
    expect(viewer.stalledMs).toBeLessThanOrEqual(2_000);
    expect(viewer.positionBytes).toBeGreaterThan(16 * MIB);
  });

  test("gets the first piece soon although the only fast peer was silent from the start", () => {
    const swarm = new ToySwarm(geometryOf(64 * MIB, 256 * KIB));
    swarm.addPeer({ rate: 9 * MIB, latencyMs: 5, silentMs: [0, Number.POSITIVE_INFINITY] });
    swarm.addPeer({ rate: MIB, latencyMs: 50 });
    swarm.demand([demandAt(swarm.geometry, 0)]);
    swarm.run(2_500);
    expect(swarm.have.has(0)).toBe(true);
  });

  test("has blocks that a slow peer holds up brought by a faster one", () => {
    const swarm = new ToySwarm(geometryOf(64 * MIB, 256 * KIB));
    for (let i = 0; i < 8; i++) swarm.addPeer({ rate: 10 * KIB, latencyMs: 20 });
    swarm.addPeer({ rate: 2 * MIB, latencyMs: 60 });
    swarm.demand([demandAt(swarm.geometry, 0)]);
    swarm.run(3_000);
    // The slow ones need 1.6 s for a block, and each was given some.
    expect(swarm.verifiedAtMs.get(0)!).toBeLessThan(950);
    expect(swarm.duplicateBytes).toBeLessThanOrEqual(256 * KIB);
  });

  test("has a piece of 16 MiB brought by all good peers at once", () => {
    const swarm = new ToySwarm(geometryOf(160 * MIB, 16 * MIB));
    const peers = Array.from({ length: 8 }, () => swarm.addPeer({ rate: MIB, latencyMs: 30 }));
    swarm.demand([demandAt(swarm.geometry, 40 * MIB)]);
    swarm.run(3_200);
    expect(swarm.have.has(2)).toBe(true);
    for (const peer of peers) expect(swarm.sentBytes(peer)).toBeGreaterThan(MIB);
  });

  test("shares with another stream when there is not enough for both", () => {
    const swarm = new ToySwarm(geometryOf(256 * MIB, 512 * KIB));
    for (let i = 0; i < 4; i++) swarm.addPeer({ rate: 250 * KIB, latencyMs: 30 });
    const viewers = [0, 128 * MIB].map((atBytes) => ({
      viewer: new ToyViewer(swarm, { bytesPerSec: MIB, atBytes }),
      bytesPerSec: MIB,
    }));
    const starts = viewers.map(({ viewer }) => viewer.positionBytes);
    play(swarm, viewers, 30_000);
    const progress = viewers.map(({ viewer }, at) => viewer.positionBytes - starts[at]!);
    expect(Math.min(...progress)).toBeGreaterThan(0.7 * Math.max(...progress));
    expect(progress[0]! + progress[1]!).toBeGreaterThan(0.75 * 30 * 1000 * KIB);
  });

  test("has its index fetched beside the start", () => {
    const swarm = new ToySwarm(geometryOf(200 * MIB, 512 * KIB));
    for (let i = 0; i < 4; i++) swarm.addPeer({ rate: MIB, latencyMs: 30 });
    const index = [{ start: 198 * MIB, end: 200 * MIB }];
    swarm.demand([demandAt(swarm.geometry, 0, { index, bytesPerSec: MIB })]);
    swarm.run(3_000);
    expect([396, 397, 398, 399].every((piece) => swarm.have.has(piece))).toBe(true);
    expect(swarm.verifiedAtMs.get(0)!).toBeLessThan(swarm.verifiedAtMs.get(399)!);
  });

  test("is not stalled at 1.25 times its rate with uneven peers of which some pause", () => {
    const swarm = new ToySwarm(geometryOf(200 * MIB, MIB));
    const rates = [600, 300, 200, 100, 50, 50];
    rates.forEach((rate, at) => {
      swarm.addPeer({
        rate: rate * KIB,
        latencyMs: 20 + 20 * at,
        silentMs: at === 2 ? [20_000, 25_000] : [0, 0],
      });
    });
    const viewer = new ToyViewer(swarm, { bytesPerSec: 1000 * KIB, atBytes: 0 });
    swarm.demand([demandAt(swarm.geometry, 0, { bytesPerSec: 1000 * KIB })]);
    play(swarm, [{ viewer, bytesPerSec: 1000 * KIB }], 60_000);
    expect(viewer.stalledMs).toBeLessThanOrEqual(400);
    expect(swarm.duplicateBytes).toBeLessThan(0.05 * swarm.wantedBytes);
  });

  test("that ends leaves nothing asked of what nobody wants", () => {
    const swarm = new ToySwarm(geometryOf(64 * MIB, MIB));
    for (let i = 0; i < 3; i++) swarm.addPeer({ rate: 200 * KIB, latencyMs: 20 });
    swarm.demand([demandAt(swarm.geometry, 0)]);
    swarm.run(2_000);
    expect(swarm.scheduler.figures().outstandingBlocks).toBeGreaterThan(6);
    swarm.demand([]);
    const before = swarm.orders.length;
    swarm.run(3_000);
    expect(swarm.scheduler.figures().outstandingBlocks).toBe(0);
    expect(swarm.orders.slice(before).filter((order) => order.kind === "request")).toEqual([]);
  });
});
