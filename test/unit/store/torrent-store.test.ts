// The store on real files.

import { afterEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { AssemblyBudget, type Disk, nodeDisk, subtleHasher } from "../../../src/store/index.ts";
import {
  allPieces,
  type Bench,
  type BenchOptions,
  benchOf,
  download,
  feed,
  type MadeTorrent,
  makeTorrent,
  NEVER,
} from "../../support/store-torrent.ts";

const KIB = 1024;
const roots: string[] = [];

function saveFolder(): string {
  const root = mkdtempSync(join(tmpdir(), "torrx-store-"));
  roots.push(root);
  const save = join(root, "downloads");
  mkdirSync(save);
  return save;
}

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** Counts the reads and writes of data that go to the real disk. */
function countingDisk() {
  const counts = { reads: 0, writes: [] as { path: string; offset: number; lengthBytes: number }[] };
  const disk: Disk = {
    ...nodeDisk,
    async open(path, options) {
      const file = await nodeDisk.open(path, options);
      return {
        read(target, offset) {
          counts.reads++;
          return file.read(target, offset);
        },
        write(bytes, offset) {
          counts.writes.push({ path, offset, lengthBytes: bytes.length });
          return file.write(bytes, offset);
        },
        truncate: (lengthBytes) => file.truncate(lengthBytes),
        datasync: () => file.datasync(),
        close: () => file.close(),
      };
    },
  };
  return { disk, counts };
}

/** Pieces of 32 KiB; files meet inside pieces; the last piece is short. */
function mixedTorrent(seed = 1): MadeTorrent {
  return makeTorrent({
    pieceLengthBytes: 32 * KIB,
    seed,
    files: [
      { path: "a.mkv", lengthBytes: 100 * KIB },
      { path: "sub/empty.txt", lengthBytes: 0 },
      { path: "sub/b.srt", lengthBytes: 10 * KIB },
      { path: "c.mkv", lengthBytes: 70 * KIB + 123 },
    ],
  });
}

function bench(options: Partial<BenchOptions> & { saveDirectory: string }): Bench {
  return benchOf({ torrent: mixedTorrent(), disk: nodeDisk, hasher: subtleHasher, ...options });
}

async function complete(options: Partial<BenchOptions> & { saveDirectory: string }): Promise<Bench> {
  const made = bench(options);
  await made.store.open(null, NEVER);
  await download(made, allPieces(made.torrent));
  await made.store.close();
  return made;
}

function expectFile(made: Bench, index: number): void {
  expect(Buffer.compare(readFileSync(made.pathOf(index)), made.torrent.fileBytes(index))).toBe(0);
}

describe("a download", () => {
  test("ends in files with the right bytes, each verified piece written exactly once", async () => {
    const { disk, counts } = countingDisk();
    const made = await complete({ saveDirectory: saveFolder(), disk });
    for (const file of made.torrent.info.files) expectFile(made, file.index);
    expect(made.events.verified.toSorted((a, b) => a - b)).toEqual(allPieces(made.torrent));
    const writtenBytes = counts.writes.reduce((sum, write) => sum + write.lengthBytes, 0);
    expect(writtenBytes).toBe(made.torrent.info.totalBytes);
    expect(made.events.last.isClean).toBe(true);
    expect(made.store.assemblyBytes).toBe(0);
    expect(made.clock.pendingTimers).toBe(0);
  });

  test("creates files sparse, at full length, only when first written, and zero-length ones at open", async () => {
    const made = bench({ saveDirectory: saveFolder() });
    await made.store.open(null, NEVER);
    expect(existsSync(made.pathOf(1))).toBe(true);
    expect(existsSync(made.pathOf(0))).toBe(false);
    await download(made, [0]);
    expect(statSync(made.pathOf(0)).size).toBe(100 * KIB);
    expect(statSync(made.pathOf(0)).blocks * 512).toBeLessThan(100 * KIB);
    expect(existsSync(made.pathOf(3))).toBe(false);
    await made.store.close();
  });

  test("of a single file lies in the save folder itself", async () => {
    const torrent = makeTorrent({
      isMultiFile: false,
      pieceLengthBytes: 16 * KIB,
      files: [{ path: "film.mkv", lengthBytes: 20 * KIB }],
    });
    const save = saveFolder();
    const made = await complete({ saveDirectory: save, torrent });
    expect(Buffer.compare(readFileSync(join(save, "film.mkv")), torrent.bytes)).toBe(0);
  });

  test("never creates pad files, whose zeros are part of the hash", async () => {
    const torrent = makeTorrent({
      pieceLengthBytes: 32 * KIB,
      files: [
        { path: "a", lengthBytes: 20 * KIB },
        { path: ".pad/12288", lengthBytes: 12 * KIB, isPad: true },
        { path: "b", lengthBytes: 5 },
      ],
    });
    const made = await complete({ saveDirectory: saveFolder(), torrent });
    expect(existsSync(made.pathOf(1))).toBe(false);
    const again = bench({ saveDirectory: dirname(dirname(made.pathOf(0))), torrent });
    await again.store.open(null, NEVER);
    expect(again.store.have.isFull).toBe(true);
    expect(Buffer.compare(await again.store.read(0, 32 * KIB + 5), torrent.bytes)).toBe(0);
    await again.store.close();
  });

  test("makes the save folder where it is missing", async () => {
    const made = await complete({ saveDirectory: join(saveFolder(), "new", "deep") });
    expectFile(made, 0);
  });

  test("hands a piece that fails its hash back with its bytes and keeps nothing of it", async () => {
    const made = bench({ saveDirectory: saveFolder() });
    await made.store.open(null, NEVER);
    const bad = made.torrent.bytes.slice();
    bad[40 * KIB] = (bad[40 * KIB] ?? 0) ^ 1;
    feed(made, 1, bad);
    await made.events.until(() => made.events.corrupt.length === 1);
    expect(made.events).toMatchObject({ corrupt: [1], blamed: [true], verified: [] });
    expect(existsSync(made.pathOf(0))).toBe(false);
    await download(made, [1]);
    await made.store.close();
  });

  test("gives no place for a piece that is had, an index or block that is not there, a length that is not the block's", async () => {
    const made = bench({ saveDirectory: saveFolder() });
    expect(made.store.blockTarget(0, 0, BLOCK_BYTES)).toBeNull();
    await made.store.open(null, NEVER);
    await download(made, [0]);
    const last = made.torrent.info.pieceCount - 1;
    for (const [piece, begin, length] of [
      [0, 0, BLOCK_BYTES],
      [-1, 0, BLOCK_BYTES],
      [last + 1, 0, BLOCK_BYTES],
      [0.5, 0, BLOCK_BYTES],
      [1, 1, BLOCK_BYTES],
      [1, -BLOCK_BYTES, BLOCK_BYTES],
      [1, 2 * BLOCK_BYTES, BLOCK_BYTES],
      [1, 0, BLOCK_BYTES - 1],
      [last, BLOCK_BYTES, BLOCK_BYTES],
    ] as const) {
      expect(made.store.blockTarget(piece, begin, length), `${piece} ${begin} ${length}`).toBeNull();
    }
    await made.store.close();
    expect(made.store.blockTarget(1, 0, BLOCK_BYTES)).toBeNull();
  });
});

describe("resume", () => {
  test("after an orderly close nothing is hashed, and nothing is recorded again", async () => {
    const made = await complete({ saveDirectory: saveFolder() });
    const { disk, counts } = countingDisk();
    const next = bench({ saveDirectory: dirname(dirname(made.pathOf(0))), disk });
    await next.store.open(made.events.last, NEVER);
    expect(next.store.have.isFull).toBe(true);
    await next.store.close();
    expect(counts.reads).toBe(0);
    expect(next.events.states).toEqual([]);
  });

  test("after a crash hashes what was not synced and a sample, and believes the rest", async () => {
    const save = saveFolder();
    const torrent = makeTorrent({
      pieceLengthBytes: 16 * KIB,
      files: [{ path: "a", lengthBytes: 4096 * KIB }],
    });
    const made = bench({ saveDirectory: save, torrent });
    await made.store.open(null, NEVER);
    await download(made, allPieces(torrent).slice(0, 200));
    await made.store.commit();
    await download(made, [200, 201]);
    await made.clock.advanceSettled(600);
    const state = made.events.last;
    expect(state).toMatchObject({ isClean: false, unsure: [200, 201] });
    const { disk, counts } = countingDisk();
    const next = bench({ saveDirectory: save, torrent, disk });
    await next.store.open(state, NEVER);
    expect(next.store.have.count).toBe(202);
    expect(counts.reads).toBeLessThanOrEqual(64 + 2);
    expect(counts.reads).toBeGreaterThan(2);
    await next.store.close();
    await made.store.close();
  });

  test("one wrong piece in the sample has everything hashed", async () => {
    const save = saveFolder();
    const made = bench({ saveDirectory: save });
    await made.store.open(null, NEVER);
    await download(made, allPieces(made.torrent));
    await made.store.commit();
    const state = made.events.last;
    await made.store.close();
    const bytes = readFileSync(made.pathOf(0));
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(made.pathOf(0), bytes);
    const next = bench({ saveDirectory: save });
    await next.store.open(state, NEVER);
    expect(next.store.have.count).toBe(made.torrent.info.pieceCount - 1);
    expect(next.store.have.has(0)).toBe(false);
    expect(next.events.last.verified).toEqual(next.store.have.toBytes());
    await next.store.close();
  });

  test("hashes only the file whose stamp differs", async () => {
    const made = await complete({ saveDirectory: saveFolder() });
    utimesSync(made.pathOf(3), 1, 1);
    const bytes = readFileSync(made.pathOf(3));
    bytes[60 * KIB] = (bytes[60 * KIB] ?? 0) ^ 1;
    writeFileSync(made.pathOf(3), bytes);
    const { disk, counts } = countingDisk();
    const next = bench({ saveDirectory: dirname(dirname(made.pathOf(0))), disk });
    await next.store.open(made.events.last, NEVER);
    expect(next.store.have.count).toBe(made.torrent.info.pieceCount - 1);
    const piecesOfFile = made.torrent.geometry.piecesOf({
      start: 110 * KIB,
      end: made.torrent.info.totalBytes,
    });
    expect(counts.reads).toBeGreaterThan(0);
    expect(counts.reads).toBeLessThanOrEqual((piecesOfFile.end - piecesOfFile.first) * 3);
    await next.store.close();
  });

  test("a file that is gone costs its own pieces, without a read of them", async () => {
    const made = await complete({ saveDirectory: saveFolder() });
    rmSync(made.pathOf(0));
    const next = bench({ saveDirectory: dirname(dirname(made.pathOf(3))) });
    await next.store.open(made.events.last, NEVER);
    expect([0, 1, 2, 3].map((piece) => next.store.have.has(piece))).toEqual([false, false, false, false]);
    expect(next.store.have.has(5)).toBe(true);
    await download(next, [0, 1, 2, 3]);
    await next.store.close();
    expectFile(next, 0);
  });

  test("a short file costs the pieces beyond its end", async () => {
    const made = await complete({ saveDirectory: saveFolder() });
    truncateSync(made.pathOf(0), 40 * KIB);
    const next = bench({ saveDirectory: dirname(dirname(made.pathOf(0))) });
    await next.store.open(made.events.last, NEVER);
    expect([0, 1, 2, 3].map((piece) => next.store.have.has(piece))).toEqual([true, false, false, false]);
    await download(next, [1, 2, 3]);
    await next.store.close();
    expectFile(next, 0);
  });

  test("a state of another torrent's size is not believed", async () => {
    const made = await complete({ saveDirectory: saveFolder() });
    const next = bench({ saveDirectory: dirname(dirname(made.pathOf(0))) });
    await next.store.open(
      { ...made.events.last, verified: new Uint8Array([0xff]), unsure: [-1, 9e9] },
      NEVER,
    );
    expect(next.store.have.isFull).toBe(true);
    expect(next.events.progress.at(-1)).toBe(1);
    await next.store.close();
  });

  test("data without a record is checked, kept where right and never overwritten before", async () => {
    const save = saveFolder();
    const torrent = mixedTorrent();
    mkdirSync(join(save, "Show"));
    const data = torrent.fileBytes(0).slice();
    data[0] = (data[0] ?? 0) ^ 1;
    writeFileSync(join(save, "Show", "a.mkv"), data);
    const { disk, counts } = countingDisk();
    const made = bench({ saveDirectory: save, disk });
    await made.store.open(null, NEVER);
    expect([0, 1, 2, 3].map((piece) => made.store.have.has(piece))).toEqual([false, true, true, false]);
    expect(counts.writes).toEqual([]);
    expect(Buffer.compare(readFileSync(join(save, "Show", "a.mkv")), data)).toBe(0);
    expect(made.events.last.verified).toEqual(made.store.have.toBytes());
    await made.store.close();
  });

  test("recheck finds bytes that changed on disk and tells its progress", async () => {
    const made = bench({ saveDirectory: saveFolder() });
    await made.store.open(null, NEVER);
    await download(made, allPieces(made.torrent));
    const bytes = readFileSync(made.pathOf(3));
    bytes[20 * KIB] = (bytes[20 * KIB] ?? 0) ^ 1;
    writeFileSync(made.pathOf(3), bytes);
    await made.store.recheck(NEVER);
    expect(made.store.have.count).toBe(made.torrent.info.pieceCount - 1);
    expect(made.events.progress.at(-1)).toBe(1);
    expect(made.events.last.verified).toEqual(made.store.have.toBytes());
    await download(
      made,
      allPieces(made.torrent).filter((piece) => !made.store.have.has(piece)),
    );
    await made.store.close();
    expectFile(made, 3);
  });

  test("a check that is aborted rejects, takes no block and can be started again", async () => {
    const made = await complete({ saveDirectory: saveFolder() });
    const next = bench({ saveDirectory: dirname(dirname(made.pathOf(0))) });
    const abort = new AbortController();
    const opening = next.store.open(null, abort.signal);
    abort.abort();
    await expect(opening).rejects.toThrow();
    expect(next.store.blockTarget(0, 0, BLOCK_BYTES)).toBeNull();
    expect(next.events.states).toEqual([]);
    await next.store.open(null, NEVER);
    expect(next.store.have.isFull).toBe(true);
    await next.store.close();
  });
});

describe("files chosen and not", () => {
  const presence = [true, true, false, false];

  test("bytes of an absent file are kept aside and move into it when it is chosen", async () => {
    const save = saveFolder();
    const parts = join(dirname(save), "aside.parts");
    const made = bench({ saveDirectory: save, presence });
    await made.store.open(null, NEVER);
    await download(made, [0, 1, 2, 3]);
    expect(existsSync(made.pathOf(2))).toBe(false);
    expect(existsSync(parts)).toBe(true);
    const start = 96 * KIB;
    expect(
      Buffer.compare(
        await made.store.read(start, 32 * KIB),
        made.torrent.bytes.subarray(start, start + 32 * KIB),
      ),
    ).toBe(0);
    await made.store.setPresence([true, true, true, true]);
    expectFile(made, 2);
    expect(made.store.have.has(3)).toBe(true);
    expect(existsSync(parts)).toBe(false);
    expect(
      Buffer.compare(
        await made.store.read(start, 32 * KIB),
        made.torrent.bytes.subarray(start, start + 32 * KIB),
      ),
    ).toBe(0);
    await download(made, [4, 5]);
    await made.store.close();
    expectFile(made, 3);
  });

  test("a restart keeps what was kept aside, without a hash", async () => {
    const save = saveFolder();
    const made = bench({ saveDirectory: save, presence });
    await made.store.open(null, NEVER);
    await download(made, [0, 1, 2, 3]);
    await made.store.close();
    const { disk, counts } = countingDisk();
    const next = bench({ saveDirectory: save, presence, disk });
    await next.store.open(made.events.last, NEVER);
    expect(next.store.have.count).toBe(4);
    expect(counts.reads).toBe(0);
    await next.store.setPresence([true, true, true, true]);
    expectFile(next, 2);
    await next.store.close();
  });

  test("a file chosen while the server was off gets its bytes at the next open", async () => {
    const save = saveFolder();
    const made = bench({ saveDirectory: save, presence });
    await made.store.open(null, NEVER);
    await download(made, [0, 1, 2, 3]);
    await made.store.close();
    const next = bench({ saveDirectory: save });
    await next.store.open(made.events.last, NEVER);
    expect(next.store.have.count).toBe(4);
    expectFile(next, 2);
    await next.store.close();
  });

  test("a lost parts file costs the pieces that had bytes in it", async () => {
    const save = saveFolder();
    const made = bench({ saveDirectory: save, presence });
    await made.store.open(null, NEVER);
    await download(made, [0, 1, 2, 3]);
    await made.store.close();
    rmSync(join(dirname(save), "aside.parts"));
    const next = bench({ saveDirectory: save, presence });
    await next.store.open(made.events.last, NEVER);
    expect([0, 1, 2, 3].map((piece) => next.store.have.has(piece))).toEqual([true, true, true, false]);
    await next.store.close();
  });

  test("a chosen file that lies there already is checked before anything is written to it", async () => {
    const save = saveFolder();
    const made = bench({ saveDirectory: save, presence: [true, true, true, false] });
    await made.store.open(null, NEVER);
    mkdirSync(join(save, "Show"), { recursive: true });
    writeFileSync(made.pathOf(3), made.torrent.fileBytes(3));
    await made.store.setPresence([true, true, true, true]);
    expect([4, 5].map((piece) => made.store.have.has(piece))).toEqual([true, true]);
    expect(made.events.verified).toContain(5);
    await made.store.close();
  });
});

describe("reading", () => {
  test("rejects bytes of pieces that are not verified and ranges outside the torrent", async () => {
    const made = bench({ saveDirectory: saveFolder() });
    await made.store.open(null, NEVER);
    await download(made, [1]);
    expect((await made.store.read(32 * KIB, 10)).length).toBe(10);
    for (const [offset, length] of [
      [0, 1],
      [31 * KIB, 2 * KIB],
      [-1, 1],
      [32 * KIB, 10 ** 9],
    ] as const) {
      await expect(made.store.read(offset, length)).rejects.toMatchObject({ code: "not_ready" });
    }
    await made.store.close();
    await expect(made.store.read(32 * KIB, 10)).rejects.toMatchObject({ code: "not_ready" });
  });

  test("a file cut short behind the store's back serves nothing and loses the piece", async () => {
    const made = bench({ saveDirectory: saveFolder() });
    await made.store.open(null, NEVER);
    await download(made, [0, 1]);
    truncateSync(made.pathOf(0), 40 * KIB);
    await expect(made.store.read(32 * KIB, 32 * KIB)).rejects.toMatchObject({ code: "not_ready" });
    expect(made.store.have.has(1)).toBe(false);
    expect(made.store.have.has(0)).toBe(true);
    expect(made.events).toMatchObject({ corrupt: [1], blamed: [false] });
    await made.store.close();
  });
});

describe("removal", () => {
  test("removes the torrent's files and folders and nothing else", async () => {
    const save = saveFolder();
    const made = await complete({ saveDirectory: save });
    writeFileSync(join(save, "Show", "sub", "mine.txt"), "mine");
    writeFileSync(join(save, "other"), "other");
    await made.store.removeData();
    expect(existsSync(made.pathOf(0))).toBe(false);
    expect(existsSync(made.pathOf(2))).toBe(false);
    expect(readFileSync(join(save, "Show", "sub", "mine.txt"), "utf8")).toBe("mine");
    expect(existsSync(join(save, "other"))).toBe(true);
    rmSync(join(save, "Show", "sub", "mine.txt"));
    await made.store.removeData();
    expect(existsSync(join(save, "Show"))).toBe(false);
    expect(existsSync(save)).toBe(true);
  });

  test("follows no symlink, neither in a folder's nor in a file's place", async () => {
    const save = saveFolder();
    const made = await complete({ saveDirectory: save });
    const outside = join(dirname(save), "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "b.srt"), "precious");
    rmSync(join(save, "Show", "sub"), { recursive: true });
    symlinkSync(outside, join(save, "Show", "sub"));
    rmSync(made.pathOf(0));
    symlinkSync(join(outside, "b.srt"), made.pathOf(0));
    await made.store.removeData();
    expect(readFileSync(join(outside, "b.srt"), "utf8")).toBe("precious");
    expect(lstatSync(made.pathOf(0)).isSymbolicLink()).toBe(true);
    expect(existsSync(made.pathOf(3))).toBe(false);
  });
});

describe("hostile places", () => {
  test.each([
    [
      "a symlink in a file's place",
      (save: string) => symlinkSync("/etc/passwd", join(save, "Show", "a.mkv")),
    ],
    [
      "a dangling symlink in a file's place",
      (save: string) => symlinkSync("/nowhere/x", join(save, "Show", "a.mkv")),
    ],
    ["a folder in a file's place", (save: string) => mkdirSync(join(save, "Show", "a.mkv"))],
    ["a symlink in a folder's place", (save: string) => symlinkSync(tmpdir(), join(save, "Show", "sub"))],
    ["a file in a folder's place", (save: string) => writeFileSync(join(save, "Show", "sub"), "x")],
  ])("%s is a conflict, nothing is written", async (_, plant) => {
    const save = saveFolder();
    mkdirSync(join(save, "Show"));
    plant(save);
    const { disk, counts } = countingDisk();
    const made = bench({ saveDirectory: save, disk });
    await made.store.open(null, NEVER);
    expect(made.events.faults).toEqual(["data_conflict"]);
    expect(feed(made, 0)).toBe(false);
    expect(counts.writes).toEqual([]);
    await made.store.close();
  });

  test("a symlink planted after the open leads no write outside", async () => {
    const save = saveFolder();
    const outside = join(dirname(save), "outside");
    mkdirSync(outside);
    const made = bench({ saveDirectory: save, presence: [true, false, true, true] });
    await made.store.open(null, NEVER);
    mkdirSync(join(save, "Show"));
    symlinkSync(outside, join(save, "Show", "sub"));
    feed(made, 3);
    await made.events.until(() => made.events.faults.length > 0);
    expect(made.events.faults).toEqual(["data_conflict"]);
    expect(existsSync(join(outside, "b.srt"))).toBe(false);
    rmSync(join(save, "Show", "sub"));
    await made.store.retry();
    await download(made, allPieces(made.torrent));
    await made.store.close();
    expectFile(made, 2);
  });

  test("a save folder that is itself a symlink is the user's choice", async () => {
    const save = saveFolder();
    const link = join(dirname(save), "link");
    symlinkSync(save, link);
    const made = await complete({ saveDirectory: link });
    expectFile(made, 0);
  });
});

describe("shared memory", () => {
  test("two torrents share one budget; streams may use the last eighth; all is given back", async () => {
    const budget = new AssemblyBudget(8 * 32 * KIB);
    const torrent = makeTorrent({
      pieceLengthBytes: 32 * KIB,
      files: [{ path: "a", lengthBytes: 640 * KIB }],
    });
    const first = bench({ saveDirectory: saveFolder(), budget, torrent });
    const second = bench({ saveDirectory: saveFolder(), budget, torrent });
    await first.store.open(null, NEVER);
    await second.store.open(null, NEVER);
    const begin = (made: Bench, piece: number, isUrgent = false) =>
      made.store.blockTarget(piece, 0, BLOCK_BYTES, isUrgent) !== null;
    expect([0, 1, 2, 3, 4, 5].every((piece) => begin(first, piece))).toBe(true);
    expect(begin(second, 0)).toBe(true);
    expect(begin(second, 1)).toBe(false);
    expect(begin(second, 1, true)).toBe(true);
    expect(begin(second, 2, true)).toBe(false);
    expect(budget.usedBytes).toBe(8 * 32 * KIB);
    await first.store.close();
    expect(begin(second, 2)).toBe(true);
    await second.store.close();
    expect(budget.usedBytes).toBe(0);
  });
});
