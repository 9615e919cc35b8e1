// Descriptors of complete files, shared by the requests of one second: a player that asks for many small ranges costs
// one open. Older ones are handed out no more, so a file that was removed, replaced or moved is looked up anew, and its
// space on the disk is free soon. Within that second a request may still get the file as it was: verified bytes of the
// very torrent and file it asks for, because both are part of the key.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Clock, Timer } from "../base/clock.ts";
import { openFailureOf } from "../base/open-failure.ts";
import type { StreamTarget } from "../services/ports.ts";

const SHARED_MS = 1_000;
const MOST_FILES = 64;

/**
 * Reads what the page cache has, so that the disk is never waited for: the count of bytes, 0 at the end of the file, or
 * a negative errno where there is nothing to be had at once.
 */
export type CachedRead = (fd: number, target: Uint8Array, atBytes: number) => number;

interface Entry {
  readonly file: Promise<OpenFile>;
  readonly timer: Timer;
}

export class OpenFiles {
  readonly #clock: Clock;
  readonly #readCached: CachedRead;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, readCached: CachedRead) {
    this.#clock = clock;
    this.#readCached = readCached;
  }

  /**
   * To be left once by whoever gets it. Rejects not_found when the file is gone from the disk, busy when no more can
   * be opened.
   */
  async join(target: Pick<StreamTarget, "torrent" | "file" | "diskPath">): Promise<OpenFile> {
    const key = `${target.torrent} ${target.file} ${target.diskPath}`;
    const file = await (this.#entries.get(key)?.file ?? this.#open(key, target.diskPath));
    // No timer comes between the settling and this, so it cannot have been closed.
    file.join();
    return file;
  }

  close(): void {
    for (const key of [...this.#entries.keys()]) this.#retire(key);
  }

  #open(key: string, path: string): Promise<OpenFile> {
    const file = openFile(path, this.#readCached);
    const timer = this.#clock.after(SHARED_MS, () => this.#retire(key));
    this.#entries.set(key, { file, timer });
    // Told to those who wait for it; the next one tries again.
    file.catch(() => this.#retire(key));
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MOST_FILES && oldest !== undefined) this.#retire(oldest);
    return file;
  }

  #retire(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    entry.timer.cancel();
    // Behind those who wait for the same promise and are going to join. A failure is theirs to tell.
    entry.file.then(
      (file) => file.retire(),
      () => undefined,
    );
  }
}

/** Closed when it is retired and everybody who joined has left. */
export class OpenFile {
  readonly #handle: FileHandle;
  readonly #readCached: CachedRead;
  #users = 0;
  #isRetired = false;

  constructor(handle: FileHandle, readCached: CachedRead) {
    this.#handle = handle;
    this.#readCached = readCached;
  }

  /** The count of bytes, 0 at the end; null where a disk would have to be waited for. */
  tryRead(target: Uint8Array, atBytes: number): number | null {
    const count = this.#readCached(this.#handle.fd, target, atBytes);
    // Whatever else is wrong than a cold cache, the read that follows meets it too and tells it.
    return count < 0 ? null : count;
  }

  /** Resolves with the count of bytes, 0 at the end. */
  async read(target: Uint8Array, atBytes: number): Promise<number> {
    return (await this.#handle.read(target, 0, target.length, atBytes)).bytesRead;
  }

  join(): void {
    this.#users++;
  }

  leave(): void {
    this.#users--;
    this.#closeIfUnused();
  }

  retire(): void {
    this.#isRetired = true;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (!this.#isRetired || this.#users > 0) return;
    // Closing a file that was only read can lose nothing.
    this.#handle.close().catch(() => undefined);
  }
}

async function openFile(path: string, readCached: CachedRead): Promise<OpenFile> {
  try {
    return new OpenFile(await open(path, constants.O_RDONLY | constants.O_NOFOLLOW), readCached);
  } catch (error) {
    throw openFailureOf(error) ?? error;
  }
}
