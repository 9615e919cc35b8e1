// Whose blocks are let in, and who is at fault when more comes than is needed.

import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, LIMITS } from "../../../src/base/limits.ts";
import { PeerFault } from "../../../src/base/peer-fault.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { BlockIntake } from "../../../src/engine/block-intake.ts";
import { TorrentScheduler } from "../../../src/scheduler/index.ts";
import type { TorrentStore } from "../../../src/store/index.ts";
import { BytesTarget } from "../../support/bytes-target.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { geometryOf } from "../scheduler/torrent-shape.ts";
import { fakePeer } from "./fake-peer.ts";

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
  const piece = new BytesTarget(new Uint8Array(BLOCKS * BLOCK_BYTES), 0);
  const store = {
    blockTarget: () => piece,
    blockArrived: (_piece: number, beginBytes: number) => void arrived.push(beginBytes),
  } as unknown as TorrentStore;
  const intake = new BlockIntake(scheduler, store, BLOCKS);
  const { peer } = fakePeer();
  scheduler.addPeer(peer.key, { connectMs: 1, hasFast: false, requestQueue: null });
  scheduler.peerHasAll(peer.key);
  scheduler.peerChoking(peer.key, false);
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
