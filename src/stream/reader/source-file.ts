// The file that a stream's windows are filled from. It is looked at again for each new connection: a file that took
// its place has other bytes, and the old one is let go.

import type { FileToken } from "../../../native/index.ts";
import type { OpenFile } from "./node-file.ts";
import type { WindowMemory } from "./window-memory.ts";

export class SourceFile {
  readonly #memory: WindowMemory;
  readonly #openFile: OpenFile;
  readonly #onOpen: (file: FileToken) => void;
  #token: FileToken | null = null;
  #identity = "";
  #isClosed = false;
  #looking: Promise<boolean> | null = null;
  #lookingNext: Promise<boolean> | null = null;

  /** `onOpen` is told of the file, and of each other one that takes its place. */
  constructor(memory: WindowMemory, openFile: OpenFile, onOpen: (file: FileToken) => void) {
    this.#memory = memory;
    this.#openFile = openFile;
    this.#onOpen = onOpen;
  }

  get token(): FileToken | null {
    return this.#token;
  }

  /**
   * Resolves false where there is no file at `path`. Rejects as OpenFile does. One look at a time; who asks during one
   * is given the next, because what it saw may be old by now.
   */
  look(path: string): Promise<boolean> {
    if (this.#looking === null) {
      this.#looking = this.#look(path).finally(() => {
        this.#looking = null;
      });
      return this.#looking;
    }
    const again = () => {
      this.#lookingNext = null;
      return this.look(path);
    };
    this.#lookingNext ??= this.#looking.then(again, again);
    return this.#lookingNext;
  }

  async #look(path: string): Promise<boolean> {
    const file = await this.#openFile(path);
    if (file === null) return false;
    try {
      if (!this.#isClosed && file.identity !== this.#identity) this.#adopt(file.fd, file.identity);
    } finally {
      await file.close();
    }
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  #adopt(fd: number, identity: string): void {
    const token = this.#memory.adoptFile(fd);
    this.#release();
    this.#token = token;
    this.#identity = identity;
    this.#onOpen(token);
  }

  #release(): void {
    if (this.#token !== null) this.#memory.releaseFile(this.#token);
    this.#token = null;
    this.#identity = "";
  }
}
