import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { Assembly } from "../../../src/store/assembly.ts";
import { AssemblyBudget } from "../../../src/store/assembly-budget.ts";
import type { PieceSlot } from "../../../src/store/ports.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { PlainMemory, type PlainSlot } from "../../support/plain-memory.ts";
import { makeTorrent } from "../../support/store-torrent.ts";

const BLOCKS = 5;
const PIECE = BLOCKS * BLOCK_BYTES;
/** What such a piece takes: two slabs. */
const TAKEN = 128 * 1024;
const MIB = 1024 * 1024;

function setUp(options: { budget?: AssemblyBudget; capacityPieces?: number; memoryBytes?: number } = {}) {
  const torrent = makeTorrent({
    pieceLengthBytes: PIECE,
    files: [{ path: "a", lengthBytes: 8 * PIECE + 5 }],
  });
  const budget = options.budget ?? new AssemblyBudget((options.capacityPieces ?? 4) * TAKEN);
  const memory = new PlainMemory({ capacityBytes: options.memoryBytes ?? Number.POSITIVE_INFINITY });
  return { ...assemblyOf(torrent, memory, budget), budget, memory };
}

function assemblyOf(torrent: ReturnType<typeof makeTorrent>, memory: PlainMemory, budget: AssemblyBudget) {
  const clock = new FakeClock();
  const dropped: number[] = [];
  const assembly = new Assembly({
    geometry: torrent.geometry,
    memory: memory.open(torrent.info),
    budget,
    clock,
    // The disk is not to be touched: what is stale is given up. What else there is: spill.test.ts.
    spill: { run: () => false, write: () => Promise.resolve(null), read: () => Promise.resolve(false) },
    onDropped: (piece) => dropped.push(piece),
    onSealed: (sealed) => assembly.release(sealed),
  });
  const take = (piece: number, block: number, isUrgent = false) =>
    assembly.target(piece, block * BLOCK_BYTES, BLOCK_BYTES, isUrgent);
  const put = (piece: number, block: number, value = 1) => {
    fill(take(piece, block), block, value);
    return assembly.arrived(piece, block * BLOCK_BYTES);
  };
  return { assembly, clock, dropped, take, put };
}

function fill(slot: PieceSlot | null, block: number, value: number): void {
  slot?.write(block * BLOCK_BYTES, new Uint8Array(BLOCK_BYTES).fill(value), 0, BLOCK_BYTES);
}

describe("pieces in the making", () => {
  test("lie in one slot and are sealed by their last block, whatever the order", () => {
    const { assembly, budget, memory, put } = setUp();
    for (const block of [4, 1, 3, 2]) expect(put(0, block, block)).toBeNull();
    expect(assembly.sealedBytes).toBe(0);
    const sealed = put(0, 0, 7);
    expect(sealed?.slot.lengthBytes).toBe(PIECE);
    const firsts = [0, 1, 2, 3, 4].map((block) => sealed?.slot.copy(block * BLOCK_BYTES, 1)[0]);
    expect(firsts).toEqual([7, 1, 2, 3, 4]);
    expect([budget.usedBytes, assembly.heldBytes, assembly.sealedBytes]).toEqual([TAKEN, TAKEN, TAKEN]);
    assembly.release(sealed!);
    expect([budget.usedBytes, assembly.heldBytes, assembly.sealedBytes]).toEqual([0, 0, 0]);
    expect(memory.usedBytes).toBe(0);
  });

  test("that are given up make room at once, and begin anew from nothing", () => {
    const { assembly, budget, memory, dropped, put, take } = setUp({ capacityPieces: 1 });
    for (const block of [0, 1, 2, 3]) put(0, block);
    expect(take(1, 0, true)).toBeNull();
    assembly.drop(0);
    assembly.drop(7);
    expect([budget.usedBytes, memory.usedBytes]).toEqual([0, 0]);
    expect(take(1, 0, true)).not.toBeNull();
    expect(assembly.arrived(0, 4 * BLOCK_BYTES)).toBeNull();
    expect(dropped).toEqual([]);
  });

  test("no longer hear who was given a place before they were given up", () => {
    const { assembly, put, take } = setUp();
    const slow = take(0, 0);
    assembly.dropAll();
    expect(assembly.arrived(0, 0)).toBeNull();
    for (const block of [0, 1, 2, 3]) put(0, block, 1);
    fill(slow, 0, 9);
    expect(
      put(0, 4, 1)
        ?.slot.copy(0, PIECE)
        .every((byte) => byte === 1),
    ).toBe(true);
  });

  test("refuse a block that has arrived, and ignore one that was given no place or arrives twice", () => {
    const { assembly, put, take } = setUp();
    expect(assembly.arrived(0, 0)).toBeNull();
    take(0, 0);
    expect(assembly.arrived(0, BLOCK_BYTES)).toBeNull();
    expect(assembly.arrived(0, 0)).toBeNull();
    expect(assembly.arrived(0, 0)).toBeNull();
    expect(take(0, 0)).toBeNull();
    for (const block of [1, 2, 3]) expect(put(0, block)).toBeNull();
    expect(put(0, 4)).not.toBeNull();
  });

  test("that stood still for a minute give way when memory is short, and are told", async () => {
    const { clock, dropped, take } = setUp({ capacityPieces: 2 });
    take(0, 0);
    expect(take(1, 0)).toBeNull();
    clock.advance(59_000);
    expect(take(1, 0)).toBeNull();
    clock.advance(1_000);
    expect(take(1, 0)).not.toBeNull();
    await clock.settle();
    expect(dropped).toEqual([0]);
  });

  test("of a torrent that holds nothing are always granted one, also beyond the budget", () => {
    const first = setUp({ capacityPieces: 1 });
    expect(first.take(0, 0)).not.toBeNull();
    expect(first.take(1, 0, true)).toBeNull();
    const second = setUp({ budget: first.budget });
    expect(second.take(0, 0)).not.toBeNull();
    expect(second.take(1, 0, true)).toBeNull();
  });

  test("take nothing from the budget where there is no memory after all", () => {
    const { assembly, budget, take } = setUp({ memoryBytes: PIECE });
    expect(take(0, 0)).not.toBeNull();
    expect(take(1, 0)).toBeNull();
    expect([budget.usedBytes, assembly.heldBytes]).toEqual([TAKEN, TAKEN]);
  });

  test("wait for memory by being told when some comes back, once for all that were refused", async () => {
    const { assembly, budget, clock, take } = setUp({ capacityPieces: 2 });
    let calls = 0;
    const end = budget.onFree(() => calls++);
    take(0, 0);
    assembly.drop(0);
    await clock.settle();
    expect(calls).toBe(0);
    take(0, 0);
    take(1, 0, true);
    take(2, 0, true);
    take(3, 0, true);
    assembly.dropAll();
    await clock.settle();
    expect(calls).toBe(1);
    end();
  });
});

describe("a large piece in the making", () => {
  function large(lengthBytes: number) {
    const torrent = makeTorrent({ pieceLengthBytes: lengthBytes, files: [{ path: "a", lengthBytes }] });
    const made = assemblyOf(torrent, new PlainMemory(), new AssemblyBudget(64 * MIB));
    const advancedBytes = () =>
      (made.take(0, torrent.geometry.blocksPerPiece - 1) as PlainSlot).advancedBytes;
    return { ...made, advancedBytes };
  }

  test("is hashed while it arrives, as far as it has no hole, in steps of a MiB", () => {
    const { put, advancedBytes } = large(4 * MIB);
    for (let block = 1; block < 100; block++) put(0, block);
    expect(advancedBytes()).toBe(0);
    put(0, 0);
    expect(advancedBytes()).toBe(100 * BLOCK_BYTES);
    for (let block = 100; block < 163; block++) put(0, block);
    expect(advancedBytes()).toBe(100 * BLOCK_BYTES);
    put(0, 163);
    expect(advancedBytes()).toBe(164 * BLOCK_BYTES);
  });

  test("below 2 MiB is hashed when it is whole", () => {
    const { put, advancedBytes } = large(2 * MIB - BLOCK_BYTES);
    for (let block = 0; block < 100; block++) put(0, block);
    expect(advancedBytes()).toBe(0);
  });
});
