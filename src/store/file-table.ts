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

/** An open file that stays open until it is left. */
export interface HeldFile {
  readonly file: DiskFile;
  /** Rejects where a file that is closed with this cannot be. */
  leave(): Promise<void>;
}

interface Slot {
  readonly handle: Promise<DiskFile>;
  /** `handle`, once it is there and has its length. */
  ready: DiskFile | null;
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
  /** A file is about to get its length: it has `sizeBytes` (0 where it was not there), and zeros will follow them. */
  readonly onShort: (key: FileKey, sizeBytes: number) => void;
  /** A file is about to be written and has its length. */
  readonly onShaped: (key: FileKey, stamp: FileStamp | null) => void;
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

  /** All of them ready to be written, or null where that takes waiting. */
  tryHoldForWrite(keys: readonly FileKey[]): HeldFile[] | null {
    const held: HeldFile[] = [];
    for (const key of keys) if (!this.#slots.get(key)?.ready) return null;
    for (const key of keys) {
      const slot = this.#slots.get(key);
      if (!slot?.ready) continue;
      slot.users++;
      held.push(this.#held(slot, slot.ready));
    }
    return held;
  }

  /** The file with its length; it is made where it is missing. */
  async holdForWrite(key: FileKey): Promise<HeldFile> {
    const slot = await this.#acquire(key, true);
    try {
      const file = await slot.handle;
      await this.#shape(key, file, slot);
      return this.#held(slot, file);
    } catch (error) {
      await this.#leave(slot);
      throw error;
    }
  }

  /** The file as it is. Rejects ENOENT where there is none. */
  async holdForRead(key: FileKey): Promise<HeldFile> {
    const slot = await this.#acquire(key, false);
    try {
      return this.#held(slot, await slot.handle);
    } catch (error) {
      await this.#leave(slot);
      throw error;
    }
  }

  /** Count of bytes read; fewer than asked for at the end of the file. Rejects ENOENT where there is no file. */
  async read(key: FileKey, target: Uint8Array, offsetBytes: number): Promise<number> {
    return await using(await this.holdForRead(key), (file) => file.read(target, offsetBytes));
  }

  async write(key: FileKey, bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await using(await this.holdForWrite(key), (file) => file.write(bytes, offsetBytes));
  }

  /** Makes the file with its length and no content. */
  async create(key: FileKey): Promise<void> {
    await (await this.holdForWrite(key)).leave();
  }

  async sync(key: FileKey): Promise<void> {
    await using(await this.holdForRead(key), (file) => file.datasync());
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

  #held(slot: Slot, file: DiskFile): HeldFile {
    return { file, leave: () => this.#leave(slot) };
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
    const slot: Slot = {
      handle,
      ready: null,
      mayCreate: create,
      shaped: null,
      users: 0,
      usedAtMs: 0,
      isClosing: false,
    };
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
    slot.shaped ??= this.#bringToLength(key, file).then(
      () => {
        slot.ready = file;
      },
      (error: unknown) => {
        slot.shaped = null;
        throw error;
      },
    );
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
    if (before?.sizeBytes !== lengthBytes) {
      this.#options.onShort(key, before?.sizeBytes ?? 0);
      await file.truncate(lengthBytes);
    }
    this.#options.onShaped(key, await disk.stampOf(path));
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

async function using<T>(held: HeldFile, task: (file: DiskFile) => Promise<T>): Promise<T> {
  try {
    return await task(held.file);
  } finally {
    await held.leave();
  }
}
