// What the store believes at start, on real files.

import { afterEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import {
  complete,
  countingDisk,
  expectFile,
  KIB,
  mixedTorrent,
  realBench,
  removeSaveFolders,
  saveFolder,
} from "../store-files.ts";
import { allPieces, download, makeTorrent, NEVER } from "../store-torrent.ts";

export function resumeContract(): void {
  afterEach(removeSaveFolders);

  describe("resume", () => {
    test("after an orderly close nothing is hashed, and nothing is recorded again", async () => {
      const made = await complete({ saveDirectory: saveFolder() });
      const { disk, memory, counts } = countingDisk();
      const next = realBench({ saveDirectory: dirname(dirname(made.pathOf(0))), disk, memory });
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
      const made = realBench({ saveDirectory: save, torrent });
      await made.store.open(null, NEVER);
      await download(made, allPieces(torrent).slice(0, 200));
      await made.store.commit();
      await download(made, [200, 201]);
      await made.clock.advanceSettled(600);
      const state = made.events.last;
      expect(state).toMatchObject({ isClean: false, unsure: [200, 201] });
      const { disk, memory, counts } = countingDisk();
      const next = realBench({ saveDirectory: save, torrent, disk, memory });
      await next.store.open(state, NEVER);
      expect(next.store.have.count).toBe(202);
      expect(counts.reads).toBeLessThanOrEqual(64 + 2);
      expect(counts.reads).toBeGreaterThan(2);
      await next.store.close();
      await made.store.close();
    });

    test("one wrong piece in the sample has everything hashed", async () => {
      const save = saveFolder();
      const made = realBench({ saveDirectory: save });
      await made.store.open(null, NEVER);
      await download(made, allPieces(made.torrent));
      await made.store.commit();
      const state = made.events.last;
      await made.store.close();
      const bytes = readFileSync(made.pathOf(0));
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(made.pathOf(0), bytes);
      const next = realBench({ saveDirectory: save });
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
      const { disk, memory, counts } = countingDisk();
      const next = realBench({ saveDirectory: dirname(dirname(made.pathOf(0))), disk, memory });
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
      const next = realBench({ saveDirectory: dirname(dirname(made.pathOf(3))) });
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
      const next = realBench({ saveDirectory: dirname(dirname(made.pathOf(0))) });
      await next.store.open(made.events.last, NEVER);
      expect([0, 1, 2, 3].map((piece) => next.store.have.has(piece))).toEqual([true, false, false, false]);
      await download(next, [1, 2, 3]);
      await next.store.close();
      expectFile(next, 0);
    });

    test("a state of another torrent's size is not believed", async () => {
      const made = await complete({ saveDirectory: saveFolder() });
      const next = realBench({ saveDirectory: dirname(dirname(made.pathOf(0))) });
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
      const { disk, memory, counts } = countingDisk();
      const made = realBench({ saveDirectory: save, disk, memory });
      await made.store.open(null, NEVER);
      expect([0, 1, 2, 3].map((piece) => made.store.have.has(piece))).toEqual([false, true, true, false]);
      expect(counts.writes).toEqual([]);
      expect(Buffer.compare(readFileSync(join(save, "Show", "a.mkv")), data)).toBe(0);
      expect(made.events.last.verified).toEqual(made.store.have.toBytes());
      await made.store.close();
    });

    test("recheck finds bytes that changed on disk and tells its progress", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
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

    test("a file that was deleted while it was open is made anew after a recheck", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
      await made.store.open(null, NEVER);
      await download(made, allPieces(made.torrent));
      await made.store.commit();
      unlinkSync(made.pathOf(0));
      await made.store.recheck(NEVER);
      expect(made.events.faults).toEqual([]);
      const missing = allPieces(made.torrent).filter((piece) => !made.store.have.has(piece));
      expect(missing).toEqual([0, 1, 2, 3]);
      await download(made, missing);
      await made.store.commit();
      expect(made.events.faults).toEqual([]);
      await made.store.close();
      expectFile(made, 0);
    });

    test("a file that is made anew in the place of a deleted one is told to viewers before anything is had of it", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
      await made.store.open(null, NEVER);
      await download(made, allPieces(made.torrent));
      await made.store.makeFile(made.torrent.info.files[0]!.index);
      expect(made.events.replaced).toEqual([]);
      const { length } = made.events.verified;
      // As a viewer does: another file has another inode then.
      const held = openSync(made.pathOf(0), "r");
      unlinkSync(made.pathOf(0));
      await made.store.makeFile(made.torrent.info.files[0]!.index);
      expect(made.events.replaced).toEqual([length]);
      expect(made.store.have.has(0)).toBe(false);
      await download(made, [0, 1, 2, 3]);
      expect(made.events.replaced).toEqual([length]);
      closeSync(held);
      await made.store.close();
      expectFile(made, 0);
    });

    test("what a file lost when it was cut short is had no more before zeros take its place", async () => {
      const save = saveFolder();
      const torrent = makeTorrent({
        pieceLengthBytes: 16 * KIB,
        files: [{ path: "a", lengthBytes: 160 * KIB }],
      });
      const { disk } = countingDisk();
      const hadAtTruncate: number[] = [];
      const made = realBench({
        saveDirectory: save,
        torrent,
        disk: {
          ...disk,
          async open(path, options) {
            const file = await disk.open(path, options);
            const truncate = (lengthBytes: number) => {
              hadAtTruncate.push(made.store.have.count);
              return file.truncate(lengthBytes);
            };
            return { ...file, truncate };
          },
        },
      });
      await made.store.open(null, NEVER);
      await download(made, allPieces(torrent).slice(1));
      await made.store.commit();
      await made.clock.advanceSettled(121_000);
      truncateSync(made.pathOf(0), 32 * KIB);
      await download(made, [0]);
      expect(hadAtTruncate).toEqual([0, 1]);
      await made.store.close();
    });

    test("a recheck that finds nothing is recorded as well", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
      await made.store.open(null, NEVER);
      await download(made, allPieces(made.torrent));
      await made.store.commit();
      for (const file of [0, 2, 3]) truncateSync(made.pathOf(file), 0);
      await made.store.recheck(NEVER);
      expect(made.store.have.count).toBe(0);
      expect(made.events.last.verified).toEqual(new Uint8Array(1));
      await made.store.close();
    });

    test("a check that is aborted rejects, takes no block and can be started again", async () => {
      const made = await complete({ saveDirectory: saveFolder() });
      const next = realBench({ saveDirectory: dirname(dirname(made.pathOf(0))) });
      const abort = new AbortController();
      const opening = next.store.open(null, abort.signal);
      abort.abort();
      await expect(opening).rejects.toThrow();
      expect(next.store.blockTarget(0, 0, BLOCK_BYTES)).toBeNull();
      expect(next.events.states).toEqual([]);
      expect(next.clock.pendingTimers).toBe(0);
      await next.store.open(null, NEVER);
      expect(next.store.have.isFull).toBe(true);
      await next.store.close();
    });
  });
}
