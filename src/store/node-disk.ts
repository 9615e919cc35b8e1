// The real file system. Every open refuses a symlink in the last component and anything that is no regular file;
// O_NONBLOCK keeps a planted FIFO from hanging the open.

import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath, rmdir, stat, statfs, unlink } from "node:fs/promises";
import type { NativeThread } from "../../native/index.ts";
import { systemCodeOf } from "../base/errors.ts";
import { DataConflictError } from "./faults.ts";
import type { Disk, DiskFile, FileStamp } from "./ports.ts";

const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NOT_REGULAR = "something that is no file lies where a file of the torrent belongs";

/** Open files are made known to threads of our own, which keep a descriptor of their own of each. */
export type FileAdopter = Pick<NativeThread, "adoptFile" | "releaseFile">;

export function nodeDisk(native: FileAdopter): Disk {
  return {
    async open(path, { create }) {
      const handle = await openHandle(path, create);
      try {
        if (!(await handle.stat()).isFile()) throw new DataConflictError(NOT_REGULAR);
        return new NodeFile(handle, native);
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    async stampOf(path): Promise<FileStamp | null> {
      const found = await absentAsNull(lstat(path));
      if (found === null) return null;
      if (!found.isFile()) throw new DataConflictError(NOT_REGULAR);
      return { sizeBytes: found.size, mtimeMs: found.mtimeMs, inode: found.ino };
    },
    async isDirectory(path) {
      try {
        return (await stat(path)).isDirectory();
      } catch (error) {
        if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return false;
        throw error;
      }
    },
    async makeDirectory(path) {
      await mkdir(path);
    },
    async removeFile(path) {
      await absentAsNull(unlink(path));
    },
    async removeEmptyDirectory(path) {
      try {
        await rmdir(path);
        return true;
      } catch (error) {
        if (["ENOTEMPTY", "EEXIST", "ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "")) return false;
        throw error;
      }
    },
    async syncDirectory(path) {
      const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    async freeBytes(path) {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    },
    realPath: (path) => realpath(path),
  };
}

/** Data that the user made read-only can still be seeded. */
async function openHandle(path: string, create: boolean): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | SAFE | (create ? constants.O_CREAT : 0), 0o644);
  } catch (error) {
    const code = systemCodeOf(error);
    if (create || (code !== "EACCES" && code !== "EROFS")) throw error;
    return open(path, constants.O_RDONLY | SAFE);
  }
}

async function absentAsNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw error;
  }
}

class NodeFile implements DiskFile {
  readonly native: number;
  readonly #handle: FileHandle;
  readonly #adopter: FileAdopter;

  constructor(handle: FileHandle, adopter: FileAdopter) {
    this.#handle = handle;
    this.#adopter = adopter;
    this.native = adopter.adoptFile(handle.fd);
  }

  async read(target: Uint8Array, offset: number): Promise<number> {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await this.#handle.read(target, done, target.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
  }

  truncate(lengthBytes: number): Promise<void> {
    return this.#handle.truncate(lengthBytes);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    this.#adopter.releaseFile(this.native);
    return this.#handle.close();
  }
}
