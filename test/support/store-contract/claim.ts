// Other data where a torrent's files belong: never written over, never removed, on real files.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
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
import { allPieces, type Bench, download, feed, makeTorrent, NEVER } from "../store-torrent.ts";

import { watchedMemory } from "../watched-memory.ts";

export function claimContract(): void {
  const MINE = mixedTorrent();
  /** The same names and lengths, other bytes. */
  const OTHER = mixedTorrent(2);
  const PIECE_BYTES = 32 * KIB;

  let save: string;
  let disk: ReturnType<typeof countingDisk>;

  beforeEach(() => {
    save = saveFolder();
    mkdirSync(join(save, "Show", "sub"), { recursive: true });
    disk = countingDisk();
  });
  afterEach(removeSaveFolders);

  function plant(name: string, bytes: Uint8Array): void {
    writeFileSync(join(save, "Show", name), bytes);
  }

  async function opened(options: Partial<Parameters<typeof realBench>[0]> = {}): Promise<Bench> {
    const made = realBench({ saveDirectory: save, disk: disk.disk, memory: disk.memory, ...options });
    await made.store.open(null, NEVER);
    return made;
  }

  /** Every file below the save folder, with its bytes. */
  function contents(): Map<string, string> {
    const files = readdirSync(save, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return new Map(
      files.map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path, readFileSync(path).toString("base64")];
      }),
    );
  }

  async function expectConflict(made: Bench): Promise<void> {
    expect(made.events.faults).toEqual(["data_conflict"]);
    expect(allPieces(made.torrent).some((piece) => feed(made, piece))).toBe(false);
    await made.clock.advanceSettled(60_000);
    expect(disk.counts.writes).toEqual([]);
    expect(made.events.states).toEqual([]);
  }

  const OF_OTHERS: [string, () => void][] = [
    ["of the same lengths", () => [0, 2, 3].map((file) => plant(nameOf(file), OTHER.fileBytes(file)))],
    ["shorter than its files", () => plant("a.mkv", OTHER.fileBytes(0).subarray(0, 70 * KIB))],
    ["shorter than a piece", () => plant("a.mkv", Uint8Array.of(1))],
    ["longer than its files", () => plant("a.mkv", Buffer.alloc(200 * KIB, 7))],
    [
      "behind a hole",
      () => {
        plant("a.mkv", new Uint8Array(0));
        truncateSync(join(save, "Show", "a.mkv"), 99 * KIB);
        plant("sub/b.srt", Buffer.concat([new Uint8Array(9 * KIB), Uint8Array.of(1)]));
      },
    ],
    ["in a file that is not chosen", () => plant("c.mkv", OTHER.fileBytes(3))],
  ];

  function nameOf(file: number): string {
    return MINE.info.files[file]?.path ?? "";
  }

  describe("other data in a new torrent's place", () => {
    test.each(OF_OTHERS)("%s is a conflict: nothing is written", async (_, put) => {
      put();
      const before = contents();
      const made = await opened({ presence: [true, true, true, false] });
      await expectConflict(made);
      await made.store.setPresence([true, true, true, true]);
      await made.store.retry();
      await made.store.recheck(NEVER);
      expect(made.events.faults.every((fault) => fault === "data_conflict")).toBe(true);
      expect(feed(made, 0)).toBe(false);
      await made.store.close();
      expect(contents()).toEqual(before);
      expect(disk.counts.writes).toEqual([]);
      expect(made.events.states).toEqual([]);
    });

    test.each(OF_OTHERS)("%s outlives the torrent's removal with its data", async (_, put) => {
      put();
      const before = contents();
      const made = await opened();
      await expectConflict(made);
      await made.store.removeData();
      expect(contents()).toEqual(before);
    });

    test("outlives a removal before the first look, and one that cuts the first check short", async () => {
      for (const file of [0, 2, 3]) plant(nameOf(file), OTHER.fileBytes(file));
      const before = contents();
      await realBench({ saveDirectory: save }).store.removeData();
      const hashing = Promise.withResolvers<void>();
      const memory = watchedMemory(disk.memory, { onCheck: () => hashing.resolve() });
      const made = realBench({ saveDirectory: save, memory });
      const opening = made.store.open(null, NEVER);
      await hashing.promise;
      const removed = made.store.removeData();
      await expect(opening).rejects.toThrow();
      await removed;
      expect(contents()).toEqual(before);
    });

    test("once moved away, the torrent goes on when it is tried again", async () => {
      plant("a.mkv", OTHER.fileBytes(0));
      const made = await opened();
      await expectConflict(made);
      renameSync(join(save, "Show", "a.mkv"), join(save, "kept.mkv"));
      await made.store.retry();
      await download(made, allPieces(MINE));
      await made.store.close();
      expectFile(made, 0);
      expect(Buffer.compare(readFileSync(join(save, "kept.mkv")), OTHER.fileBytes(0))).toBe(0);
    });

    test("with zeros where the torrent has zeros too is still a conflict", async () => {
      const torrent = makeTorrent({
        pieceLengthBytes: PIECE_BYTES,
        files: [{ path: "a.mkv", lengthBytes: 64 * KIB }],
      });
      torrent.bytes.fill(0, 0, PIECE_BYTES);
      torrent.info.pieceHashes.set(
        new Uint8Array(Bun.SHA1.hash(torrent.bytes.subarray(0, PIECE_BYTES)).buffer),
      );
      plant("a.mkv", Buffer.concat([new Uint8Array(PIECE_BYTES), Buffer.alloc(PIECE_BYTES, 7)]));
      await expectConflict(await opened({ torrent }));
      plant("a.mkv", new Uint8Array(2 * PIECE_BYTES));
      const made = await opened({ torrent });
      expect(made.events.faults).toEqual([]);
      expect(made.store.have.count).toBe(1);
      await made.store.close();
    });

    test("is not written over with what the parts file has", async () => {
      const partsPath = join(dirname(save), "aside.parts");
      const first = await complete({
        saveDirectory: save,
        partsPath,
        presence: [false, false, false, false],
      });
      expect(first.store.have.isFull).toBe(true);
      expect(existsSync(partsPath)).toBe(true);
      plant("sub/b.srt", OTHER.fileBytes(2));
      await expectConflict(await opened({ partsPath, presence: [false, false, true, false] }));
    });
  });

  describe("what is the torrent's own", () => {
    test("one right piece among wrong ones has the others fetched again", async () => {
      const bytes = OTHER.fileBytes(0).slice();
      bytes.set(MINE.fileBytes(0).subarray(PIECE_BYTES, 2 * PIECE_BYTES), PIECE_BYTES);
      plant("a.mkv", bytes);
      plant("c.mkv", OTHER.fileBytes(3));
      const made = await opened();
      expect(made.events.faults).toEqual([]);
      expect(allPieces(MINE).filter((piece) => made.store.have.has(piece))).toEqual([1]);
      await download(
        made,
        allPieces(MINE).filter((piece) => piece !== 1),
      );
      await made.store.close();
      for (const file of [0, 2, 3]) expectFile(made, file);
      await realBench({ saveDirectory: save, hasRecord: true }).store.removeData();
      expect(existsSync(join(save, "Show"))).toBe(false);
    });

    test.each([
      ["zeros", () => plant("a.mkv", new Uint8Array(100 * KIB))],
      [
        "a hole",
        () => {
          plant("a.mkv", new Uint8Array(0));
          truncateSync(join(save, "Show", "a.mkv"), 100 * KIB);
        },
      ],
      ["empty files", () => plant("a.mkv", new Uint8Array(0))],
      ["other names", () => plant("notes.txt", Uint8Array.of(1))],
      ["a file in the place of an empty one", () => plant("sub/empty.txt", Uint8Array.of(1))],
    ])("%s are in nobody's way", async (_, put) => {
      put();
      const made = await opened();
      expect(made.events.faults).toEqual([]);
      await download(made, allPieces(MINE));
      await made.store.close();
      expectFile(made, 0);
    });

    test("a start that found nothing is recorded: what was half written afterwards is no other data", async () => {
      const torrent = makeTorrent({
        pieceLengthBytes: PIECE_BYTES,
        files: [{ path: "a.mkv", lengthBytes: 64 * KIB }],
      });
      const made = await opened({ torrent });
      expect(made.events.last.verified).toEqual(new Uint8Array(1));
      plant("a.mkv", torrent.fileBytes(0).subarray(0, 5));
      const next = realBench({ saveDirectory: save, torrent, hasRecord: true });
      await next.store.open(made.events.last, NEVER);
      expect(next.events.faults).toEqual([]);
      await next.store.recheck(NEVER);
      expect(next.events.faults).toEqual([]);
      await next.store.removeData();
      expect(existsSync(join(save, "Show", "a.mkv"))).toBe(false);
      await made.store.close();
    });

    test("a recorded torrent is removed with its data though it was never opened", async () => {
      const made = await complete({ saveDirectory: save });
      await realBench({ saveDirectory: save, hasRecord: true }).store.removeData();
      expect(existsSync(made.pathOf(0))).toBe(false);
    });
  });
}
