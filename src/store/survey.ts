// A look at what lies on disk, before anything is opened or made.

import { dirname } from "node:path";
import type { Folders } from "./folders.ts";
import type { Layout } from "./layout.ts";
import type { Disk, FileStamp } from "./ports.ts";

export interface Survey {
  /** By file index; null where there is no file (and for pad files). */
  readonly stamps: readonly (FileStamp | null)[];
  /** Bytes in the parts file; 0 where there is none. */
  readonly partsBytes: number;
}

const LOOKS_AT_ONCE = 16;

/** Rejects with DataConflictError where something that is no plain file or folder is in the way. */
export async function surveyDisk(layout: Layout, folders: Folders, disk: Disk): Promise<Survey> {
  const files = layout.info.files.filter((file) => !file.isPad);
  await verifyFolders(layout, folders, disk);
  const stamps: (FileStamp | null)[] = layout.info.files.map(() => null);
  for (let start = 0; start < files.length; start += LOOKS_AT_ONCE) {
    const batch = files.slice(start, start + LOOKS_AT_ONCE);
    const found = await Promise.all(batch.map((file) => disk.stampOf(layout.pathOf(file.index))));
    for (const [position, file] of batch.entries()) stamps[file.index] = found[position] ?? null;
  }
  const parts = await disk.stampOf(layout.partsPath);
  return { stamps, partsBytes: parts?.sizeBytes ?? 0 };
}

async function verifyFolders(layout: Layout, folders: Folders, disk: Disk): Promise<void> {
  const directories = new Set(
    layout.info.files.filter((file) => !file.isPad).map((file) => dirname(layout.pathOf(file.index))),
  );
  for (const directory of directories) {
    if (await disk.isDirectory(directory)) await folders.verify(directory);
  }
}
