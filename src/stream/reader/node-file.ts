// A ReadableFile of the real file system.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { ReadableFile } from "../ports.ts";

/** Opens for reading; a symlink in the last component is refused (the store never makes one). */
export async function openForReading(path: string): Promise<ReadableFile> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  return {
    async read(target, offset) {
      const { bytesRead } = await handle.read(target, 0, target.length, offset);
      return bytesRead;
    },
    close: () => handle.close(),
  };
}
