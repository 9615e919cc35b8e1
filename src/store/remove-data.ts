// Removes what a torrent owns: its files by name, its parts file, and folders that this leaves empty. A symlink is
// neither followed nor removed, and the save folder stays. Where nothing was ever found or written that is the
// torrent's own (claim.ts), only the parts file goes.

import { dirname } from "node:path";
import { describeError, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Claim } from "./claim.ts";
import { DataConflictError } from "./faults.ts";
import type { Folders } from "./folders.ts";
import type { Layout } from "./layout.ts";
import type { Disk } from "./ports.ts";

export interface RemovalOptions {
  readonly layout: Layout;
  readonly folders: Folders;
  readonly disk: Disk;
  readonly claim: Pick<Claim, "isOurs">;
  readonly log: Log;
}

/** Tries everything; rejects `internal` where something of the torrent could not be removed. */
export async function removeDataOf(options: RemovalOptions): Promise<void> {
  const { layout, disk } = options;
  const directories = options.claim.isOurs ? await ownDirectories(options) : new Set<string>();
  const failures: unknown[] = [];
  const attempt = async (task: () => Promise<unknown>) => {
    try {
      await task();
    } catch (error) {
      if (!(error instanceof DataConflictError)) failures.push(error);
      options.log.warn("a file was not removed", { error: describeError(error) });
    }
  };
  for (const file of layout.info.files) {
    const path = layout.pathOf(file.index);
    if (!file.isPad && directories.has(dirname(path)))
      await attempt(() => removeRegular(disk, path, file.lengthBytes));
  }
  await attempt(() => disk.removeFile(layout.partsPath));
  const folders = options.claim.isOurs ? emptiable(layout, directories) : [];
  for (const path of folders) await attempt(() => disk.removeEmptyDirectory(path));
  if (failures.length > 0) {
    throw new TorrxError("internal", "some files could not be removed", { cause: failures[0] });
  }
}

/** A longer file was never written by us. */
async function removeRegular(disk: Disk, path: string, lengthBytes: number): Promise<void> {
  const stamp = await disk.stampOf(path);
  if (stamp === null) return;
  if (stamp.sizeBytes > lengthBytes) throw new DataConflictError("a larger file in its place is left alone");
  await disk.removeFile(path);
}

/** Folders of files that exist and that no symlink leads elsewhere. */
async function ownDirectories({ layout, folders, disk, log }: RemovalOptions): Promise<Set<string>> {
  const own = new Set<string>();
  for (const path of new Set(layout.info.files.map((file) => dirname(layout.pathOf(file.index))))) {
    try {
      if (!(await disk.isDirectory(path))) continue;
      await folders.verify(path);
      own.add(path);
    } catch (error) {
      log.warn("a folder was left alone", { error: describeError(error) });
    }
  }
  return own;
}

/** Deepest first: the folders of the files and those between them and the torrent's own folder, which is the last. */
function emptiable(layout: Layout, directories: ReadonlySet<string>): string[] {
  const top = layout.folder;
  if (top === null) return [];
  const found = new Set<string>([top]);
  for (const directory of directories) {
    for (let path = directory; path.startsWith(top) && !found.has(path); path = dirname(path))
      found.add(path);
  }
  return [...found].sort((a, b) => b.length - a.length);
}
