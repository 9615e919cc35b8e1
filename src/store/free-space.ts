// Not enough space is said before a torrent starts, not when the disk is full.

import { dirname } from "node:path";
import type { Bitfield } from "../base/bitfield.ts";
import type { DiskPlace } from "../metainfo/disk-layout.ts";
import { Geometry } from "../metainfo/geometry.ts";
import type { TorrentInfo } from "../metainfo/types.ts";
import type { Disk, FilePresence } from "./ports.ts";

export interface SpaceQuestion {
  readonly info: TorrentInfo;
  readonly place: DiskPlace;
  readonly presence: FilePresence;
  /** Null before the first check: nothing is there. */
  readonly have: Bitfield | null;
  readonly disk: Disk;
}

/** Room for the file system's own records. */
const OVERHEAD = 1.01;

/** Bytes that are still to be written: every missing piece that has a byte of a file that is to exist. */
export function missingBytes({ info, presence, have }: Omit<SpaceQuestion, "disk" | "place">): number {
  const geometry = new Geometry(info);
  let total = 0;
  let counted = -1;
  for (const file of info.files) {
    if (file.isPad || presence[file.index] !== true) continue;
    const { first, end } = geometry.piecesOf(geometry.fileRange(file));
    for (let piece = Math.max(first, counted + 1); piece < end; piece++) {
      counted = piece;
      if (have?.has(piece) !== true) total += geometry.pieceLength(piece);
    }
  }
  return total;
}

/** Bytes by which the free space is too small for the torrent; 0 where it suffices. */
export async function freeSpaceShortfall(question: SpaceQuestion): Promise<number> {
  const free = await freeBytesAt(question.disk, question.place.saveDirectory);
  return Math.max(0, Math.ceil(missingBytes(question) * OVERHEAD) - free);
}

/** Free space where `path` lies or will lie. */
export async function freeBytesAt(disk: Disk, path: string): Promise<number> {
  let existing = path;
  while (!(await disk.isDirectory(existing)) && dirname(existing) !== existing) existing = dirname(existing);
  return disk.freeBytes(existing);
}
