// What the scheduler decides, order by order, in worlds that a seed makes: the digests were taken from the first
// scheduler that was right, and a change meant to cost less must not change them. After a change that is meant to
// decide otherwise, take new ones (the failing test prints them).

import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../../src/base/random.ts";
import { geometryOf, KIB, MIB } from "./torrent-shape.ts";
import { demandAt, ToySwarm } from "./toy-swarm.ts";
import { WideSwarm } from "./wide-swarm.ts";

function digestOf(lines: readonly string[]): string {
  return `${lines.length} ${Bun.hash.xxHash64(lines.join("\n")).toString(16)}`;
}

function addPeer(swarm: ToySwarm, random: Random): number {
  const { pieceCount } = swarm.geometry;
  const hasAll = random.next() < 0.6;
  const pieces = Array.from({ length: pieceCount }, (_, piece) => piece);
  const silentFrom = random.below(20_000);
  return swarm.addPeer({
    rate: (20 + random.below(2_000)) * KIB,
    latencyMs: 5 + random.below(150),
    hasFast: random.next() < 0.7,
    ignoresCancel: random.next() < 0.1,
    ...(hasAll ? {} : { has: pieces.filter(() => random.next() < 0.5) }),
    ...(random.next() < 0.5 ? {} : { requestQueue: 4 + random.below(500) }),
    ...(random.next() < 0.7 ? {} : { silentMs: [silentFrom, silentFrom + random.below(8_000)] }),
  });
}

/** Viewers come, seek and go; peers come, choke and go; memory is short at times; pieces prove bad. */
function liveThrough(swarm: ToySwarm, random: Random, steps: number): void {
  const { totalBytes, pieceCount } = swarm.geometry;
  const peers = Array.from({ length: 12 }, () => addPeer(swarm, random));
  const some = () => peers[random.below(peers.length)]!;
  const viewers = () =>
    Array.from({ length: random.below(4) }, (_, stream) =>
      demandAt(swarm.geometry, random.below(totalBytes), {
        stream,
        bytesPerSec: 50_000 + random.below(3_000_000),
        aheadBytes: random.below(16 * MIB),
        index: random.next() < 0.3 ? [{ start: totalBytes - MIB, end: totalBytes }] : [],
      }),
    );
  for (let step = 0; step < steps; step++) {
    const dice = random.below(12);
    if (dice === 0) swarm.choke(some());
    else if (dice <= 2) swarm.unchoke(some());
    else if (dice === 3) swarm.spoil(random.below(pieceCount));
    else if (dice === 4) peers.push(addPeer(swarm, random));
    else if (dice === 5 && peers.length > 6)
      swarm.removePeer(peers.splice(random.below(peers.length), 1)[0]!);
    else if (dice <= 7) swarm.demand(viewers());
    else if (dice === 8) {
      const priorities = [0, 1, 4, 4, 4, 7];
      const values = Array.from({ length: pieceCount }, () => priorities[random.below(6)]!);
      swarm.scheduler.setPriorities(new Uint8Array(values));
    } else if (dice === 9) {
      const isShort = random.next() < 0.5;
      const bytes = random.next() < 0.8 ? Number.POSITIVE_INFINITY : random.below(4 * MIB);
      const pressure = (["none", "high", "critical"] as const)[random.below(3)]!;
      swarm.budget = { streamBytes: bytes, backgroundBytes: bytes, ...(isShort ? { pressure } : {}) };
      if (isShort) swarm.budget = { ...swarm.budget, memoryBytes: (1 + random.below(32)) * MIB };
    }
    swarm.run(random.below(1_500));
  }
}

/** Orders, their digest, bytes that were wanted, bytes that came twice. */
const LIVELY = [
  "3225 f9fdcc291c1741d0 50523256 622592",
  "11809 1d4d5b6019d9f91b 149094399 2834432",
  "3098 b88a36b9e008565e 50523256 98304",
  "14124 b057c7cc9fbda59 203849727 835584",
  "3766 c2dbc6bce3dd434d 50392184 507904",
  "14601 962c8d4c317b629b 204783615 114688",
  "4335 47130e229af94cd5 50719864 81920",
  "14283 87ece7529a13665f 202375167 475136",
  "3924 3aed5baaf1757d55 50326648 737280",
  "14942 90df0e9c1e53aee7 204472319 1015808",
  "3363 3436b6999ebd3b74 50588792 229376",
  "13782 df3e29c274074aa4 202915839 376832",
] as const;

test("two hundred peers are asked for the same blocks in the same order as ever", () => {
  const lines: string[] = [];
  const swarm = new WideSwarm(200);
  swarm.onOrder = (...order) => lines.push(order.join(" "));
  const random = seededRandom(9);
  for (let round = 0; round < 60; round++) {
    if (round % 10 === 5) {
      const places = Array.from({ length: round % 4 }, () => random.below(39_000));
      swarm.scheduler.setDemands(
        places.map((at, stream) =>
          demandAt(swarm.geometry, at * MIB, { stream, bytesPerSec: 4_000_000, aheadBytes: 200 * MIB }),
        ),
      );
    }
    swarm.nowMs += 20;
    swarm.answer(2_000);
    swarm.scheduler.turn({
      streamBytes: Number.POSITIVE_INFINITY,
      backgroundBytes: Number.POSITIVE_INFINITY,
    });
  }
  expect(digestOf(lines)).toBe("170972 466eafe345592116");
});

test.each(LIVELY.map((digest, seed) => [seed, digest] as const))(
  "seed %d: a lively swarm is asked for the same blocks in the same order as ever",
  (seed, digest) => {
    const random = seededRandom(1_000 + seed);
    const small = seed % 2 === 0;
    const swarm = new ToySwarm(
      small ? geometryOf(48 * MIB - 5_000, 64 * KIB) : geometryOf(192 * MIB - 1, MIB),
      seed,
    );
    swarm.wantAll();
    liveThrough(swarm, random, 60);
    const { orders } = swarm;
    const lines = orders.map(
      (order) => `${order.kind} ${order.atMs} ${order.peer} ${order.piece} ${order.beginBytes}`,
    );
    expect(`${digestOf(lines)} ${swarm.wantedBytes} ${swarm.duplicateBytes}`).toBe(digest);
  },
);
