// The file system as the use-cases need it: space and access, never content.

import { randomUUID } from "node:crypto";
import { mkdir, open, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCodeOf } from "../base/errors.ts";

export interface Volume {
  /** Space for this user and in all on the disk that holds `path`, or that would hold it. */
  spaceOf(path: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
  /** Bytes that the file takes on disk (holes not counted); 0 where there is none. */
  allocatedBytes(path: string): Promise<number>;
  /** Makes the folder where it is missing; rejects with the system's code where no file can be made in it. */
  ensureWritable(directory: string): Promise<void>;
}

const STAT_BLOCK_BYTES = 512;

export const nodeVolume: Volume = {
  async spaceOf(path) {
    const { bavail, blocks, bsize } = await statfs(await existingPart(path));
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  async allocatedBytes(path) {
    try {
      const { blocks, size } = await stat(path);
      return Math.min(blocks * STAT_BLOCK_BYTES, size);
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  },
  async ensureWritable(directory) {
    await mkdir(directory, { recursive: true });
    const probe = join(directory, `.torrx-${randomUUID()}`);
    const handle = await open(probe, "wx");
    await handle.close();
    await rm(probe, { force: true });
  },
};

async function existingPart(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
    return existingPart(dirname(path));
  }
}

function isMissing(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}
