// Folders of a torrent. Invariant: nothing is opened in a folder whose real path is not the save folder's real path
// plus the torrent's own components, so a symlink planted below the save folder leads nowhere.

import { dirname, join, relative } from "node:path";
import { DataConflictError } from "./faults.ts";
import type { Disk } from "./ports.ts";

export class Folders {
  readonly #disk: Disk;
  readonly #saveDirectory: string;
  /** Folders with entries made since the last sync. */
  #unsynced = new Set<string>();

  constructor(disk: Disk, saveDirectory: string) {
    this.#disk = disk;
    this.#saveDirectory = saveDirectory;
  }

  /** Makes the folder and whatever of its ancestors is missing. */
  async ensure(directory: string): Promise<void> {
    const missing: string[] = [];
    let ancestor = directory;
    while (!(await this.#disk.isDirectory(ancestor)) && dirname(ancestor) !== ancestor) {
      missing.push(ancestor);
      ancestor = dirname(ancestor);
    }
    for (const path of missing.reverse()) await this.#make(path);
  }

  async #make(path: string): Promise<void> {
    try {
      await this.#disk.makeDirectory(path);
    } catch (error) {
      // Two files of one new folder may race to make it.
      if (!(await this.#disk.isDirectory(path))) throw error;
    }
    this.noteEntry(path);
  }

  /** Rejects with DataConflictError where a symlink leads the folder elsewhere. */
  async verify(directory: string): Promise<void> {
    const inner = relative(this.#saveDirectory, directory);
    const expected = join(await this.#disk.realPath(this.#saveDirectory), inner);
    const isOutside = inner === ".." || inner.startsWith("../");
    if (isOutside || (await this.#disk.realPath(directory)) !== expected) {
      throw new DataConflictError("a link lies where a folder of the torrent belongs");
    }
  }

  /** `path` may be new: its folder, and those up to the save folder, must be synced before anything relies on it. */
  noteEntry(path: string): void {
    let folder = dirname(path);
    this.#unsynced.add(folder);
    while (folder.startsWith(`${this.#saveDirectory}/`)) {
      folder = dirname(folder);
      this.#unsynced.add(folder);
    }
  }

  get hasUnsynced(): boolean {
    return this.#unsynced.size > 0;
  }

  /** Deepest first. On failure every folder stays to be synced. */
  async sync(): Promise<void> {
    const directories = this.#unsynced;
    this.#unsynced = new Set();
    try {
      for (const path of [...directories].sort((a, b) => b.length - a.length))
        await this.#disk.syncDirectory(path);
    } catch (error) {
      for (const path of directories) this.#unsynced.add(path);
      throw error;
    }
  }
}
