// One torrent's storage. Commands (open, recheck, setPresence, retry, close, removeData) run one after the other;
// pieces on their way to disk run beside them, except while a command needs the disk for itself. close and removeData
// cut a running check short. After removeData no file is ever made again.

import { Bitfield } from "../base/bitfield.ts";
import type { FileIndex } from "../base/brand.ts";
import type { Timer } from "../base/clock.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import { Assembly, type SealedPiece } from "./assembly.ts";
import { bringInFiles } from "./bring-in.ts";
import { isHashOf } from "./checker.ts";
import { faultDetail, faultOf, isShortOfResources } from "./faults.ts";
import { freeBytesAt, missingBytes } from "./free-space.ts";
import { Lane } from "./lane.ts";
import type { FileKey } from "./layout.ts";
import { type LoadOptions, loadStore, type StoreParts } from "./loader.ts";
import { PiecePipeline } from "./piece-pipeline.ts";
import type { FilePresence, FileStamp, ResumeState, StoreEvents, StoreFault, TorrentStore } from "./ports.ts";
import { removeDataOf } from "./remove-data.ts";
import { makeParts, type TorrentStoreOptions } from "./store-options.ts";

/** Pieces that are hashed or written at a time. */
const IN_FLIGHT = 4;
const IDLE_CHECK_MS = 60_000;
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
  readonly #assembly: Assembly;
  readonly #pipeline: PiecePipeline;
  readonly #lane = new Lane();
  readonly #ending = new AbortController();
  readonly #moving = new Set<number>();
  #presence: FilePresence;
  #state: State = "new";
  #fault: StoreFault | null = null;
  /** What the next retry starts from; undefined once loaded: then from what was committed. */
  #unloaded: ResumeState | null | undefined = null;
  #idleTimer: Timer | null = null;

  constructor(options: TorrentStoreOptions) {
    this.#options = options;
    this.#events = options.events;
    this.#presence = options.presence;
    this.#parts = makeParts(options, {
      onShaped: (key, sizeBytes, stamp) => this.#fileShaped(key, sizeBytes, stamp),
      onResume: (state) => this.#tell(() => this.#events.onResume(state)),
      onSyncFailed: (error, pieces) => this.#syncFailed(error, pieces),
    });
    const { geometry } = this.#parts.layout;
    this.have = new Bitfield(geometry.pieceCount);
    const onDropped = (piece: number) => this.#tell(() => this.#events.onCorrupt(piece, null));
    this.#assembly = new Assembly({ geometry, budget: options.budget, clock: options.clock, onDropped });
    this.#pipeline = new PiecePipeline(IN_FLIGHT, (sealed) => this.#settle(sealed));
  }

  get assemblyBytes(): number {
    return this.#assembly.heldBytes;
  }

  pathOf(file: FileIndex): string {
    return this.#parts.layout.pathOf(file);
  }

  // Commands

  open(resume: ResumeState | null, signal: AbortSignal): Promise<void> {
    return this.#lane.run(() => this.#load({ resume, isFull: false }, signal));
  }

  recheck(signal: AbortSignal): Promise<void> {
    return this.#lane.run(async () => {
      await this.#pipeline.pause();
      this.#dropUnwritten();
      for (const piece of this.#assembly.dropAll()) this.#tell(() => this.#events.onCorrupt(piece, null));
      await this.#load({ resume: null, isFull: true }, signal).finally(() => this.#pipeline.resume());
    });
  }

  setPresence(presence: FilePresence): Promise<void> {
    return this.#lane.run(async () => {
      this.#presence = presence;
      if (this.#state !== "open") return;
      await this.#pipeline.pause();
      await this.#guarded(() =>
        bringInFiles(this.#parts, {
          presence,
          have: this.have,
          signal: this.#ending.signal,
          moving: this.#moving,
          onLost: (piece) => this.#lose(piece),
          onFound: (piece) => this.#gain(piece),
        }),
      );
      this.#pipeline.resume();
    });
  }

  async commit(): Promise<void> {
    await this.#parts.committer.commit();
  }

  retry(): Promise<void> {
    return this.#lane.run(async () => {
      if (this.#state !== "faulted") return;
      if (this.#fault === "disk_full") await this.#requireSpace();
      const before = this.have.clone();
      await this.#pipeline.pause();
      await this.#parts.files.closeAll();
      const resume = this.#unloaded === undefined ? this.#parts.committer.snapshot() : this.#unloaded;
      await this.#load({ resume, isFull: false }, this.#ending.signal).finally(() => this.#pipeline.resume());
      this.#tellChanges(before);
    });
  }

  close(): Promise<void> {
    this.#ending.abort();
    return this.#lane.run(async () => {
      if (this.#state === "ended") return;
      if (this.#state === "open") {
        this.#state = "closing";
        await this.#pipeline.drain();
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
      await this.#pipeline.pause();
      await this.#end();
      await removeDataOf({ ...this.#parts, log: this.#options.log });
    });
  }

  // Blocks

  blockTarget(piece: number, beginBytes: number, lengthBytes: number, isUrgent = false): Uint8Array | null {
    if (this.#state !== "open" || !Number.isInteger(piece) || piece < 0 || piece >= this.have.length)
      return null;
    if (this.have.has(piece) || this.#pipeline.has(piece)) return null;
    return this.#assembly.target(piece, beginBytes, lengthBytes, isUrgent);
  }

  blockArrived(piece: number, beginBytes: number, _lengthBytes: number): void {
    const sealed = this.#assembly.arrived(piece, beginBytes);
    if (sealed === null) return;
    if (this.#state === "open" && !this.have.has(piece)) this.#pipeline.add(sealed);
    else this.#discard(sealed);
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const range = { start: offsetBytes, end: offsetBytes + lengthBytes };
    const pieces = this.#readablePieces(range.start, range.end);
    const target = new Uint8Array(lengthBytes);
    const isWhole = await this.#readOrDoubt(range, target);
    this.#closeIdleLater();
    if (!isWhole) for (const piece of pieces) await this.#doubt(piece);
    // Pieces can be lost while they are read.
    if (!isWhole || pieces.some((piece) => !this.have.has(piece))) throw notReady();
    return target;
  }

  #readablePieces(start: number, end: number): number[] {
    const { geometry } = this.#parts.layout;
    const isInside = start >= 0 && end >= start && end <= geometry.totalBytes;
    if (!isInside || this.#state === "ended") throw notReady();
    const { first, end: past } = geometry.piecesOf({ start, end });
    const pieces = Array.from({ length: past - first }, (_, position) => first + position);
    if (pieces.some((piece) => !this.have.has(piece))) throw notReady();
    return pieces;
  }

  async #readOrDoubt(range: { start: number; end: number }, target: Uint8Array): Promise<boolean> {
    try {
      return await this.#parts.io.read(range, target);
    } catch (error) {
      if (isShortOfResources(error))
        throw new TorrxError("busy", "too many files are open", { cause: error });
      this.#options.log.warn("verified bytes could not be read", { error: describeError(error) });
      return false;
    }
  }

  /** The piece could not be read: it is had only if it still passes. */
  async #doubt(piece: number): Promise<void> {
    const bytes = new Uint8Array(this.#parts.layout.geometry.pieceLength(piece));
    if (!(await this.#parts.checker.matches(piece, bytes))) this.#lose(piece);
  }

  // From the last block to the disk

  async #settle(sealed: SealedPiece): Promise<void> {
    const { piece, bytes } = sealed;
    const isGood = await this.#passes(sealed);
    const keys = isGood && this.#mayWrite ? await this.#write(sealed) : null;
    this.#pipeline.settled(piece);
    if (keys !== null && this.#mayWrite) {
      this.have.add(piece);
      this.#parts.committer.noteWritten(piece, keys, bytes.length);
      this.#tell(() => this.#events.onVerified(piece));
    } else this.#tell(() => this.#events.onCorrupt(piece, isGood ? null : bytes));
    this.#assembly.release(sealed);
    this.#closeIdleLater();
  }

  get #mayWrite(): boolean {
    return this.#state === "open" || this.#state === "closing";
  }

  async #passes({ piece, bytes }: SealedPiece): Promise<boolean> {
    try {
      return isHashOf(this.#parts.layout, piece, await this.#options.hasher.sha1(bytes));
    } catch (error) {
      // No peer is to blame, and nothing is written in this state.
      this.#fail(error);
      return true;
    }
  }

  async #write({ piece, bytes }: SealedPiece): Promise<FileKey[] | null> {
    try {
      return await this.#parts.io.writePiece(piece, bytes);
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #discard(sealed: SealedPiece): void {
    this.#assembly.release(sealed);
    this.#tell(() => this.#events.onCorrupt(sealed.piece, null));
  }

  #dropUnwritten(): void {
    for (const sealed of this.#pipeline.takeWaiting()) this.#discard(sealed);
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

  /** What the file held beyond its former size is gone, whatever was believed of it. */
  #fileShaped(key: FileKey, sizeBytes: number, stamp: FileStamp | null): void {
    const { layout, committer } = this.#parts;
    const file = layout.info.files[key];
    if (file === undefined) return;
    const { first, end } = layout.geometry.piecesOf({
      start: file.offsetBytes + Math.min(sizeBytes, file.lengthBytes),
      end: file.offsetBytes + file.lengthBytes,
    });
    for (let piece = first; piece < end; piece++) if (!this.#moving.has(piece)) this.#lose(piece);
    committer.noteShaped(key, stamp);
  }

  #syncFailed(error: unknown, pieces: readonly number[]): void {
    this.#fail(error);
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
    this.#dropUnwritten();
    this.#tell(() => this.#events.onFault(fault, faultDetail(error)));
  }

  async #guarded(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      this.#fail(error);
    }
  }

  async #requireSpace(): Promise<void> {
    const { info, place, disk } = this.#options;
    const missing = missingBytes({ info, presence: this.#presence, have: this.have });
    if ((await freeBytesAt(disk, place.saveDirectory)) < Math.min(missing, RETRY_SPACE_BYTES)) {
      throw new TorrxError("disk_full", "there is still no space on the disk");
    }
  }

  // Start and end

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
    this.#idleTimer?.cancel();
    for (const sealed of this.#pipeline.takeWaiting()) this.#assembly.release(sealed);
    this.#assembly.close();
    await this.#parts.files.closeAll();
  }

  #closeIdleLater(): void {
    if (this.#state === "ended") return;
    this.#idleTimer ??= this.#options.clock.after(IDLE_CHECK_MS, () => {
      this.#idleTimer = null;
      this.#parts.files.closeIdle().then(
        () => {
          if (this.#parts.files.openCount > 0) this.#closeIdleLater();
        },
        (error: unknown) => this.#options.log.warn("a file was not closed", { error: describeError(error) }),
      );
    });
  }

  /** Nothing is told after the end. */
  #tell(event: () => void): void {
    if (this.#state !== "ended") event();
  }
}

function notReady(): TorrxError {
  return new TorrxError("not_ready", "these bytes are not there yet");
}
