// The store on real files: fresh save folders that are removed after each test, and a disk that counts.

import { expect } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Disk, PieceMemory } from "../../src/store/index.ts";
import { PlainMemory, plainDisk } from "./plain-memory.ts";
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
import { watchedMemory } from "./watched-memory.ts";

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

/** What stores are put on. */
export interface StoreWorld {
  readonly disk: Disk;
  readonly memory: PieceMemory;
  /** Pieces are written and checked by threads of our own, not through the disk. */
  readonly worksOffLoop: boolean;
}

const PLAIN: StoreWorld = {
  disk: plainDisk,
  memory: { open: (torrent) => new PlainMemory().open(torrent) },
  worksOffLoop: false,
};
let world = PLAIN;

/** Stores are put on it from here on; null: on plain memory again. */
export function useWorld(next: StoreWorld | null): void {
  world = next ?? PLAIN;
}

/** Counts the reads and writes of data that go to the real disk. */
export function countingDisk() {
  const counts = { reads: 0, writes: [] as { offset: number; lengthBytes: number }[] };
  const disk: Disk = {
    ...world.disk,
    async open(path, options) {
      const file = await world.disk.open(path, options);
      return {
        read(target, offset) {
          counts.reads++;
          return file.read(target, offset);
        },
        write(bytes, offset) {
          counts.writes.push({ offset, lengthBytes: bytes.length });
          return file.write(bytes, offset);
        },
        truncate: (lengthBytes) => file.truncate(lengthBytes),
        datasync: () => file.datasync(),
        close: () => file.close(),
        native: file.native,
      };
    },
  };
  const memory = watchedMemory(world.memory, {
    onCheck: (reads) => {
      if (world.worksOffLoop) counts.reads += reads.length;
    },
    onSettle: (writes) => {
      for (const { offsetBytes, lengthBytes } of world.worksOffLoop ? writes : [])
        counts.writes.push({ offset: offsetBytes, lengthBytes });
    },
  });
  return { disk, memory, counts };
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
  return benchOf({ torrent: mixedTorrent(), disk: world.disk, memory: world.memory, ...options });
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
