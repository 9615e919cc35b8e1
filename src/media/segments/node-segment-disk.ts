// The folder in the real file system. Only files of our own naming are ever removed: the folder's name comes from the
// configuration and may point to something else.

import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../base/errors.ts";
import type { SegmentDisk, SegmentFile } from "./ports.ts";

const OWN_NAME = /^[0-9a-f]{16}-\d+\.(?:hls|part)$/;

/** What is wrong with a file that is not the one that was written. */
export class ForeignFileError extends Error {
  override readonly name = "ForeignFileError";
}

export function nodeSegmentDisk(folder: string): SegmentDisk {
  const at = (name: string) => join(folder, `${name}.hls`);
  return {
    async empty() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const names = await readdir(folder);
      await Promise.all(
        names.filter((name) => OWN_NAME.test(name)).map((name) => removed(join(folder, name))),
      );
    },
    async write(name, bytes) {
      const part = join(folder, `${name}.part`);
      try {
        await writeNew(folder, part, bytes);
        await rename(part, at(name));
      } catch (error) {
        await removed(part);
        throw error;
      }
    },
    async open(name, lengthBytes) {
      const handle = await open(at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const found = await handle.stat();
        if (found.isFile() && found.size === lengthBytes) return new NodeSegmentFile(handle);
        throw new ForeignFileError("another file lies in a segment's place");
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    remove: (name) => removed(at(name)),
    async freeBytes() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
  };
}

async function writeNew(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}

async function removed(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}

class NodeSegmentFile implements SegmentFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(atBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const { bytesRead } = await this.#handle.read(bytes, done, lengthBytes - done, atBytes + done);
      if (bytesRead === 0) throw new ForeignFileError("a segment's file has become shorter");
      done += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
