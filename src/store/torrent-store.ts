// One torrent's storage. Commands (open, recheck, setPresence, retry, close, removeData) run one after the other;
// pieces on their way to disk run beside them, except while a command needs the disk for itself. close and removeData
// cut a running check short. After removeData no file is ever made again.

import { Bitfield } from "../base/bitfield.ts";
import type { FileIndex } from "../base/brand.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import { bringInFiles } from "./bring-in.ts";
import { faultDetail, faultOf } from "./faults.ts";
import { freeBytesAt, missingBytes } from "./free-space.ts";
import { Lane } from "./lane.ts";
import type { FileKey } from "./layout.ts";
import { type LoadOptions, loadStore, type StoreParts } from "./loader.ts";
import { PieceIntake } from "./piece-intake.ts";
import type {
  FilePresence,
  FileStamp,
  PieceSlot,
  ResumeState,
  StoreEvents,
  StoreFault,
  TorrentStore,
} from "./ports.ts";
import { removeDataOf } from "./remove-data.ts";
import { makeParts, type TorrentStoreOptions } from "./store-options.ts";
import { notReady, VerifiedReader } from "./verified-reader.ts";

/** Space that must be back before a full disk is tried again, unless less is missing. */
const RETRY_SPACE_BYTES = 16 * 1024 * 1024;

/** new: not opened, or a check was cut short. ended: closed or removed. */
type State = "new" | "loading" | "open" | "faulted" | "closing" | "ended";

export function createTorrentStore(options: TorrentStoreOptions): TorrentStore {
  return new DiskTorrentStore(options);
}

class DiskTorrentStore implements TorrentStore {
  readonly have: Bitfield;
  readonly #options: TorrentStoreOptions;
  readonly #events: StoreEvents;
  readonly #parts: StoreParts;
  readonly #intake: PieceIntake;
  readonly #reader: VerifiedReader;
  readonly #lane = new Lane();
  readonly #ending = new AbortController();
  readonly #moving = new Set<number>();
  #presence: FilePresence;
  #state: State = "new";
  #fault: StoreFault | null = null;
  /** What the next retry starts from; undefined once loaded: then from what was committed. */
  #unloaded: ResumeState | null | undefined = null;

  constructor(options: TorrentStoreOptions) {
    this.#options = options;
    this.#events = options.events;
    this.#presence = options.presence;
    this.#parts = makeParts(options, {
      // What the file held beyond is gone, whatever was believed of it.
      onShort: (key, sizeBytes) => this.#loseFrom(key, sizeBytes),
      onShaped: (key, stamp) => this.#fileShaped(key, stamp),
      onResume: (state) => this.#tell(() => this.#events.onResume(state)),
      onSyncFailed: (error, pieces) => this.#syncFailed(error, pieces),
    });
    const { memory, clock, budget, log } = options;
    this.have = new Bitfield(this.#parts.layout.geometry.pieceCount);
    this.#intake = new PieceIntake({
      parts: this.#parts,
      have: this.have,
      memory,
      clock,
      log,
      budget,
      mayWrite: () => this.#state === "open" || this.#state === "closing",
      onVerified: (piece) => this.#tell(() => this.#events.onVerified(piece)),
      onCorrupt: (piece, bytes) => this.#tell(() => this.#events.onCorrupt(piece, bytes)),
      onFailed: (error) => this.#fail(error),
    });
    const onLost = (piece: number) => this.#lose(piece);
    this.#reader = new VerifiedReader({ parts: this.#parts, have: this.have, log, onLost });
  }

  get assemblyBytes(): number {
    return this.#intake.heldBytes;
  }

  get settlingBytes(): number {
    return this.#intake.settlingBytes;
  }

  get spilledBytes(): number {
    return this.#intake.spilledBytes;
  }

  pathOf(file: FileIndex): string {
    return this.#parts.layout.pathOf(file);
  }

  // Commands

  open(resume: ResumeState | null, signal: AbortSignal): Promise<void> {
    return this.#lane.run(() => this.#load({ resume, isFull: false }, signal));
  }

  recheck(signal: AbortSignal): Promise<void> {
    return this.#exclusively(async () => {
      this.#intake.dropAll();
      this.#state = "loading";
      // Should the check be cut short, what was written so far is recorded.
      await this.#parts.committer.commit();
      // A handle may be of a file that was removed or replaced since: what counts is what lies there now.
      await this.#parts.files.closeAll();
      await this.#load({ resume: null, isFull: true }, signal);
    });
  }

  setPresence(presence: FilePresence): Promise<void> {
    return this.#exclusively(async () => {
      this.#presence = presence;
      if (this.#state === "open") await this.#bringIn(presence);
    });
  }

  async makeFile(file: FileIndex): Promise<void> {
    this.#requirePlace(file);
    const isThere = async () => (await this.#parts.disk.stampOf(this.pathOf(file))) !== null;
    if (this.#state !== "open" || (await isThere())) return;
    await this.#exclusively(async () => {
      if (this.#state !== "open" || (await isThere())) return;
      // Before it is there again nobody may believe its bytes; the table may still hold the one that was removed.
      this.#loseFrom(file, 0);
      await this.#parts.files.close(file);
      await this.#parts.files.create(file).catch((error: unknown) => this.#fail(error));
    });
  }

  async commit(): Promise<void> {
    await this.#parts.committer.commit();
  }

  retry(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#state !== "faulted") return;
      if (this.#fault === "disk_full") await this.#requireSpace();
      const before = this.have.clone();
      await this.#parts.files.closeAll();
      const resume = this.#unloaded === undefined ? this.#parts.committer.snapshot() : this.#unloaded;
      await this.#load({ resume, isFull: false }, this.#ending.signal);
      this.#tellChanges(before);
    });
  }

  close(): Promise<void> {
    this.#ending.abort();
    return this.#lane.run(async () => {
      if (this.#state === "ended") return;
      if (this.#state === "open") {
        this.#state = "closing";
        await this.#intake.drain();
      }
      await this.#recordEnd();
      await this.#end();
    });
  }

  removeData(): Promise<void> {
    this.#ending.abort();
    this.#state = "ended";
    this.#parts.files.seal();
    return this.#lane.run(async () => {
      await this.#end();
      await removeDataOf({ ...this.#parts, log: this.#options.log });
    });
  }

  // Blocks and bytes

  blockTarget(piece: number, beginBytes: number, lengthBytes: number, isUrgent = false): PieceSlot | null {
    if (this.#state !== "open") return null;
    return this.#intake.target(piece, beginBytes, lengthBytes, isUrgent);
  }

  blockArrived(piece: number, beginBytes: number, _lengthBytes: number): void {
    this.#intake.arrived(piece, beginBytes);
  }

  dropPiece(piece: number): void {
    this.#intake.drop(piece);
  }

  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    if (this.#state === "ended") return Promise.reject(notReady());
    return this.#reader.read({ start: offsetBytes, end: offsetBytes + lengthBytes });
  }

  // Gains, losses, faults

  #gain(piece: number): void {
    if (this.have.add(piece)) this.#tell(() => this.#events.onVerified(piece));
  }

  #lose(piece: number): void {
    if (!this.have.delete(piece)) return;
    this.#parts.committer.noteLost(piece);
    this.#tell(() => this.#events.onCorrupt(piece, null));
  }

  #fileShaped(key: FileKey, stamp: FileStamp | null): void {
    if (this.#parts.layout.info.files[key] === undefined) return;
    if (this.#parts.committer.isReplaced(key, stamp)) this.#tell(() => this.#events.onReplaced());
    this.#parts.committer.noteShaped(key, stamp);
  }

  #loseFrom(key: FileKey, sizeBytes: number): void {
    const { geometry, info } = this.#parts.layout;
    const file = info.files[key];
    if (file === undefined) return;
    const { first, end } = geometry.piecesOf({
      start: file.offsetBytes + Math.min(sizeBytes, file.lengthBytes),
      end: file.offsetBytes + file.lengthBytes,
    });
    for (let piece = first; piece < end; piece++) if (!this.#moving.has(piece)) this.#lose(piece);
  }

  /** Before a check a failure is no fault yet: the check will tell. */
  #syncFailed(error: unknown, pieces: readonly number[]): void {
    if (this.#state !== "loading") this.#fail(error);
    for (const piece of pieces) {
      if (this.have.delete(piece)) this.#tell(() => this.#events.onCorrupt(piece, null));
    }
  }

  #fail(error: unknown): void {
    if (this.#state === "faulted" || this.#state === "ended") return;
    const fault = faultOf(error);
    this.#state = "faulted";
    this.#fault = fault;
    this.#options.log.error("the torrent's storage cannot go on", { fault, error: describeError(error) });
    this.#intake.dropWaiting();
    this.#tell(() => this.#events.onFault(fault, faultDetail(error)));
  }

  /** A fault may have kept the file's bytes where they were: what lies in its place is not to be read. */
  #requirePlace(file: FileIndex): void {
    const { layout } = this.#parts;
    const target = layout.info.files[file];
    if (target === undefined || layout.isPresent(target)) return;
    const code = this.#fault === "disk_full" ? "disk_full" : "internal";
    throw new TorrxError(code, "the file could not be put in its place");
  }

  async #requireSpace(): Promise<void> {
    const { info, place, disk } = this.#options;
    const missing = missingBytes({ info, presence: this.#presence, have: this.have });
    if ((await freeBytesAt(disk, place.saveDirectory)) < Math.min(missing, RETRY_SPACE_BYTES)) {
      throw new TorrxError("disk_full", "there is still no space on the disk");
    }
  }

  // Start and end

  /** After every command before it, and with nothing being written. */
  #exclusively(task: () => Promise<void>): Promise<void> {
    return this.#lane.run(() => this.#intake.whilePaused(task));
  }

  async #bringIn(presence: FilePresence): Promise<void> {
    try {
      await bringInFiles(this.#parts, {
        presence,
        have: this.have,
        signal: this.#ending.signal,
        moving: this.#moving,
        onLost: (piece) => this.#lose(piece),
        onFound: (piece) => this.#gain(piece),
      });
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#fail(error);
    }
  }

  async #load(what: Pick<LoadOptions, "resume" | "isFull">, signal: AbortSignal): Promise<void> {
    if (this.#state === "ended") throw new TorrxError("internal", "the store is closed");
    this.#state = "loading";
    this.#unloaded = what.resume;
    this.#parts.committer.hold();
    for (let piece = 0; piece < this.have.length; piece++) this.have.delete(piece);
    try {
      const found = await loadStore(this.#parts, {
        ...what,
        presence: this.#presence,
        signal: AbortSignal.any([signal, this.#ending.signal]),
        onProgress: (share) => this.#tell(() => this.#events.onCheckProgress(share)),
      });
      this.#opened(found);
    } catch (error) {
      // Whoever gives up on the store here need not close it.
      await this.#parts.files.closeAll();
      this.#loadFailed(error, signal);
    }
    await this.#parts.committer.commit();
  }

  #opened(found: Bitfield): void {
    if (this.#state !== "loading") return;
    for (let piece = 0; piece < found.length; piece++) if (found.has(piece)) this.have.add(piece);
    this.#unloaded = undefined;
    this.#fault = null;
    this.#state = "open";
  }

  #loadFailed(error: unknown, signal: AbortSignal): void {
    if (signal.aborted || this.#ending.signal.aborted) {
      if (this.#state === "loading") this.#state = "new";
      throw error;
    }
    this.#fail(error);
  }

  #tellChanges(before: Bitfield): void {
    for (let piece = 0; piece < this.have.length; piece++) {
      if (before.has(piece) && !this.have.has(piece)) this.#tell(() => this.#events.onCorrupt(piece, null));
      else if (!before.has(piece) && this.have.has(piece)) this.#tell(() => this.#events.onVerified(piece));
    }
  }

  /** Only a store that was in order to the last is recorded as clean. */
  async #recordEnd(): Promise<void> {
    try {
      const isCommitted = await this.#parts.committer.commit();
      if (isCommitted && this.#state === "closing") await this.#parts.committer.recordClean();
    } catch (error) {
      this.#options.log.warn("the torrent was not closed cleanly", { error: describeError(error) });
    }
  }

  async #end(): Promise<void> {
    this.#state = "ended";
    this.#parts.committer.hold();
    await this.#intake.end();
    await this.#parts.files.closeAll();
  }

  /** Nothing is told after the end. */
  #tell(event: () => void): void {
    if (this.#state !== "ended") event();
  }
}
