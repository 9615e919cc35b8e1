// Streams of one torrent share what it gets, also after a time in which none of them needed anything.

import { expect, test } from "bun:test";
import { OPEN, setUp } from "./one-scheduler.ts";
import { MIB } from "./torrent-shape.ts";
import { demandAt } from "./toy-swarm.ts";

test("two streams are served in turns, also after a rest", () => {
  const { scheduler, geometry, asked, seed } = setUp(64 * MIB, MIB);
  const demands = (first: number, second: number) =>
    [first, second].map((at, stream) =>
      demandAt(geometry, at, { stream, aheadBytes: 0, bytesPerSec: 50_000 }),
    );
  scheduler.setDemands(demands(0, 32 * MIB));
  scheduler.turn(OPEN);
  for (const piece of [0, 32]) scheduler.pieceVerified(piece);
  for (const key of [1, 2]) seed(key);
  scheduler.turn(OPEN);
  for (let piece = 0; piece < 64; piece++) scheduler.pieceVerified(piece);
  scheduler.turn(OPEN);
  for (const piece of [10, 40]) scheduler.pieceLost(piece);
  scheduler.setDemands(demands(10 * MIB, 40 * MIB));
  const before = asked.length;
  scheduler.turn(OPEN);
  const pieces = asked.slice(before).map(({ piece }) => piece);
  expect(pieces.length).toBeGreaterThan(4);
  expect(pieces.filter((piece) => piece === 40).length).toBeGreaterThanOrEqual(Math.floor(pieces.length / 3));
});
