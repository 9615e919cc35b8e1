// What survives a crash. Invariant (I7): a piece is in `verified` only if it passed its hash and its bytes were synced
// before; what was written since the last commit is in `unsure`. Order of a commit (ENGINE §4): sync the files, sync
// the folders with new entries, then hand out the state.

import type { Bitfield } from "../base/bitfield.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { FileTable } from "./file-table.ts";
import type { Folders } from "./folders.ts";
import { Lane } from "./lane.ts";
import { type FileKey, type Layout, PARTS } from "./layout.ts";
import { PieceRecord } from "./piece-record.ts";
import type { Disk, FileStamp, ResumeState } from "./ports.ts";

export interface CommitterOptions {
  readonly layout: Layout;
  readonly files: FileTable;
  readonly folders: Folders;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly onResume: (state: ResumeState) => void;
  /** A sync failed: none of `pieces` may be believed, whatever a later sync says. */
  readonly onFailed: (error: unknown, pieces: readonly number[]) => void;
}

const COMMIT_MS = 5_000;
const COMMIT_BYTES = 64 * 1024 * 1024;
const UNSURE_MS = 500;
/** New files are recorded sooner: until then a crash makes the whole file suspect. Slower where there are many. */
const SHAPED_MS = 50;

export class Committer {
  readonly #options: CommitterOptions;
  readonly #lane = new Lane();
  readonly #record: PieceRecord;
  #touched = new Set<FileKey>();
  /** Files whose stamps an orderly close must take again. */
  readonly #changedFiles = new Set<FileKey>();
  /** Files whose entries in their folders are durable. */
  readonly #anchored = new Set<FileKey>();
  #stamps: readonly (FileStamp | null)[] = [];
  #writtenBytes = 0;
  /** What was handed out last is not what is so now. */
  #isStale = false;
  #isRecordedClean = false;
  /** While a check runs nothing is handed out: what it has not reached yet would look as if it were not there. */
  #isHeld = true;
  #handOutTimer: Timer | null = null;
  #handOutAtMs = 0;
  #commitTimer: Timer | null = null;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#record = new PieceRecord(options.layout.geometry.pieceCount);
  }

  /** Starts from what the last commit recorded and still holds; holds everything back until release(). */
  load(state: { verified: Bitfield; stamps: readonly (FileStamp | null)[]; isRecordedClean: boolean }): void {
    this.#record.load(state.verified);
    this.#stamps = state.stamps;
    this.#isRecordedClean = state.isRecordedClean;
    this.#touched.clear();
    this.#changedFiles.clear();
    this.#anchored.clear();
    this.#isStale = false;
    this.hold();
  }

  hold(): void {
    this.#isHeld = true;
    this.stop();
  }

  /** The check is over; `isChanged`: what is recorded is no longer so. */
  release(isChanged: boolean): void {
    this.#isHeld = false;
    this.#isStale ||= isChanged;
  }

  get isDirty(): boolean {
    return (
      this.#record.hasUnsure || this.#touched.size > 0 || this.#isStale || this.#options.folders.hasUnsynced
    );
  }

  /** As after a crash: what was not synced is to be hashed again. */
  snapshot(): ResumeState {
    return this.#state(false);
  }

  /** Whether a piece that was found on disk must be written again before it is noted. */
  mustRewrite(piece: number): boolean {
    return this.#record.mustRewrite(piece);
  }

  /** The piece's bytes are in the files `keys`. */
  noteWritten(piece: number, keys: readonly FileKey[], lengthBytes: number): void {
    this.#record.written(piece);
    this.#changed(UNSURE_MS);
    for (const key of keys) this.#touched.add(key);
    this.#writtenBytes += lengthBytes;
    if (this.#writtenBytes >= COMMIT_BYTES) this.#commitSoon(0);
  }

  /** The piece's bytes are about to move: it stays unsure until noteWritten tells that they have. */
  unsettle(piece: number): void {
    this.#record.moving(piece);
    this.#changed(UNSURE_MS);
  }

  noteTouched(key: FileKey): void {
    this.#touched.add(key);
    this.#changed(UNSURE_MS);
  }

  /** The piece is had no more. Handed out at once, so that it is recorded before its bytes are written again. */
  noteLost(piece: number): void {
    if (this.#record.lost(piece)) this.#changed(0);
  }

  /** Whether the file with this stamp is another one than before, which was there. */
  isReplaced(key: FileKey, stamp: FileStamp | null): boolean {
    const known = this.#stamps[key] ?? null;
    return known !== null && known.inode !== stamp?.inode;
  }

  /** The file is about to be written; it may be new, or another one than before. */
  noteShaped(key: FileKey, stamp: FileStamp | null): void {
    const known = this.#stamps[key];
    if (known?.inode !== stamp?.inode) this.#anchored.delete(key);
    if (key === PARTS || (known?.inode === stamp?.inode && known?.sizeBytes === stamp?.sizeBytes)) return;
    this.#stamps = this.#stamps.with(key, stamp);
    this.#changedFiles.add(key);
    this.#changed(Math.min(UNSURE_MS, SHAPED_MS + this.#stamps.length / 20));
  }

  /** False where a sync failed (onFailed told why). */
  commit(): Promise<boolean> {
    return this.#lane.run(() => this.#commit());
  }

  /** After the last commit, with nothing running: what is on disk is exactly this. */
  async recordClean(): Promise<void> {
    if (this.#isHeld || this.#isRecordedClean || this.#record.hasUnsure) return;
    this.#take(await this.#stampsOf([...this.#changedFiles]));
    this.#options.onResume(this.#state(true));
    this.#isRecordedClean = true;
    this.#isStale = false;
  }

  stop(): void {
    this.#handOutTimer?.cancel();
    this.#commitTimer?.cancel();
    this.#handOutTimer = null;
    this.#commitTimer = null;
  }

  async #commit(): Promise<boolean> {
    this.#commitTimer?.cancel();
    this.#commitTimer = null;
    if (this.#isHeld || !this.isDirty) return true;
    const written = this.#record.snapshot();
    const touched = this.#touched;
    this.#touched = new Set();
    this.#writtenBytes = 0;
    try {
      for (const key of touched) await this.#options.files.sync(key);
      await this.#syncEntries(touched);
      await this.#restamp([...touched].filter((key) => key !== PARTS));
      for (const key of touched) if (key !== PARTS) this.#changedFiles.add(key);
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#record.promote(written);
    this.#handOut();
    return true;
  }

  /** Once for each file: whoever made it may have died before its folders were synced. */
  async #syncEntries(keys: ReadonlySet<FileKey>): Promise<void> {
    const { layout, folders } = this.#options;
    const fresh = [...keys].filter((key) => !this.#anchored.has(key));
    for (const key of fresh) folders.noteEntry(layout.pathOf(key));
    await folders.sync();
    for (const key of fresh) this.#anchored.add(key);
  }

  /** Also what was written while the sync ran goes: the file system has lost track of what it holds. */
  #fail(error: unknown): void {
    const pieces = this.#record.syncFailed();
    this.#handOut();
    this.#options.onFailed(error, pieces);
  }

  async #restamp(keys: readonly FileKey[]): Promise<void> {
    const fresh = await this.#stampsOf(keys);
    for (const [key, now] of fresh) {
      if (now === null || now.inode !== (this.#stamps[key]?.inode ?? now.inode)) {
        throw Object.assign(new Error("a file was removed or replaced while it was written"), {
          code: "ESTALE",
        });
      }
    }
    this.#take(fresh);
  }

  async #stampsOf(keys: readonly FileKey[]): Promise<Map<FileKey, FileStamp | null>> {
    const stamps = new Map<FileKey, FileStamp | null>();
    for (const key of keys)
      stamps.set(key, await this.#options.disk.stampOf(this.#options.layout.pathOf(key)));
    return stamps;
  }

  /** Others may have changed while these were looked up. */
  #take(fresh: ReadonlyMap<FileKey, FileStamp | null>): void {
    if (fresh.size === 0) return;
    this.#stamps = this.#stamps.map((stamp, key) => (fresh.has(key) ? (fresh.get(key) ?? null) : stamp));
  }

  #changed(handOutWithinMs: number): void {
    this.#isStale = true;
    if (this.#isHeld) return;
    this.#commitSoon(COMMIT_MS);
    const atMs = this.#options.clock.nowMs() + handOutWithinMs;
    if (this.#handOutTimer !== null && this.#handOutAtMs <= atMs) return;
    this.#handOutTimer?.cancel();
    this.#handOutAtMs = atMs;
    this.#handOutTimer = this.#options.clock.after(handOutWithinMs, () => this.#handOut());
  }

  #commitSoon(withinMs: number): void {
    if (withinMs === 0) {
      this.#commitTimer?.cancel();
      this.#commitTimer = null;
    }
    if (this.#isHeld) return;
    // A failure is told by onFailed; the lane never rejects.
    this.#commitTimer ??= this.#options.clock.after(withinMs, () => void this.commit());
  }

  #handOut(): void {
    this.#handOutTimer?.cancel();
    this.#handOutTimer = null;
    this.#isStale = false;
    this.#isRecordedClean = false;
    this.#options.onResume(this.#state(false));
  }

  #state(isClean: boolean): ResumeState {
    const { verifiedBytes, unsure } = this.#record;
    return { verified: verifiedBytes, unsure, stamps: this.#stamps, isClean };
  }
}
