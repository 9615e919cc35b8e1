// Pieces that stand still while memory is short: to disk and back, on a disk in memory.

import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { AssemblyBudget, type DiskFile, type ResumeState } from "../../../src/store/index.ts";
import { MemoryDisk } from "../../support/memory-disk.ts";
import { type Bench, benchOf, download, makeTorrent, NEVER } from "../../support/store-torrent.ts";

const SAVE = "/srv/downloads";
const SLAB = 64 * 1024;
const PIECE = 4 * BLOCK_BYTES;
const MINUTE_MS = 60_000;
const torrent = makeTorrent({
  pieceLengthBytes: PIECE,
  files: [
    { path: "a", lengthBytes: 2 * PIECE + 5_000 },
    { path: "b", lengthBytes: 4 * PIECE },
  ],
});
/** Begins in `a` and ends in `b`. */
const BOUNDARY = 2;

interface Spilling {
  readonly made: Bench;
  readonly disk: MemoryDisk;
  readonly budget: AssemblyBudget;
}

interface Options {
  readonly seed?: number;
  readonly presence?: boolean[];
  readonly disk?: MemoryDisk;
  readonly resume?: ResumeState;
}

/** Memory for two pieces. */
async function setUp(options: Options = {}): Promise<Spilling> {
  const disk = options.disk ?? new MemoryDisk(seededRandom(options.seed ?? 1), ["/srv", SAVE]);
  const budget = new AssemblyBudget(2.5 * SLAB);
  const presence = options.presence ?? [true, true];
  const made = benchOf({ torrent, disk, budget, saveDirectory: SAVE, presence });
  await made.store.open(options.resume ?? null, NEVER);
  return { made, disk, budget };
}

function target(made: Bench, piece: number, block: number) {
  return made.store.blockTarget(piece, block * BLOCK_BYTES, torrent.geometry.blockLength(piece, block), true);
}

/** The block arrives; false where there is no place for it. */
function put(made: Bench, piece: number, block: number, bytes = torrent.bytes): boolean {
  const slot = target(made, piece, block);
  const length = torrent.geometry.blockLength(piece, block);
  const start = torrent.geometry.pieceStart(piece) + block * BLOCK_BYTES;
  slot?.write(block * BLOCK_BYTES, bytes, start, start + length);
  if (slot !== null) made.store.blockArrived(piece, block * BLOCK_BYTES, length);
  return slot !== null;
}

/** `piece` has blocks 0 and 2 and lies on disk; 4 and 5 take all the memory. */
async function spilled(piece: number, options: Options = {}): Promise<Spilling> {
  const spilling = await setUp(options);
  const { made } = spilling;
  put(made, piece, 0);
  put(made, piece, 2);
  made.clock.advance(MINUTE_MS);
  put(made, 4, 0);
  await made.clock.settle();
  put(made, 5, 0);
  expect(made.store.spilledBytes).toBe(SLAB);
  return spilling;
}

function finish(made: Bench, piece: number): void {
  for (let block = 0; block < 4; block++) put(made, piece, block);
}

/** As the engine does: what is lost is put again. */
async function complete(made: Bench, piece: number): Promise<void> {
  for (let tries = 0; tries < 3 && !made.store.have.has(piece); tries++) {
    finish(made, piece);
    await made.clock.settle();
  }
  expect(made.store.have.has(piece)).toBe(true);
}

describe("a piece that stands still for a minute", () => {
  test("stays in memory while there is enough", async () => {
    const { made, disk, budget } = await setUp();
    put(made, 0, 0);
    await made.clock.advanceSettled(10 * MINUTE_MS);
    expect(disk.paths()).not.toContain(`${SAVE}/Show/a`);
    expect(budget.usedBytes).toBe(SLAB);
    await made.store.close();
  });

  test("goes to its place in the files when memory is short, and nothing is told of it", async () => {
    const { made, disk, budget } = await spilled(0);
    expect(budget.usedBytes).toBe(2 * SLAB);
    const content = disk.contentOf(made.pathOf(0))!;
    const isThere = [0, 1, 2, 3].map((block) => {
      const at = block * BLOCK_BYTES;
      return (
        Buffer.compare(
          content.subarray(at, at + BLOCK_BYTES),
          torrent.bytes.subarray(at, at + BLOCK_BYTES),
        ) === 0
      );
    });
    expect(isThere).toEqual([true, false, true, false]);
    expect(made.events).toMatchObject({ corrupt: [], verified: [], faults: [] });
    await made.store.close();
    expect(made.store.spilledBytes).toBe(0);
  });

  test("comes back when its next block is asked for, and what it had is not asked for again", async () => {
    const { made } = await spilled(0);
    made.store.dropPiece(5);
    expect(target(made, 0, 0)).toBeNull();
    expect(put(made, 0, 1)).toBe(true);
    expect(made.store.spilledBytes).toBe(0);
    expect(put(made, 0, 3)).toBe(true);
    expect(made.store.settlingBytes).toBe(0);
    await made.events.until(() => made.store.have.has(0));
    expect(made.events.corrupt).toEqual([]);
    await made.store.close();
  });

  test("finds no place while memory is short for it too", async () => {
    const { made } = await spilled(0);
    expect(put(made, 0, 1)).toBe(false);
    expect(made.store.spilledBytes).toBe(SLAB);
    await made.store.close();
  });

  test("that is wanted again while it is written out stays", async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { made, budget } = await setUp();
      put(made, 0, 0);
      made.clock.advance(MINUTE_MS);
      put(made, 4, 0);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      expect(made.store.spilledBytes, `after ${turns} turns`).toBe(0);
      finish(made, 0);
      await made.events.until(() => made.store.have.has(0));
      expect(budget.usedBytes).toBe(SLAB);
      await made.store.close();
    }
  });

  test("with nothing but blocks on their way gives its memory up without touching the disk", async () => {
    const { made, disk } = await setUp();
    target(made, 0, 0);
    made.clock.advance(MINUTE_MS);
    put(made, 4, 0);
    put(made, 5, 0);
    await made.clock.settle();
    expect(made.store.spilledBytes).toBe(SLAB);
    expect(disk.paths()).not.toContain(`${SAVE}/Show/a`);
    await made.store.close();
  });

  test("is fetched again where a block was on its way into the memory it had", async () => {
    const { made } = await setUp();
    put(made, 0, 0);
    const slow = target(made, 0, 1)!;
    made.clock.advance(MINUTE_MS);
    put(made, 4, 0);
    put(made, 5, 0);
    await made.clock.settle();
    slow.write(BLOCK_BYTES, torrent.bytes, BLOCK_BYTES, 2 * BLOCK_BYTES);
    made.store.blockArrived(0, BLOCK_BYTES, BLOCK_BYTES);
    await made.clock.settle();
    expect(made.events).toMatchObject({ corrupt: [0], blamed: [false] });
    expect(made.store.spilledBytes).toBe(0);
    await made.store.close();
  });

  test("of a boundary lies in both files, and comes back from them", async () => {
    const { made } = await spilled(BOUNDARY);
    made.store.dropPiece(4);
    finish(made, BOUNDARY);
    await made.events.until(() => made.store.have.has(BOUNDARY));
    expect(made.events.corrupt).toEqual([]);
    await made.store.close();
  });

  test("can be spilled again after it came back", async () => {
    const { made } = await spilled(0);
    made.store.dropPiece(5);
    put(made, 0, 1);
    await made.clock.settle();
    await made.clock.advanceSettled(MINUTE_MS);
    put(made, 4, 1);
    put(made, 5, 0);
    await made.clock.settle();
    expect(made.store.spilledBytes).toBeGreaterThanOrEqual(SLAB);
    made.store.dropPiece(5);
    finish(made, 0);
    await made.events.until(() => made.store.have.has(0));
    await made.store.close();
  });
});

describe("a spilled piece", () => {
  test.each([
    ["was changed", (disk: MemoryDisk, path: string) => disk.contentOf(path)!.fill(7)],
    ["cannot be read", (disk: MemoryDisk) => (disk.failOn = ({ op }) => (op === "read" ? "EIO" : undefined))],
  ])("whose place on disk %s is fetched again, and nobody is blamed", async (_, spoil) => {
    const { made, disk } = await spilled(0);
    spoil(disk, made.pathOf(0));
    made.store.dropPiece(5);
    finish(made, 0);
    await made.events.until(() => made.events.corrupt.length > 0);
    expect(made.events).toMatchObject({ corrupt: [0], blamed: [false], faults: [] });
    disk.failOn = () => undefined;
    await complete(made, 0);
    await made.store.close();
  });

  test("whose boundary belongs elsewhere since a file was chosen is fetched again", async () => {
    const { made } = await spilled(BOUNDARY, { presence: [false, true] });
    await made.store.setPresence([true, true]);
    made.store.dropPiece(5);
    put(made, BOUNDARY, 1);
    await made.events.until(() => made.events.corrupt.length > 0);
    expect(made.events).toMatchObject({ corrupt: [BOUNDARY], blamed: [false] });
    await made.store.close();
  });

  test("that really is corrupt is told with its bytes", async () => {
    const { made } = await spilled(0);
    made.store.dropPiece(5);
    put(made, 0, 1, new Uint8Array(torrent.bytes.length));
    put(made, 0, 3);
    await made.events.until(() => made.events.corrupt.length > 0);
    expect(made.events).toMatchObject({ corrupt: [0], blamed: [true] });
    await made.store.close();
  });

  test("that cannot be written out is fetched again; that alone is no fault", async () => {
    const { made, disk } = await setUp();
    put(made, 0, 0);
    disk.failOn = ({ op }) => (op === "write" ? "EIO" : undefined);
    made.clock.advance(MINUTE_MS);
    put(made, 4, 0);
    await made.clock.settle();
    expect(made.events).toMatchObject({ corrupt: [0], blamed: [false], faults: [] });
    await made.store.close();
  });

  test("never lies where something is had or where a fault stands", async () => {
    const { made, disk } = await setUp();
    await download(made, [0]);
    put(made, 1, 0);
    disk.spaceBytes = 0;
    for (let block = 0; block < 4; block++) put(made, 4, block);
    await made.events.until(() => made.events.faults.length > 0);
    const writes = disk.operations.filter(({ op }) => op === "write").length;
    made.clock.advance(MINUTE_MS);
    expect(put(made, 5, 0)).toBe(false);
    await made.clock.settle();
    expect(disk.operations.filter(({ op }) => op === "write").length).toBe(writes);
    await made.store.close();
  });

  test("costs no hash at the next start after a clean end", async () => {
    const first = await setUp();
    await download(first.made, [1]);
    await first.made.store.close();
    const { disk } = first;
    const { made } = await spilled(0, { disk, resume: first.made.events.last });
    await made.store.close();
    const before = disk.operations.length;
    const next = benchOf({ torrent, disk, saveDirectory: SAVE });
    await next.store.open(made.events.last, NEVER);
    expect(disk.operations.slice(before).filter(({ op }) => op === "read")).toEqual([]);
    await next.store.close();
  });
});

describe("what is had", () => {
  /** Holds its first write back until it is let go. */
  class SlowDisk extends MemoryDisk {
    readonly #first = Promise.withResolvers<void>();
    #isFirst = true;

    letGo(): void {
      this.#first.resolve();
    }

    override async open(path: string, options: { create: boolean }): Promise<DiskFile> {
      const file = await super.open(path, options);
      const write = async (bytes: Uint8Array, offset: number) => {
        const isHeld = this.#isFirst;
        this.#isFirst = false;
        if (isHeld) await this.#first.promise;
        await file.write(bytes, offset);
      };
      return { ...file, write };
    }
  }

  test("is never written over by blocks that were being spilled when their piece was given up", async () => {
    const disk = new SlowDisk(seededRandom(1), ["/srv", SAVE]);
    const { made } = await setUp({ disk });
    put(made, 0, 0, new Uint8Array(torrent.bytes.length));
    made.clock.advance(MINUTE_MS);
    put(made, 4, 0);
    await made.clock.settle();
    made.store.dropPiece(0);
    finish(made, 0);
    await made.clock.settle();
    disk.letGo();
    await made.events.until(() => made.store.have.has(0));
    await made.clock.settle();
    const kept = disk.contentOf(made.pathOf(0))!.subarray(0, PIECE);
    expect(Buffer.compare(kept, torrent.bytes.subarray(0, PIECE))).toBe(0);
    await made.store.close();
  });

  test("is never spilled over where a check found it after the first blocks came", async () => {
    const { made, disk } = await setUp({ presence: [false, true] });
    put(made, 0, 0, new Uint8Array(torrent.bytes.length));
    await disk.makeDirectory(`${SAVE}/Show`);
    const file = await disk.open(made.pathOf(0), { create: true });
    await file.write(torrent.fileBytes(0), 0);
    await made.store.setPresence([true, true]);
    expect(made.store.have.has(0)).toBe(true);
    made.clock.advance(MINUTE_MS);
    put(made, 4, 0);
    await made.clock.settle();
    expect(Buffer.compare(disk.contentOf(made.pathOf(0))!, torrent.fileBytes(0))).toBe(0);
    expect(made.events.corrupt).toEqual([]);
    expect(made.store.assemblyBytes).toBe(SLAB);
    await made.store.close();
  });
});

describe("a command", () => {
  const commands: Record<string, (made: Bench) => Promise<unknown>> = {
    close: ({ store }) => store.close(),
    removeData: ({ store }) => store.removeData(),
    recheck: ({ store }) => store.recheck(NEVER),
    setPresence: ({ store }) => store.setPresence([true, true]),
    dropPiece: ({ store }) => Promise.resolve(store.dropPiece(0)),
  };

  test.each(Object.keys(commands))("%s may come at any turn of a spill and of its way back", async (name) => {
    for (let turns = 0; turns < 60; turns++) {
      const { made, disk, budget } = await setUp({ seed: turns, presence: [true, false] });
      put(made, 0, 0);
      put(made, 0, 2);
      made.clock.advance(MINUTE_MS);
      put(made, 1, 0);
      const spilling = turns % 30;
      for (let turn = 0; turn < (turns < 30 ? spilling : 200); turn++) await Promise.resolve();
      if (turns >= 30) {
        finish(made, 0);
        for (let turn = 0; turn < spilling; turn++) await Promise.resolve();
      }
      const running = commands[name]!(made);
      finish(made, 0);
      await running;
      await made.clock.settle();
      if (name !== "removeData" && name !== "close") {
        for (const piece of [0, 1]) await complete(made, piece);
        await made.store.close();
        const kept = disk.contentOf(made.pathOf(0))!.subarray(0, 2 * PIECE);
        expect(Buffer.compare(kept, torrent.bytes.subarray(0, 2 * PIECE)), `turn ${turns}`).toBe(0);
      }
      if (name === "removeData") expect(disk.paths(), `turn ${turns}`).toEqual(["/", "/srv", SAVE]);
      expect([budget.usedBytes, made.store.spilledBytes], `turn ${turns}`).toEqual([0, 0]);
      expect(made.clock.pendingTimers, `turn ${turns}`).toBe(0);
    }
  });
});
