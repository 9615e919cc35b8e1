// Whose blocks are let in, and who is at fault when more comes than is needed.

import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, LIMITS } from "../../../src/base/limits.ts";
import { PeerFault } from "../../../src/base/peer-fault.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { BlockIntake } from "../../../src/engine/block-intake.ts";
import type { Peer } from "../../../src/engine/peer.ts";
import { TorrentScheduler } from "../../../src/scheduler/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { geometryOf } from "../scheduler/torrent-shape.ts";

const BLOCKS = 256;
const MOST = LIMITS.peer.unsolicitedBlocksPerMinute;

/** One piece of 256 blocks, and a peer that was asked for all of them. */
function setUp() {
  const asked: number[] = [];
  const scheduler = new TorrentScheduler({
    geometry: geometryOf(BLOCKS * BLOCK_BYTES, BLOCKS * BLOCK_BYTES),
    clock: new FakeClock(),
    random: seededRandom(1),
    orders: {
      request: (_peer, _piece, beginBytes) => asked.push(beginBytes),
      cancel: () => undefined,
      drop: () => undefined,
    },
  });
  const arrived: number[] = [];
  const store = {
    blockTarget: (_piece: number, _begin: number, lengthBytes: number) => new Uint8Array(lengthBytes),
    blockArrived: (_piece: number, beginBytes: number) => void arrived.push(beginBytes),
  };
  const intake = new BlockIntake(scheduler, store, BLOCKS);
  const peer = { key: 1, address: { host: "10.0.0.1", port: 1 } } as unknown as Peer;
  scheduler.addPeer(1, { connectMs: 1, hasFast: false, requestQueue: null });
  scheduler.peerHasAll(1);
  scheduler.peerChoking(1, false);
  const send = (beginBytes: number) => {
    const target = intake.targetFor(peer, 0, beginBytes, BLOCK_BYTES);
    return { isIn: target !== null, isUseful: intake.arrived(peer, 0, beginBytes, BLOCK_BYTES) };
  };
  const askForAll = () => {
    scheduler.setPriorities(new Uint8Array([4]));
    for (let at = 0; at < BLOCKS; at++) {
      scheduler.turn({ streamBytes: Number.POSITIVE_INFINITY, backgroundBytes: Number.POSITIVE_INFINITY });
      const next = asked[arrived.length];
      if (asked.length >= MOST * 3 || next === undefined) return;
      send(next);
    }
  };
  return { scheduler, intake, asked, arrived, send, askForAll };
}

describe("blocks", () => {
  test("that were asked and then taken back are no fault of the peer that sends them all the same", () => {
    const { scheduler, asked, arrived, send, askForAll } = setUp();
    askForAll();
    const before = arrived.length;
    const late = asked.slice(before);
    expect(late.length).toBeGreaterThan(MOST);
    // Nothing is needed any more, so all of it is cancelled; this peer does not listen.
    scheduler.pieceVerified(0);
    scheduler.turn({ streamBytes: 0, backgroundBytes: 0 });
    for (const beginBytes of late) expect(send(beginBytes)).toEqual({ isIn: false, isUseful: false });
    expect(arrived.length).toBe(before);
  });

  test("that nobody asked for end the peer past their limit per minute", () => {
    const { intake, arrived, send } = setUp();
    for (let count = 0; count < MOST; count++) expect(send(0).isIn).toBe(false);
    expect(() => send(0)).toThrow(PeerFault);
    intake.resetCounts();
    expect(send(0).isUseful).toBe(false);
    expect(arrived).toEqual([]);
  });
});
