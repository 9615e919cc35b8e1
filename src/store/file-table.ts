// The torrent's open files. Files are opened when first used, created when first written, at most MAX_OPEN kept open.
// Invariant: a file that is written has its full length (sparse) first; after seal() nothing is opened any more, so no
// late write can bring back a removed file.

import { dirname } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { DataConflictError } from "./faults.ts";
import type { Folders } from "./folders.ts";
import { type FileKey, type Layout, PARTS } from "./layout.ts";
import type { Disk, DiskFile, FileStamp } from "./ports.ts";

interface Slot {
  readonly handle: Promise<DiskFile>;
  readonly mayCreate: boolean;
  /** Set by the first write: resolves when the file has its length. */
  shaped: Promise<void> | null;
  users: number;
  usedAtMs: number;
  /** Out of the table: closed by its last user. */
  isClosing: boolean;
}

export interface FileTableOptions {
  readonly layout: Layout;
  readonly folders: Folders;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /** A file is about to be written and has its length; before, it had `sizeBytes` (0 where it was not there). */
  readonly onShaped: (key: FileKey, sizeBytes: number, stamp: FileStamp | null) => void;
}

const MAX_OPEN = 40;
const IDLE_MS = 60_000;

export class FileTable {
  readonly #options: FileTableOptions;
  readonly #slots = new Map<FileKey, Slot>();
  #isSealed = false;
  #idleTimer: Timer | null = null;

  constructor(options: FileTableOptions) {
    this.#options = options;
  }

  /** Count of bytes read; fewer than asked for at the end of the file. Rejects ENOENT where there is no file. */
  read(key: FileKey, target: Uint8Array, offsetBytes: number): Promise<number> {
    return this.#use(key, false, (file) => file.read(target, offsetBytes));
  }

  write(key: FileKey, bytes: Uint8Array, offsetBytes: number): Promise<void> {
    return this.#use(key, true, async (file, slot) => {
      await this.#shape(key, file, slot);
      await file.write(bytes, offsetBytes);
    });
  }

  /** Makes the file with its length and no content. */
  create(key: FileKey): Promise<void> {
    return this.#use(key, true, (file, slot) => this.#shape(key, file, slot));
  }

  sync(key: FileKey): Promise<void> {
    return this.#use(key, false, (file) => file.datasync());
  }

  /** Whoever uses the file now finishes first; the next use opens it anew. */
  async close(key: FileKey): Promise<void> {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    slot.isClosing = true;
    if (slot.users === 0) await (await slot.handle).close();
  }

  async closeAll(): Promise<void> {
    this.#idleTimer?.cancel();
    this.#idleTimer = null;
    for (const key of [...this.#slots.keys()]) await this.close(key);
  }

  /** From here on every use rejects. */
  seal(): void {
    this.#isSealed = true;
  }

  async #use<T>(key: FileKey, create: boolean, task: (file: DiskFile, slot: Slot) => Promise<T>): Promise<T> {
    const slot = await this.#acquire(key, create);
    try {
      return await task(await slot.handle, slot);
    } finally {
      await this.#leave(slot);
    }
  }

  async #leave(slot: Slot): Promise<void> {
    slot.users--;
    slot.usedAtMs = this.#options.clock.nowMs();
    this.#closeIdleLater();
    if (!slot.isClosing) await this.#evict();
    else if (slot.users === 0) await slot.handle.then((file) => file.close());
  }

  async #acquire(key: FileKey, create: boolean): Promise<Slot> {
    let slot = this.#slots.get(key);
    if (slot !== undefined && create && !slot.mayCreate) {
      // Opened for reading: good for writing too if it opened at all.
      await slot.handle.then(
        () => undefined,
        () => undefined,
      );
      slot = this.#slots.get(key);
    }
    slot ??= this.#openSlot(key, create);
    slot.users++;
    return slot;
  }

  #openSlot(key: FileKey, create: boolean): Slot {
    const handle = this.#open(key, create);
    const slot: Slot = { handle, mayCreate: create, shaped: null, users: 0, usedAtMs: 0, isClosing: false };
    this.#slots.set(key, slot);
    handle.catch(() => {
      if (this.#slots.get(key) === slot) this.#slots.delete(key);
    });
    return slot;
  }

  async #open(key: FileKey, create: boolean): Promise<DiskFile> {
    const { layout, folders, disk } = this.#options;
    const path = layout.pathOf(key);
    if (create) await folders.ensure(dirname(path));
    if (key !== PARTS) await folders.verify(dirname(path));
    if (this.#isSealed) throw new DataConflictError("the torrent's data was removed");
    return disk.open(path, { create });
  }

  #shape(key: FileKey, file: DiskFile, slot: Slot): Promise<void> {
    slot.shaped ??= this.#bringToLength(key, file).catch((error: unknown) => {
      slot.shaped = null;
      throw error;
    });
    return slot.shaped;
  }

  async #bringToLength(key: FileKey, file: DiskFile): Promise<void> {
    const { layout, folders, disk } = this.#options;
    const path = layout.pathOf(key);
    const before = await disk.stampOf(path);
    const lengthBytes = layout.lengthOf(key);
    if (before === null || before.sizeBytes === 0) folders.noteEntry(path);
    if (key === PARTS) layout.hasParts = true;
    if (lengthBytes === null) return;
    // What a torrent leaves behind is never longer than it should be: this was somebody else's, and cutting loses it.
    if (before !== null && before.sizeBytes > lengthBytes) {
      throw new DataConflictError("a larger file lies where one of its files belongs");
    }
    if (before?.sizeBytes !== lengthBytes) await file.truncate(lengthBytes);
    this.#options.onShaped(key, before?.sizeBytes ?? 0, await disk.stampOf(path));
  }

  async #evict(): Promise<void> {
    if (this.#slots.size <= MAX_OPEN) return;
    let oldest: FileKey | null = null;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [key, slot] of this.#slots) {
      if (slot.users > 0 || slot.usedAtMs >= oldestMs) continue;
      oldest = key;
      oldestMs = slot.usedAtMs;
    }
    if (oldest !== null) await this.close(oldest);
  }

  #closeIdleLater(): void {
    if (this.#slots.size === 0) return;
    this.#idleTimer ??= this.#options.clock.after(IDLE_MS, () => {
      this.#idleTimer = null;
      this.#closeIdle().then(
        () => this.#closeIdleLater(),
        (error: unknown) =>
          this.#options.log.warn("an idle file was not closed", { error: describeError(error) }),
      );
    });
  }

  async #closeIdle(): Promise<void> {
    const beforeMs = this.#options.clock.nowMs() - IDLE_MS;
    for (const [key, slot] of [...this.#slots]) {
      const isIdle = slot.users === 0 && slot.usedAtMs <= beforeMs;
      if (isIdle && this.#slots.get(key) === slot) await this.close(key);
    }
  }
}
