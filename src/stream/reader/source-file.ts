// The file that a stream's windows are filled from. It is looked at again for each new connection: a file that took
// its place has other bytes, and the old one is let go. Invariant: a file fills windows only of the torrent that was
// open before it was: when the engine finds other files than before it opens the torrent anew (TorrentMemory.renew).

import type { FileToken, TorrentToken } from "../../../native/index.ts";
import type { OpenedFile, OpenFile } from "./node-file.ts";
import type { WindowMemory } from "./window-memory.ts";

export class SourceFile {
  readonly #memory: WindowMemory;
  readonly #openFile: OpenFile;
  readonly #findTorrent: () => TorrentToken;
  readonly #onOpen: (file: FileToken, torrent: TorrentToken) => void;
  #token: FileToken | null = null;
  #torrent: TorrentToken = 0;
  #identity = "";
  #isClosed = false;
  #looking: Promise<boolean> | null = null;
  #lookingNext: Promise<boolean> | null = null;

  /** `findTorrent` is asked before each look; `onOpen` is told whose windows the file fills. */
  constructor(parts: {
    memory: WindowMemory;
    openFile: OpenFile;
    findTorrent: () => TorrentToken;
    onOpen: (file: FileToken, torrent: TorrentToken) => void;
  }) {
    this.#memory = parts.memory;
    this.#openFile = parts.openFile;
    this.#findTorrent = parts.findTorrent;
    this.#onOpen = parts.onOpen;
  }

  /** What fills the windows of this torrent; null where it must be looked for. */
  tokenFor(torrent: TorrentToken): FileToken | null {
    return torrent === this.#torrent ? this.#token : null;
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
    const torrent = this.#findTorrent();
    const file = await this.#openFile(path);
    if (file === null) return false;
    const isKnown = file.identity === this.#identity && torrent === this.#torrent;
    try {
      if (!this.#isClosed && !isKnown) this.#adopt(file, torrent);
    } finally {
      await file.close();
    }
    return true;
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  #adopt({ fd, identity }: OpenedFile, torrent: TorrentToken): void {
    const token = this.#memory.adoptFile(fd);
    this.#release();
    this.#token = token;
    this.#identity = identity;
    this.#torrent = torrent;
    this.#onOpen(token, torrent);
  }

  #release(): void {
    if (this.#token !== null) this.#memory.releaseFile(this.#token);
    this.#token = null;
    this.#identity = "";
  }
}
