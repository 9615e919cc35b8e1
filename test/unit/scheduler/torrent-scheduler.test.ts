// Single rules of the scheduler, each with a handful of peers and no time but what the test lets pass.

import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { PIECE_PRIORITY } from "../../../src/scheduler/index.ts";
import type { ReaderDemand } from "../../../src/stream/ports.ts";
import { setUp } from "./one-scheduler.ts";
import { KIB, MIB } from "./torrent-shape.ts";
import { demandAt } from "./toy-swarm.ts";

describe("requests", () => {
  test("go to nobody while every peer chokes or has nothing wanted", () => {
    const { scheduler, turn, wantAll } = setUp();
    scheduler.addPeer(1, { connectMs: null, hasFast: true, requestQueue: null });
    scheduler.peerHasAll(1);
    wantAll();
    expect(turn()).toEqual([]);
    scheduler.peerHasNone(1);
    scheduler.peerChoking(1, false);
    expect(turn()).toEqual([]);
    scheduler.peerHas(1, 2);
    expect(turn().every(({ piece }) => piece === 2)).toBe(true);
  });

  test("end with the short block of the short piece", () => {
    const { asked, seed, wantAll, turn, arrive } = setUp();
    seed(1);
    wantAll();
    for (let at = 0; turn().length > 0 || at < asked.length; at++) arrive(asked[at]!);
    expect(asked).toHaveLength(16);
    expect(asked.find(({ piece, begin }) => piece === 3 && begin === 3 * BLOCK_BYTES)?.length).toBe(
      BLOCK_BYTES - 100,
    );
  });

  test("for allowed-fast pieces are made while choked, and for those only", () => {
    const { scheduler, turn, wantAll } = setUp();
    scheduler.addPeer(1, { connectMs: 10, hasFast: true, requestQueue: null });
    scheduler.peerHasAll(1);
    wantAll();
    scheduler.peerAllowedFast(1, 2);
    const asked = turn();
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.every(({ piece }) => piece === 2)).toBe(true);
  });

  test("are not made for pieces that are had or skipped", () => {
    const { scheduler, seed, turn, arrive, asked } = setUp();
    const have = new Bitfield(4);
    have.add(0);
    scheduler.setHave(have);
    scheduler.setPriorities(Uint8Array.of(4, PIECE_PRIORITY.skip, 4, 4));
    seed(1);
    for (let at = 0; turn().length > 0 || at < asked.length; at++) arrive(asked[at]!);
    expect(new Set(asked.map(({ piece }) => piece))).toEqual(new Set([2, 3]));
  });

  test("for files of high priority come before normal ones, low ones last", () => {
    const { scheduler, seed, turn, arrive, asked } = setUp();
    scheduler.setPriorities(Uint8Array.of(1, 4, 7, 4));
    seed(1);
    for (let at = 0; turn().length > 0 || at < asked.length; at++) arrive(asked[at]!);
    const order = [...new Set(asked.map(({ piece }) => piece))];
    expect(order[0]).toBe(2);
    expect(order[3]).toBe(0);
  });

  test("of a selection that is taken back are cancelled, but for the block that is on its way", () => {
    const { scheduler, seed, wantAll, turn, cancelled } = setUp(16 * MIB, MIB);
    seed(1);
    wantAll();
    const asked = turn();
    scheduler.setPriorities(new Uint8Array(16));
    turn();
    expect(cancelled).toHaveLength(asked.length - 1);
    expect(scheduler.figures().outstandingBlocks).toBe(1);
  });

  test("of a peer that leaves are made to others", () => {
    const { scheduler, seed, wantAll, turn } = setUp();
    seed(1);
    wantAll();
    const first = turn();
    scheduler.removePeer(1);
    seed(2);
    const second = turn();
    expect(second.map(({ piece, begin }) => `${piece}:${begin}`)).toEqual(
      first.map(({ piece, begin }) => `${piece}:${begin}`),
    );
  });
});

describe("an arriving block", () => {
  test("is wanted once, a duplicate after, and unrequested where it was not asked", () => {
    const { scheduler, seed, wantAll, turn, arrive } = setUp();
    seed(1);
    seed(2);
    wantAll();
    const [block] = turn();
    const wrongPeer = block!.peer === 1 ? 2 : 1;
    expect(scheduler.expects(block!.peer, block!.piece, block!.begin, block!.length)).toBe(true);
    expect(scheduler.expects(wrongPeer, block!.piece, block!.begin, block!.length)).toBe(false);
    expect(scheduler.expects(block!.peer, block!.piece, block!.begin, 5)).toBe(false);
    expect(arrive({ ...block!, peer: wrongPeer })).toBe("unrequested");
    expect(arrive(block!)).toBe("wanted");
    expect(scheduler.expects(block!.peer, block!.piece, block!.begin, block!.length)).toBe(false);
    expect(arrive(block!)).toBe("unrequested");
    expect(scheduler.figures().wastedBytes).toBe(2 * BLOCK_BYTES);
  });

  test("that was cancelled is kept if it is still missing", () => {
    const { scheduler, geometry, seed, wantAll, turn, arrive, asked, cancelled } = setUp(64 * MIB, MIB);
    seed(1);
    wantAll();
    turn();
    const sought = asked[0]!.piece < 32 ? 40 : 10;
    scheduler.setDemands([demandAt(geometry, sought * MIB, { aheadBytes: 4 * MIB })]);
    turn();
    const late = cancelled[0]!;
    expect(scheduler.expects(1, late.piece, late.begin, late.length)).toBe(true);
    expect(arrive(late)).toBe("wanted");
    expect(arrive(late)).toBe("unrequested");
  });

  test("makes the requests for it at other peers superfluous", () => {
    const { seed, wantAll, turn, arrive, asked, cancelled } = setUp(BLOCK_BYTES, BLOCK_BYTES);
    seed(1);
    seed(2);
    wantAll();
    turn();
    turn();
    // The end game: the only block is asked of both.
    expect(new Set(asked.map(({ peer }) => peer))).toEqual(new Set([1, 2]));
    const [winner, loser] = asked;
    expect(arrive(winner!)).toBe("wanted");
    expect(cancelled).toEqual([loser!]);
    expect(arrive(loser!)).toBe("duplicate");
  });

  test("that is lost is asked again", () => {
    const { scheduler, seed, wantAll, turn, arrive } = setUp(BLOCK_BYTES, BLOCK_BYTES);
    seed(1);
    wantAll();
    const [block] = turn();
    scheduler.blockLost(1, block!.piece, block!.begin);
    expect(turn()).toEqual([block!]);
    expect(arrive(block!)).toBe("wanted");
    scheduler.blockLost(1, block!.piece, block!.begin);
    expect(turn()).toEqual([block!]);
  });

  test("that is rejected is asked of another peer, and not of this one at once", () => {
    const { scheduler, seed, wantAll, turn, pass, asked } = setUp(BLOCK_BYTES, BLOCK_BYTES);
    seed(1);
    wantAll();
    const [block] = turn();
    scheduler.rejected(1, 0, 0, block!.length);
    expect(turn()).toEqual([]);
    seed(2);
    expect(turn()).toEqual([{ ...block!, peer: 2 }]);
    scheduler.rejected(2, 0, 0, block!.length);
    pass(11_000);
    expect(asked.length).toBeGreaterThan(2);
  });
});

describe("a corrupt piece", () => {
  test("is asked anew of one peer alone, each time of another one", () => {
    const { scheduler, seed, wantAll, turn, arrive, asked, clock } = setUp(256 * KIB, 256 * KIB);
    for (const key of [1, 2, 3]) seed(key);
    wantAll();
    const tries: number[][] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      let next = asked.length;
      const contributors = new Set<number>();
      const arrived = new Set<number>();
      while (arrived.size < 16) {
        clock.advance(10);
        turn();
        for (; next < asked.length; next++) {
          if (arrive(asked[next]!) !== "wanted") continue;
          arrived.add(asked[next]!.begin);
          contributors.add(asked[next]!.peer);
        }
      }
      tries.push([...contributors]);
      scheduler.pieceCorrupt(0);
    }
    const alone = tries.slice(1);
    expect(alone.every((contributors) => contributors.length === 1)).toBe(true);
    expect(new Set(alone.flat()).size).toBe(3);
  });

  test("is asked again of the only peer there is", () => {
    const { scheduler, seed, wantAll, turn, arrive } = setUp(BLOCK_BYTES, BLOCK_BYTES);
    seed(1);
    wantAll();
    for (let attempt = 0; attempt < 4; attempt++) {
      const [block] = turn();
      expect(arrive(block!)).toBe("wanted");
      scheduler.pieceCorrupt(0);
    }
  });
});

describe("interest", () => {
  test("follows what the peer has and what is needed", () => {
    const { scheduler, wantAll, geometry } = setUp();
    scheduler.addPeer(1, { connectMs: 10, hasFast: true, requestQueue: null });
    expect(scheduler.isInteresting(1)).toBe(false);
    scheduler.peerHas(1, 1);
    expect(scheduler.isInteresting(1)).toBe(false);
    wantAll();
    expect(scheduler.isInteresting(1)).toBe(true);
    scheduler.pieceVerified(1);
    expect(scheduler.isInteresting(1)).toBe(false);
    scheduler.peerHas(1, 2);
    expect(scheduler.isInteresting(1)).toBe(true);
    scheduler.setPriorities(new Uint8Array(4));
    expect(scheduler.isInteresting(1)).toBe(false);
    scheduler.setDemands([demandAt(geometry, 0)]);
    expect(scheduler.isInteresting(1)).toBe(true);
    scheduler.setDemands([]);
    expect(scheduler.isInteresting(1)).toBe(false);
    expect(scheduler.isInteresting(99)).toBe(false);
  });
});

describe("availability", () => {
  test("counts peers, seeds among them, through every way of learning it", () => {
    const { scheduler } = setUp();
    const all = () => [0, 1, 2, 3].map((piece) => scheduler.availabilityOf(piece));
    scheduler.addPeer(1, { connectMs: 10, hasFast: true, requestQueue: null });
    scheduler.addPeer(2, { connectMs: 10, hasFast: true, requestQueue: null });
    expect(scheduler.peerHaves(1, Uint8Array.of(0b1010_0000))).toBe(true);
    expect(all()).toEqual([1, 0, 1, 0]);
    scheduler.peerHasAll(2);
    expect(all()).toEqual([2, 1, 2, 1]);
    expect(scheduler.seeds()).toBe(1);
    scheduler.peerHas(1, 1);
    scheduler.peerHas(1, 1);
    scheduler.peerHas(1, 3);
    expect(scheduler.seeds()).toBe(2);
    expect(all()).toEqual([2, 2, 2, 2]);
    expect(scheduler.peerFigures(1).progress).toBe(1);
    scheduler.removePeer(1);
    scheduler.peerHasNone(2);
    expect(all()).toEqual([0, 0, 0, 0]);
    expect(scheduler.seeds()).toBe(0);
  });

  test("is not touched by a malformed bitfield", () => {
    const { scheduler } = setUp();
    scheduler.addPeer(1, { connectMs: 10, hasFast: true, requestQueue: null });
    expect(scheduler.peerHaves(1, Uint8Array.of(0b1111_1000))).toBe(false);
    expect(scheduler.peerHaves(1, Uint8Array.of(0xf0, 0))).toBe(false);
    scheduler.peerHas(1, 4);
    scheduler.peerHas(1, -1);
    expect(scheduler.availabilityOf(0)).toBe(0);
  });
});

describe("a silent peer", () => {
  test("loses the viewer's blocks after a second, to whoever else has them", () => {
    const { scheduler, seed, asked, cancelled, pass, turn, geometry } = setUp(8 * MIB, 256 * KIB);
    seed(1);
    scheduler.setDemands([demandAt(geometry, 0, { aheadBytes: MIB })]);
    turn();
    pass(1_500);
    expect(scheduler.peerFigures(1).isSnubbed).toBe(true);
    expect(cancelled).toEqual([]);
    seed(2);
    pass(200);
    expect(cancelled.length).toBeGreaterThan(0);
    expect(cancelled.every(({ peer }) => peer === 1)).toBe(true);
    const first = asked.filter(({ peer }) => peer === 2)[0];
    expect(first).toMatchObject({ piece: 0, begin: 0 });
  });

  test("loses everything after 20 seconds but one block, to see whether it comes back", () => {
    const { scheduler, seed, wantAll, turn, pass, cancelled } = setUp(8 * MIB, 256 * KIB);
    seed(1);
    wantAll();
    const asked = turn();
    pass(19_900);
    expect(cancelled).toEqual([]);
    pass(300);
    expect(cancelled).toHaveLength(asked.length);
    expect(scheduler.peerFigures(1)).toMatchObject({ outstandingBlocks: 1, isSnubbed: true });
  });

  test("is believed again with its next block", () => {
    const { scheduler, seed, wantAll, turn, pass, arrive } = setUp(8 * MIB, 256 * KIB);
    seed(1);
    wantAll();
    const [block] = turn();
    pass(3_000);
    expect(scheduler.peerFigures(1).isSnubbed).toBe(true);
    arrive(block!);
    expect(scheduler.peerFigures(1).isSnubbed).toBe(false);
  });
});

describe("the stream's urgency", () => {
  test("covers what plays now and soon and the index, and ends with the demand", () => {
    const { scheduler, geometry } = setUp(512 * MIB, MIB);
    const demand: ReaderDemand = demandAt(geometry, 100 * MIB, {
      bytesPerSec: MIB,
      index: [{ start: 500 * MIB, end: 502 * MIB }],
    });
    scheduler.setDemands([demand]);
    const urgent = [99, 100, 109, 112, 125, 499, 500, 501, 502].map((piece) =>
      scheduler.isStreamUrgent(piece),
    );
    expect(urgent).toEqual([false, true, true, false, false, false, true, true, false]);
    scheduler.setDemands([]);
    expect(scheduler.isStreamUrgent(100)).toBe(false);
  });

  test("makes a turn worth while as soon as it changes", () => {
    const { scheduler, geometry, turn } = setUp(512 * MIB, MIB);
    turn();
    expect(scheduler.needsTurn).toBe(false);
    scheduler.setDemands([demandAt(geometry, 0)]);
    expect(scheduler.needsTurn).toBe(true);
  });
});

describe("a new truth about the disk", () => {
  test("makes arrived blocks of unfinished pieces needed again, and withdraws requests for had ones", () => {
    const { scheduler, seed, wantAll, turn, arrive, cancelled } = setUp();
    seed(1);
    wantAll();
    const first = turn();
    const piece = first[0]!.piece;
    arrive(first[0]!);
    const have = new Bitfield(4);
    scheduler.setHave(have);
    const again = turn();
    expect(again).toContainEqual(first[0]!);
    have.add(piece);
    scheduler.setHave(have);
    expect(cancelled.filter((each) => each.piece === piece).length).toBeGreaterThan(0);
    expect(turn().some((each) => each.piece === piece)).toBe(false);
  });
});
