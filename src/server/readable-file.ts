import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { ReadableFile } from "../stream/ports.ts";

/** A data file for reading; a symlink in its place is refused. */
export async function openReadableFile(path: string): Promise<ReadableFile> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  return {
    read: async (target, offsetBytes) => (await file.read(target, 0, target.length, offsetBytes)).bytesRead,
    close: () => file.close(),
  };
}
