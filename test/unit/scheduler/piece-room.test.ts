// No piece is begun that memory cannot hold, a viewer's piece takes the place of what can wait, and what was given up
// or lost is fetched again.

import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/base/random.ts";
import { PIECE_PRIORITY, TorrentScheduler } from "../../../src/scheduler/index.ts";
import { geometryOf, MIB } from "./torrent-shape.ts";
import { demandAt } from "./toy-swarm.ts";
import { VirtualClock } from "./virtual-clock.ts";

const MEMORY = {
  streamBytes: Number.POSITIVE_INFINITY,
  backgroundBytes: Number.POSITIVE_INFINITY,
  memoryBytes: 4 * 4 * MIB,
};

interface Asked {
  readonly peer: number;
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

const piecesOf = (asked: readonly Asked[]) => [...new Set(asked.map(({ piece }) => piece))];

/** 16 pieces of 4 MiB, and memory for four. `fetch` lets blocks arrive in the order in which they were asked. */
function setUp() {
  const clock = new VirtualClock();
  const geometry = geometryOf(64 * MIB, 4 * MIB);
  const asked: Asked[] = [];
  const dropped: number[] = [];
  const scheduler = new TorrentScheduler({
    geometry,
    clock,
    random: seededRandom(3),
    orders: {
      request: (peer, piece, begin, length) => asked.push({ peer, piece, begin, length }),
      cancel: () => undefined,
      drop: (piece) => dropped.push(piece),
    },
  });
  const seed = (key: number) => {
    scheduler.addPeer(key, { connectMs: 10, hasFast: true, requestQueue: null });
    scheduler.peerHasAll(key);
    scheduler.peerChoking(key, false);
  };
  const wantAll = () =>
    scheduler.setPriorities(new Uint8Array(geometry.pieceCount).fill(PIECE_PRIORITY.normal));
  let next = 0;
  const fetch = (arrivals: number) => {
    for (let count = 0; count < arrivals; count++) {
      clock.advance(5);
      scheduler.turn(MEMORY);
      const block = asked[next++];
      if (block !== undefined) scheduler.blockArrived(block.peer, block.piece, block.begin, block.length);
    }
  };
  const skip = () => {
    next = asked.length;
  };
  seed(1);
  return { geometry, scheduler, asked, dropped, seed, wantAll, fetch, skip };
}

describe("memory for pieces in the making", () => {
  test("is never promised to more pieces than it holds, and not all of it to the background", () => {
    const { scheduler, seed, wantAll, asked } = setUp();
    for (const key of [2, 3, 4, 5, 6]) seed(key);
    wantAll();
    scheduler.turn(MEMORY);
    expect(piecesOf(asked).length).toBe(3);
  });

  test("one piece may always be begun, however large", () => {
    const { scheduler, wantAll, asked } = setUp();
    wantAll();
    scheduler.turn({ ...MEMORY, memoryBytes: 1 });
    expect(piecesOf(asked).length).toBe(1);
  });

  test("a seek takes it from what nobody waits for any more, and the pieces given up are asked again later", () => {
    const { scheduler, geometry, asked, dropped, fetch, wantAll } = setUp();
    wantAll();
    scheduler.setDemands([demandAt(geometry, 0)]);
    fetch(300);
    const before = piecesOf(asked);
    expect(dropped).toEqual([]);
    scheduler.setDemands([demandAt(geometry, 40 * MIB)]);
    scheduler.turn(MEMORY);
    scheduler.setDemands([demandAt(geometry, 20 * MIB)]);
    scheduler.turn(MEMORY);
    expect(piecesOf(asked)).toContain(10);
    expect(piecesOf(asked)).toContain(5);
    expect(before.concat(10)).toEqual(expect.arrayContaining(dropped));
    expect(dropped).not.toContain(5);
  });

  test("a late block of a piece that was given up is not let in where there is no memory for it", () => {
    const { scheduler, geometry, asked, dropped, fetch, skip } = setUp();
    const positions = [0, 12, 24, 36, 48].map((at) => at * MIB);
    for (const at of positions) {
      skip();
      scheduler.setDemands([demandAt(geometry, at)]);
      fetch(40);
    }
    expect(dropped.length).toBeGreaterThan(0);
    const late = asked.findLast(({ piece }) => piece === dropped[0])!;
    expect(scheduler.expects(late.peer, late.piece, late.begin, late.length)).toBe(false);
  });
});

describe("a piece that is verified", () => {
  test("calls for a turn where another waited for its memory, and for none where not", () => {
    const { scheduler, wantAll, asked, seed } = setUp();
    for (const key of [2, 3, 4, 5, 6]) seed(key);
    wantAll();
    scheduler.turn(MEMORY);
    expect(scheduler.needsTurn).toBe(false);
    const [first, second] = piecesOf(asked);
    scheduler.pieceVerified(first!);
    expect(scheduler.needsTurn).toBe(true);
    scheduler.turn({ ...MEMORY, memoryBytes: 100 * 4 * MIB });
    scheduler.pieceVerified(second!);
    expect(scheduler.needsTurn).toBe(false);
  });
});

describe("a piece that was had and is lost", () => {
  test("is wanted again, from whoever has it", () => {
    const { scheduler, asked, seed, wantAll, geometry } = setUp();
    wantAll();
    seed(2);
    for (let piece = 0; piece < geometry.pieceCount; piece++) scheduler.pieceVerified(piece);
    expect(scheduler.isInteresting(1)).toBe(false);
    scheduler.turn(MEMORY);
    expect(asked).toEqual([]);
    scheduler.pieceLost(2);
    expect(scheduler.isInteresting(1)).toBe(true);
    scheduler.turn(MEMORY);
    expect(piecesOf(asked)).toEqual([2]);
    expect(new Set(asked.map(({ peer }) => peer)).size).toBe(2);
  });
});
