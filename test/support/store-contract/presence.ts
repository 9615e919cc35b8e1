// Files chosen and not, on real files.

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { countingDisk, expectFile, KIB, realBench, removeSaveFolders, saveFolder } from "../store-files.ts";
import { allPieces, download, NEVER } from "../store-torrent.ts";

export function presenceContract(): void {
  afterEach(removeSaveFolders);

  describe("files chosen and not", () => {
    const presence = [true, true, false, false];

    test("bytes of an absent file are kept aside and move into it when it is chosen", async () => {
      const save = saveFolder();
      const parts = join(dirname(save), "aside.parts");
      const made = realBench({ saveDirectory: save, presence });
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

    test("a file that is not wanted any more before it was made is never made", async () => {
      const made = realBench({ saveDirectory: saveFolder() });
      await made.store.open(null, NEVER);
      await made.store.setPresence(presence);
      await download(made, [0, 1, 2, 3]);
      expect([0, 2, 3].map((file) => existsSync(made.pathOf(file)))).toEqual([true, false, false]);
      await made.store.setPresence([true, true, true, true]);
      await download(made, [4, 5]);
      await made.store.close();
      for (const file of [0, 2, 3]) expectFile(made, file);
    });

    test("a file that was made stays and is kept up when it is not wanted any more", async () => {
      const save = saveFolder();
      const made = realBench({ saveDirectory: save });
      await made.store.open(null, NEVER);
      await download(made, [3]);
      await made.store.setPresence(presence);
      await download(made, [0, 1, 2, 4, 5]);
      await made.store.close();
      for (const file of [0, 2, 3]) expectFile(made, file);
      const next = realBench({ saveDirectory: save, presence });
      await next.store.open(made.events.last, NEVER);
      expect(next.store.have.isFull).toBe(true);
      await next.store.close();
    });

    test("an unwanted file that was deleted costs its pieces although the parts file has room for them", async () => {
      const save = saveFolder();
      const made = realBench({ saveDirectory: save, presence: [true, true, true, false] });
      await made.store.open(null, NEVER);
      await download(made, allPieces(made.torrent));
      await made.store.close();
      rmSync(made.pathOf(2));
      const next = realBench({ saveDirectory: save, presence });
      await next.store.open(made.events.last, NEVER);
      expect(next.store.have.has(3)).toBe(false);
      await next.store.close();
    });

    test("a restart keeps what was kept aside, without a hash", async () => {
      const save = saveFolder();
      const made = realBench({ saveDirectory: save, presence });
      await made.store.open(null, NEVER);
      await download(made, [0, 1, 2, 3]);
      await made.store.close();
      const { disk, memory, counts } = countingDisk();
      const next = realBench({ saveDirectory: save, presence, disk, memory });
      await next.store.open(made.events.last, NEVER);
      expect(next.store.have.count).toBe(4);
      expect(counts.reads).toBe(0);
      await next.store.setPresence([true, true, true, true]);
      expectFile(next, 2);
      await next.store.close();
    });

    test("a file chosen while the server was off gets its bytes at the next open", async () => {
      const save = saveFolder();
      const made = realBench({ saveDirectory: save, presence });
      await made.store.open(null, NEVER);
      await download(made, [0, 1, 2, 3]);
      await made.store.close();
      const next = realBench({ saveDirectory: save });
      await next.store.open(made.events.last, NEVER);
      expect(next.store.have.count).toBe(4);
      expectFile(next, 2);
      await next.store.close();
    });

    test("a lost parts file costs the pieces that had bytes in it", async () => {
      const save = saveFolder();
      const made = realBench({ saveDirectory: save, presence });
      await made.store.open(null, NEVER);
      await download(made, [0, 1, 2, 3]);
      await made.store.close();
      rmSync(join(dirname(save), "aside.parts"));
      const next = realBench({ saveDirectory: save, presence });
      await next.store.open(made.events.last, NEVER);
      expect([0, 1, 2, 3].map((piece) => next.store.have.has(piece))).toEqual([true, true, true, false]);
      await next.store.close();
    });

    test("a chosen file that lies there already is checked before anything is written to it", async () => {
      const save = saveFolder();
      const made = realBench({ saveDirectory: save, presence: [true, true, true, false] });
      await made.store.open(null, NEVER);
      mkdirSync(join(save, "Show"), { recursive: true });
      writeFileSync(made.pathOf(3), made.torrent.fileBytes(3));
      await made.store.setPresence([true, true, true, true]);
      expect([4, 5].map((piece) => made.store.have.has(piece))).toEqual([true, true]);
      expect(made.events.verified).toContain(5);
      await made.store.close();
    });
  });
}
