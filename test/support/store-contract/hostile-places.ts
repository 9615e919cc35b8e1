// B4 #9: what may lie in the way on disk.

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  complete,
  countingDisk,
  expectFile,
  realBench,
  removeSaveFolders,
  saveFolder,
} from "../store-files.ts";
import { allPieces, download, feed, NEVER } from "../store-torrent.ts";

export function hostilePlacesContract(): void {
  afterEach(removeSaveFolders);

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
      const { disk, memory, counts } = countingDisk();
      const made = realBench({ saveDirectory: save, disk, memory });
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
      const made = realBench({ saveDirectory: save, presence: [true, false, true, true] });
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

    test("a longer file of the same name is somebody else's: neither cut nor removed", async () => {
      const save = saveFolder();
      mkdirSync(join(save, "Show"));
      const foreign = join(save, "Show", "a.mkv");
      writeFileSync(foreign, Buffer.alloc(4 * 1024 * 1024, 9));
      const made = realBench({ saveDirectory: save });
      await made.store.open(null, NEVER);
      feed(made, 0);
      await made.events.until(() => made.events.faults.length > 0);
      expect(made.events.faults).toEqual(["data_conflict"]);
      await made.store.close();
      await made.store.removeData();
      expect(Buffer.compare(readFileSync(foreign), Buffer.alloc(4 * 1024 * 1024, 9))).toBe(0);
    });

    test("a save folder that is itself a symlink is the user's choice", async () => {
      const save = saveFolder();
      const link = join(dirname(save), "link");
      symlinkSync(save, link);
      const made = await complete({ saveDirectory: link });
      expectFile(made, 0);
    });
  });
}
