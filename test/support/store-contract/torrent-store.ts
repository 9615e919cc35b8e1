// The store on real files: download, read, remove, memory.

import { afterEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { AssemblyBudget } from "../../../src/store/index.ts";
import {
  complete,
  countingDisk,
  expectFile,
  KIB,
  realBench,
  removeSaveFolders,
  saveFolder,
} from "../store-files.ts";
import { allPieces, type Bench, download, feed, makeTorrent, NEVER } from "../store-torrent.ts";

export function downloadContract(): void {
  afterEach(removeSaveFolders);

  describe("a download", () => {
    test("ends in files with the right bytes, each verified piece written exactly once", async () => {
      const { disk, memory, counts } = countingDisk();
      const made = await complete({ saveDirectory: saveFolder(), disk, memory });
      for (const file of made.torrent.info.files) expectFile(made, file.index);
      expect(made.events.verified.toSorted((a, b) => a - b)).toEqual(allPieces(made.torrent));
      const writtenBytes = counts.writes.reduce((sum, write) => sum + write.lengthBytes, 0);
      expect(writtenBytes).toBe(made.torrent.info.totalBytes);
      expect(made.events.last.isClean).toBe(true);
      expect(made.store.assemblyBytes).toBe(0);
      expect(made.clock.pendingTimers).toBe(0);
    });

    test("creates files sparse, at full length, only when first written, and zero-length ones at open", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
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
      await complete({ saveDirectory: save, torrent });
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
      const again = realBench({ saveDirectory: dirname(dirname(made.pathOf(0))), torrent });
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
      const made = realBench({ saveDirectory: saveFolder() });
      await made.store.open(null, NEVER);
      const bad = made.torrent.bytes.slice();
      bad[40 * KIB] = (bad[40 * KIB] ?? 0) ^ 1;
      feed(made, 1, bad);
      await made.events.until(() => made.events.corrupt.length === 1);
      expect(made.events).toMatchObject({ corrupt: [1], blamed: [true], verified: [] });
      expect(statSync(made.pathOf(0)).blocks).toBe(0);
      await download(made, [1]);
      await made.store.close();
    });

    test("gives no place for a piece that is had, an index or block that is not there, a length that is not the block's", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
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

  describe("reading", () => {
    test("rejects bytes of pieces that are not verified and ranges outside the torrent", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
      await made.store.open(null, NEVER);
      await download(made, [1]);
      expect((await made.store.read(32 * KIB, 10)).length).toBe(10);
      for (const [offset, length] of [
        [0, 1],
        [31 * KIB, 2 * KIB],
        [-1, 1],
        [32 * KIB, 10 ** 9],
      ] as const) {
        const answer = await made.store.read(offset, length).catch((error: unknown) => error);
        expect(answer, `${offset} ${length}`).toMatchObject({ code: "not_ready" });
      }
      await made.store.close();
      await expect(made.store.read(32 * KIB, 10)).rejects.toMatchObject({ code: "not_ready" });
    });

    test("a file cut short behind the store's back serves nothing and loses the piece", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
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

  describe("shared memory", () => {
    test("two torrents share one budget, in whole slabs; streams may use the last eighth; all is given back", async () => {
      const budget = new AssemblyBudget(8 * 64 * KIB);
      const torrent = makeTorrent({
        pieceLengthBytes: 48 * KIB,
        files: [{ path: "a", lengthBytes: 960 * KIB }],
      });
      const first = realBench({ saveDirectory: saveFolder(), budget, torrent });
      const second = realBench({ saveDirectory: saveFolder(), budget, torrent });
      await first.store.open(null, NEVER);
      await second.store.open(null, NEVER);
      const begin = (made: Bench, piece: number, isUrgent = false) =>
        made.store.blockTarget(piece, 0, BLOCK_BYTES, isUrgent) !== null;
      expect([0, 1, 2, 3, 4, 5].every((piece) => begin(first, piece))).toBe(true);
      expect(begin(second, 0)).toBe(true);
      expect(begin(second, 1)).toBe(false);
      expect(begin(second, 1, true)).toBe(true);
      expect(begin(second, 2, true)).toBe(false);
      expect(budget.usedBytes).toBe(8 * 64 * KIB);
      await first.store.close();
      expect(begin(second, 2)).toBe(true);
      await second.store.close();
      expect(budget.usedBytes).toBe(0);
    });
  });
}
