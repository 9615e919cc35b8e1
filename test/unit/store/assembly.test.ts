import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { Assembly } from "../../../src/store/assembly.ts";
import { AssemblyBudget } from "../../../src/store/assembly-budget.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeTorrent } from "../../support/store-torrent.ts";

const PIECE = 2 * BLOCK_BYTES;

function setUp(capacityPieces: number, budget = new AssemblyBudget(capacityPieces * PIECE)) {
  const torrent = makeTorrent({
    pieceLengthBytes: PIECE,
    files: [{ path: "a", lengthBytes: 8 * PIECE + 5 }],
  });
  const clock = new FakeClock();
  const dropped: number[] = [];
  const assembly = new Assembly({
    geometry: torrent.geometry,
    budget,
    clock,
    onDropped: (piece) => dropped.push(piece),
  });
  const take = (piece: number, block: number, isUrgent = false) =>
    assembly.target(piece, block * BLOCK_BYTES, BLOCK_BYTES, isUrgent);
  return { assembly, budget, clock, dropped, take };
}

describe("pieces in the making", () => {
  test("lie in one run of memory and are sealed by their last block, whatever the order", () => {
    const { assembly, budget, take } = setUp(4);
    take(0, 1)?.fill(2);
    take(0, 0)?.fill(1);
    expect(assembly.arrived(0, BLOCK_BYTES)).toBeNull();
    const sealed = assembly.arrived(0, 0);
    expect(sealed?.bytes.length).toBe(PIECE);
    expect([sealed?.bytes[0], sealed?.bytes[BLOCK_BYTES]]).toEqual([1, 2]);
    expect(budget.usedBytes).toBe(PIECE);
    assembly.release(sealed!);
    expect(budget.usedBytes).toBe(0);
  });

  test("cannot be changed once sealed by a peer that was given the same place", () => {
    const { assembly, take } = setUp(4);
    const slow = take(0, 0)!;
    take(0, 0)?.fill(1);
    take(0, 1)?.fill(1);
    assembly.arrived(0, 0);
    const sealed = assembly.arrived(0, BLOCK_BYTES)!;
    slow.fill(9);
    expect(sealed.bytes.every((byte) => byte === 1)).toBe(true);
    assembly.release(sealed);
  });

  test("do not reuse memory that a peer may still write to", () => {
    const { assembly, take } = setUp(4);
    const slow = take(0, 0)!;
    assembly.dropAll();
    const next = take(1, 0)!;
    next.fill(1);
    slow.fill(9);
    expect(next.every((byte) => byte === 1)).toBe(true);
  });

  test("that are given up make room at once, and begin anew from nothing", () => {
    const { assembly, budget, dropped, take } = setUp(1);
    take(0, 0);
    assembly.arrived(0, 0);
    expect(take(1, 0, true)).toBeNull();
    assembly.drop(0);
    assembly.drop(7);
    expect(budget.usedBytes).toBe(0);
    expect(take(1, 0, true)).not.toBeNull();
    expect(assembly.arrived(0, BLOCK_BYTES)).toBeNull();
    expect(dropped).toEqual([]);
  });

  test("reuse the memory of settled pieces", () => {
    const { assembly, take } = setUp(4);
    const first = take(0, 0)!.buffer;
    take(0, 1);
    assembly.arrived(0, 0);
    assembly.release(assembly.arrived(0, BLOCK_BYTES)!);
    expect(take(1, 0)?.buffer).toBe(first);
  });

  test("refuse a block that has arrived, and ignore one that was given no place or arrives twice", () => {
    const { assembly, take } = setUp(4);
    expect(assembly.arrived(0, 0)).toBeNull();
    take(0, 0);
    expect(assembly.arrived(0, BLOCK_BYTES)).toBeNull();
    expect(assembly.arrived(0, 0)).toBeNull();
    expect(assembly.arrived(0, 0)).toBeNull();
    expect(take(0, 0)).toBeNull();
    take(0, 1);
    expect(assembly.arrived(0, BLOCK_BYTES)).not.toBeNull();
  });

  test("that stood still for a minute give way when memory is short, and are told", async () => {
    const { clock, dropped, take } = setUp(2);
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
    const first = setUp(1);
    expect(first.take(0, 0)).not.toBeNull();
    expect(first.take(1, 0, true)).toBeNull();
    const second = setUp(1, first.budget);
    expect(second.take(0, 0)).not.toBeNull();
    expect(second.take(1, 0, true)).toBeNull();
  });
});
