// Which requests are served, and when a peer that asks against the rules is to go.

import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES, LIMITS } from "../../../src/base/limits.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Peer } from "../../../src/engine/peer.ts";
import { Uploader } from "../../../src/engine/uploader.ts";
import type { TorrentStore } from "../../../src/store/index.ts";
import { geometryOf } from "../scheduler/torrent-shape.ts";

const MOST = LIMITS.peer.refusedRequests;
const QUEUE = 2 * LIMITS.peer.requestQueue;

/** A peer that we may choke, of a torrent with one piece, and an upload limit of nothing: all waits in the queue. */
function setUp() {
  const rejected: number[] = [];
  const link = {
    hasFast: true,
    queuedBytes: 0,
    reject: (_piece: number, beginBytes: number) => rejected.push(beginBytes),
    flush: () => undefined,
  };
  const peer = { key: 1, amChoking: false, link };
  const uploader = new Uploader({
    store: { have: { has: () => true } } as unknown as TorrentStore,
    allowance: { available: () => 0, take: () => undefined },
    geometry: geometryOf(1024 * BLOCK_BYTES, 1024 * BLOCK_BYTES),
    onSent: () => undefined,
    log: silentLog,
  });
  const asPeer = peer as unknown as Peer;
  const ask = () => uploader.request(asPeer, 0, 0, BLOCK_BYTES);
  const askOften = (count: number) => Array.from({ length: count }, ask).every((isFine) => isFine);
  const choke = (isChoking: boolean) => {
    peer.amChoking = isChoking;
    if (isChoking) uploader.choked(asPeer);
  };
  return { ask, askOften, choke, rejected };
}

describe("requests", () => {
  test("while choked are refused, and past the limit in a row the peer is to go", () => {
    const { ask, askOften, choke, rejected } = setUp();
    choke(true);
    expect(askOften(MOST)).toBe(true);
    expect(rejected.length).toBe(MOST);
    expect(ask()).toBe(false);
  });

  test("that were on their way at each of many chokes do not add up", () => {
    const { ask, askOften, choke } = setUp();
    for (let round = 0; round < 20; round++) {
      choke(true);
      expect(askOften(MOST / 4)).toBe(true);
      choke(false);
      expect(ask()).toBe(true);
    }
  });

  test("past the queue are refused, and a flood of them ends the peer", () => {
    const { ask, askOften, rejected } = setUp();
    expect(askOften(QUEUE)).toBe(true);
    expect(rejected).toEqual([]);
    expect(askOften(MOST)).toBe(true);
    expect(rejected.length).toBe(MOST);
    expect(ask()).toBe(false);
  });
});
