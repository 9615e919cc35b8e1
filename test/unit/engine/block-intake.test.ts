import { beforeEach, describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { BLOCK_BYTES, LIMITS } from "../../../src/base/limits.ts";
import { PeerFault } from "../../../src/base/peer-fault.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { BlockIntake } from "../../../src/engine/block-intake.ts";
import type { Peer } from "../../../src/engine/peer.ts";
import { type PeerOrders, TorrentScheduler } from "../../../src/scheduler/index.ts";
import type { TorrentStore } from "../../../src/store/index.ts";
import type { BlockTarget } from "../../../src/wire/index.ts";
import { BytesTarget } from "../../support/bytes-target.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeTorrent } from "../../support/store-torrent.ts";
import { type FakeLink, fakePeer } from "./fake-peer.ts";

const PIECE = 2 * BLOCK_BYTES;
const { geometry } = makeTorrent({ files: [{ path: "a", lengthBytes: 4 * PIECE }], pieceLengthBytes: PIECE });
const UNLIMITED = { streamBytes: Number.POSITIVE_INFINITY, backgroundBytes: Number.POSITIVE_INFINITY };

/** What of the store the intake uses: one buffer per piece, and what was told as arrived. */
class Blocks {
  readonly arrived: string[] = [];
  readonly pieces = new Map<number, BytesTarget>();
  hasRoom = true;

  blockTarget(piece: number): BlockTarget | null {
    if (!this.hasRoom) return null;
    const target = this.pieces.get(piece) ?? new BytesTarget(new Uint8Array(PIECE), 0);
    this.pieces.set(piece, target);
    return target;
  }

  /** The first block of the first piece. */
  get firstBlock(): Uint8Array | undefined {
    return this.pieces.get(0)?.bytes.subarray(0, BLOCK_BYTES);
  }

  blockArrived(piece: number, begin: number): void {
    this.arrived.push(`${piece}/${begin}`);
  }
}

/** Lets the first `lengthBytes` of a piece come in as this value. */
function fill(target: BlockTarget | null, value: number, lengthBytes = BLOCK_BYTES): void {
  target?.write(0, new Uint8Array(lengthBytes).fill(value), 0, lengthBytes);
}

let blocks: Blocks;
let scheduler: TorrentScheduler;
let intake: BlockIntake;
let slow: { peer: Peer; link: FakeLink };
let fast: { peer: Peer; link: FakeLink };

/** Two peers that were both asked for the block at the playhead. */
function raced(): { piece: number; begin: number } {
  const range = { start: 0, end: 4 * PIECE };
  scheduler.setDemands([
    { stream: 1, readBytes: 0, file: range, bytesPerSec: 1e9, index: [], aheadBytes: 1 },
  ]);
  scheduler.turn(UNLIMITED);
  return { piece: 0, begin: 0 };
}

beforeEach(() => {
  blocks = new Blocks();
  const orders: PeerOrders = { request: () => undefined, cancel: () => undefined, drop: () => undefined };
  scheduler = new TorrentScheduler({ geometry, clock: new FakeClock(), random: seededRandom(3), orders });
  scheduler.setHave(new Bitfield(geometry.pieceCount));
  scheduler.setPriorities(new Uint8Array(geometry.pieceCount).fill(4));
  intake = new BlockIntake(scheduler, blocks as unknown as TorrentStore, geometry.blocksPerPiece);
  slow = fakePeer("198.51.100.1");
  fast = fakePeer("198.51.100.2");
});

function join({ peer }: { peer: Peer }): void {
  scheduler.addPeer(peer.key, { connectMs: 20, hasFast: true, requestQueue: 250 });
  scheduler.peerHasAll(peer.key);
  scheduler.peerChoking(peer.key, false);
}

/** A second copy of a block is a decision of the scheduler; here it is simply said that both are asked. */
function expectEverything(): void {
  scheduler.expects = () => true;
  let isFirst = true;
  scheduler.blockArrived = () => {
    const verdict = isFirst ? "wanted" : "duplicate";
    isFirst = false;
    return verdict;
  };
}

describe("blocks on their way in", () => {
  test("a block that was asked for lands in the store, and its sender is remembered until the piece is settled", () => {
    join(slow);
    raced();
    const target = intake.targetFor(slow.peer, 0, 0, BLOCK_BYTES);
    fill(target, 5);
    expect(intake.arrived(slow.peer, 0, 0, BLOCK_BYTES)).toBe(true);
    expect(blocks.arrived).toEqual(["0/0"]);
    expect(blocks.firstBlock).toEqual(new Uint8Array(BLOCK_BYTES).fill(5));
    expect(intake.takeSenders(0)).toEqual(["198.51.100.1", undefined]);
    expect(intake.takeSenders(0)).toEqual([]);
  });

  test("the faster of two peers wins, and the slower can no longer change what it brought", () => {
    expectEverything();
    const first = intake.targetFor(slow.peer, 0, 0, BLOCK_BYTES);
    const second = intake.targetFor(fast.peer, 0, 0, BLOCK_BYTES);
    expect(first).toBe(blocks.pieces.get(0)!);
    fill(second, 2);
    fill(first, 1, 100);
    expect(blocks.firstBlock?.[0]).toBe(1);
    expect(blocks.firstBlock?.[100]).toBe(0);
    expect(intake.arrived(fast.peer, 0, 0, BLOCK_BYTES)).toBe(true);
    expect(blocks.firstBlock).toEqual(new Uint8Array(BLOCK_BYTES).fill(2));
    expect(slow.link.take()).toEqual(["give-up-target"]);
    expect(intake.arrived(slow.peer, 0, 0, BLOCK_BYTES)).toBe(false);
    expect(blocks.arrived).toEqual(["0/0"]);
    expect(intake.takeSenders(0)).toEqual(["198.51.100.2", undefined]);
  });

  test("where the first writer finishes first, the racer's copy is dropped", () => {
    expectEverything();
    fill(intake.targetFor(slow.peer, 0, 0, BLOCK_BYTES), 1);
    fill(intake.targetFor(fast.peer, 0, 0, BLOCK_BYTES), 2);
    expect(intake.arrived(slow.peer, 0, 0, BLOCK_BYTES)).toBe(true);
    expect(intake.arrived(fast.peer, 0, 0, BLOCK_BYTES)).toBe(false);
    expect(blocks.firstBlock).toEqual(new Uint8Array(BLOCK_BYTES).fill(1));
    expect(intake.takeSenders(0)).toEqual(["198.51.100.1", undefined]);
  });

  test("a block that breaks off is needed again, and its place is free for the next", () => {
    join(slow);
    join(fast);
    raced();
    expectEverything();
    intake.targetFor(slow.peer, 0, 0, BLOCK_BYTES);
    intake.aborted(slow.peer, 0, 0);
    expect(intake.targetFor(fast.peer, 0, 0, BLOCK_BYTES)).toBe(blocks.pieces.get(0)!);
  });

  test("a piece that is dropped takes its memory from who still writes a block of it", () => {
    expectEverything();
    intake.targetFor(slow.peer, 0, 0, BLOCK_BYTES);
    intake.targetFor(fast.peer, 1, 0, BLOCK_BYTES);
    intake.pieceDropped(0);
    expect(slow.link.take()).toEqual(["give-up-target"]);
    expect(fast.link.take()).toEqual([]);
    expect(intake.arrived(slow.peer, 0, 0, BLOCK_BYTES)).toBe(false);
    expect(blocks.arrived).toEqual([]);
  });

  test("without memory the block is skipped and needed again", () => {
    join(slow);
    raced();
    blocks.hasRoom = false;
    expect(intake.targetFor(slow.peer, 0, 0, BLOCK_BYTES)).toBeNull();
    expect(intake.arrived(slow.peer, 0, 0, BLOCK_BYTES)).toBe(false);
    expect(blocks.arrived).toEqual([]);
    blocks.hasRoom = true;
    scheduler.turn(UNLIMITED);
    expect(intake.targetFor(slow.peer, 0, 0, BLOCK_BYTES)).not.toBeNull();
  });

  test("unasked blocks are skipped, and too many of them within a minute are a fault", () => {
    join(slow);
    const send = () => {
      expect(intake.targetFor(slow.peer, 3, 0, BLOCK_BYTES)).toBeNull();
      return intake.arrived(slow.peer, 3, 0, BLOCK_BYTES);
    };
    const { unsolicitedBlocksPerMinute } = LIMITS.peer;
    for (let count = 0; count < unsolicitedBlocksPerMinute; count++) expect(send()).toBe(false);
    expect(send).toThrow(PeerFault);
    intake.resetCounts();
    expect(send()).toBe(false);
    expect(blocks.arrived).toEqual([]);
  });
});
