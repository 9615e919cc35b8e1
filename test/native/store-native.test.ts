// The store on the native addon's threads and real files: the same contract as on plain memory, and what only threads
// can get wrong.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { BLOCK_BYTES } from "../../src/base/limits.ts";
import { seededRandom, shuffled } from "../../src/base/random.ts";
import { AssemblyBudget } from "../../src/store/index.ts";
import { type NativeWorld, nativeWorld } from "../support/native-world.ts";
import { claimContract } from "../support/store-contract/claim.ts";
import { hostilePlacesContract } from "../support/store-contract/hostile-places.ts";
import { presenceContract } from "../support/store-contract/presence.ts";
import { resumeContract } from "../support/store-contract/resume.ts";
import { downloadContract } from "../support/store-contract/torrent-store.ts";
import { expectFile, KIB, realBench, saveFolder, useWorld } from "../support/store-files.ts";
import { allPieces, type Bench, download, feed, makeTorrent, NEVER } from "../support/store-torrent.ts";

const MIB = 1024 * KIB;

describe("the store on native memory", () => {
  let world: NativeWorld;

  beforeAll(() => {
    world = nativeWorld();
    useWorld(world);
  });

  // A thread tells its result before it lets go of the memory.
  afterEach(() => turnsUntil(() => world.native.figures().arenaBytes === 0));

  afterAll(() => {
    useWorld(null);
    world.close();
  });

  downloadContract();
  presenceContract();
  resumeContract();
  claimContract();
  hostilePlacesContract();

  describe("in the middle of its jobs", () => {
    const torrent = makeTorrent({
      pieceLengthBytes: 256 * KIB,
      files: [
        { path: "a", lengthBytes: 5_000 * KIB + 11 },
        { path: "b", lengthBytes: 3_000 * KIB },
      ],
    });
    const rounds = Array.from({ length: 12 }, (_, at) => at);

    /** Every piece is on its way; some are settled, some are not. */
    async function busy(round: number): Promise<Bench> {
      const made = realBench({ saveDirectory: saveFolder(), torrent });
      await made.store.open(null, NEVER);
      for (const piece of allPieces(torrent)) feed(made, piece);
      for (let turn = 0; turn < round; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
      return made;
    }

    test.each(rounds)(
      "a close writes what is complete, and the next start has it (round %d)",
      async (round) => {
        const made = await busy(round);
        await made.store.close();
        expect(made.store.have.isFull).toBe(true);
        const next = realBench({ saveDirectory: dirname(dirname(made.pathOf(0))), torrent });
        await next.store.open(made.events.last, NEVER);
        expect(next.store.have.isFull).toBe(true);
        for (const file of torrent.info.files) expectFile(next, file.index);
        await next.store.close();
      },
    );

    test.each(rounds)("a removal leaves nothing behind (round %d)", async (round) => {
      const made = await busy(round);
      await made.store.removeData();
      expect(readdirSync(dirname(dirname(made.pathOf(0))))).toEqual([]);
    });

    test.each(rounds)("a recheck finds exactly what was written (round %d)", async (round) => {
      const made = await busy(round);
      await made.store.recheck(NEVER);
      for (const piece of allPieces(torrent)) {
        if (!made.store.have.has(piece)) continue;
        const start = torrent.geometry.pieceStart(piece);
        const bytes = await made.store.read(start, torrent.geometry.pieceLength(piece));
        expect(Buffer.compare(bytes, torrent.bytes.subarray(start, start + bytes.length))).toBe(0);
      }
      await download(
        made,
        allPieces(torrent).filter((piece) => !made.store.have.has(piece)),
      );
      await made.store.close();
    });
  });

  test("a large piece is hashed while it arrives, in any order, and what fails comes back with its bytes", async () => {
    const torrent = makeTorrent({
      pieceLengthBytes: 4 * MIB,
      files: [{ path: "a", lengthBytes: 9 * MIB + 5 }],
    });
    const made = realBench({ saveDirectory: saveFolder(), torrent });
    await made.store.open(null, NEVER);
    const bad = torrent.bytes.slice();
    bad[MIB] = (bad[MIB] ?? 0) ^ 1;
    const failed = Promise.withResolvers<Uint8Array | null>();
    made.events.onCorrupt = (_, bytes) => failed.resolve(bytes?.slice() ?? null);
    feed(made, 0, bad);
    expect(Buffer.compare((await failed.promise)!, bad.subarray(0, 4 * MIB))).toBe(0);
    for (const piece of allPieces(torrent)) shuffledFeed(made, piece);
    await made.events.until(() => made.store.have.isFull);
    await made.store.close();
    expectFile(made, 0);
  });

  test("a piece that stood still comes back from the disk and passes", async () => {
    const torrent = makeTorrent({
      pieceLengthBytes: 4 * MIB,
      files: [
        { path: "a", lengthBytes: 6 * MIB },
        { path: "b", lengthBytes: 6 * MIB },
      ],
    });
    const budget = new AssemblyBudget(5 * MIB);
    const made = realBench({ saveDirectory: saveFolder(), torrent, budget });
    await made.store.open(null, NEVER);
    for (let block = 0; block < 200; block++) put(made, 1, block);
    made.clock.advance(60_000);
    expect(put(made, 0, 0)).toBe(false);
    await turnsUntil(() => made.store.spilledBytes > 0);
    // A thread may be hashing what was there of it.
    await turnsUntil(() => world.native.figures().arenaBytes === 0);
    for (let block = 200; block < 256; block++) put(made, 1, block);
    await made.events.until(() => made.store.have.has(1));
    expect(made.events.corrupt).toEqual([]);
    await made.store.close();
  });

  test("a piece whose file was closed before is told as failed, not as corrupt", async () => {
    const torrent = makeTorrent({
      pieceLengthBytes: 64 * KIB,
      files: [{ path: "a", lengthBytes: 256 * KIB }],
    });
    const save = saveFolder();
    const file = await world.disk.open(join(save, "x"), { create: true });
    const memory = world.memory.open(torrent.info);
    const slot = memory.take(0, 64 * KIB)!;
    slot.write(0, torrent.bytes, 0, 64 * KIB);
    await file.close();
    const writes = [{ file, offsetBytes: 0, atBytes: 0, lengthBytes: 64 * KIB }];
    const outcome = await slot.settle(torrent.info.pieceHashes.subarray(0, 20), writes);
    expect(outcome).toMatchObject({ kind: "failed" });
    slot.release();
    memory.close();
  });
});

async function turnsUntil(isReached: () => boolean): Promise<void> {
  while (!isReached()) await new Promise<void>((resolve) => setImmediate(resolve));
}

function put(made: Bench, piece: number, block: number): boolean {
  const slot = made.store.blockTarget(piece, block * BLOCK_BYTES, BLOCK_BYTES);
  const at = made.torrent.geometry.pieceStart(piece) + block * BLOCK_BYTES;
  slot?.write(block * BLOCK_BYTES, made.torrent.bytes, at, at + BLOCK_BYTES);
  if (slot !== null) made.store.blockArrived(piece, block * BLOCK_BYTES, BLOCK_BYTES);
  return slot !== null;
}

function shuffledFeed(made: Bench, piece: number): void {
  const { geometry } = made.torrent;
  const blocks = shuffled(
    Array.from({ length: geometry.blockCount(piece) }, (_, at) => at),
    seededRandom(piece),
  );
  for (const block of blocks) {
    const begin = block * BLOCK_BYTES;
    const length = geometry.blockLength(piece, block);
    const slot = made.store.blockTarget(piece, begin, length);
    const at = geometry.pieceStart(piece) + begin;
    slot?.write(begin, made.torrent.bytes, at, at + length);
    made.store.blockArrived(piece, begin, length);
  }
}
