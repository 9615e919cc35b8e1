// The store on real files: fresh save folders that are removed after each test, and a disk that counts.

import { expect } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Disk } from "../../src/store/index.ts";
import { plainDisk } from "./plain-memory.ts";
import {
  allPieces,
  type Bench,
  type BenchOptions,
  benchOf,
  download,
  type MadeTorrent,
  makeTorrent,
  NEVER,
} from "./store-torrent.ts";

export const KIB = 1024;
const roots: string[] = [];

/** An empty save folder; its parent is the test's own too. */
export function saveFolder(): string {
  const root = mkdtempSync(join(tmpdir(), "torrx-store-"));
  roots.push(root);
  const save = join(root, "downloads");
  mkdirSync(save);
  return save;
}

export function removeSaveFolders(): void {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
}

/** Counts the reads and writes of data that go to the real disk. */
export function countingDisk() {
  const counts = { reads: 0, writes: [] as { path: string; offset: number; lengthBytes: number }[] };
  const disk: Disk = {
    ...plainDisk,
    async open(path, options) {
      const file = await plainDisk.open(path, options);
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
        native: null,
      };
    },
  };
  return { disk, counts };
}

/** Pieces of 32 KiB; files meet inside pieces; the last piece is short. */
export function mixedTorrent(seed = 1): MadeTorrent {
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

export function realBench(options: Partial<BenchOptions> & { saveDirectory: string }): Bench {
  return benchOf({ torrent: mixedTorrent(), disk: plainDisk, ...options });
}

export async function complete(options: Partial<BenchOptions> & { saveDirectory: string }): Promise<Bench> {
  const made = realBench(options);
  await made.store.open(null, NEVER);
  await download(made, allPieces(made.torrent));
  await made.store.close();
  return made;
}

export function expectFile(made: Bench, index: number): void {
  expect(Buffer.compare(readFileSync(made.pathOf(index)), made.torrent.fileBytes(index))).toBe(0);
}
