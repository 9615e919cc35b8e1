// A torrent's data from the moment its metadata is known: the store, the transfer that fills and serves it, the
// streams that read it, and how much of each file is had. Opening may check what lies on disk, and can be aborted.

import { join } from "node:path";
import { Bitfield } from "../base/bitfield.ts";
import { TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Geometry, type TorrentInfo } from "../metainfo/index.ts";
import {
  createTorrentStore,
  type MemoryFault,
  type ResumeState,
  type StoreFault,
  type TorrentMemory,
  type TorrentStore,
} from "../store/index.ts";
import type { OpenReader } from "../stream/ports.ts";
import type { FileChoice } from "./port.ts";
import type { TorrentLimits } from "./rate-limits.ts";
import {
  addPieceBytes,
  choiceOf,
  countFileBytes,
  type Progress,
  piecePriorities,
  progressOf,
} from "./selection.ts";
import type { Shared } from "./shared.ts";
import { TorrentStreams } from "./torrent-streams.ts";
import { Transfer } from "./transfer.ts";

/** moved: playheads went on. readers: a stream was opened or closed, or its index was found. */
export type DemandChange = "moved" | "readers";

export interface DataEvents {
  onResume(state: ResumeState): void;
  onFault(fault: StoreFault, detail: string): void;
  onCheckProgress(share: number): void;
  /** Something that stats show has changed. */
  onChanged(): void;
  onDownloaded(bytes: number): void;
  onUploaded(bytes: number): void;
  onLiar(host: string): void;
  onDemand(change: DemandChange): void;
}

export interface DataOptions {
  readonly info: TorrentInfo;
  readonly saveDirectory: string;
  readonly diskName: string | null;
  readonly files: readonly FileChoice[];
  readonly resume: ResumeState | null;
  readonly limits: TorrentLimits;
  readonly shared: Shared;
  readonly log: Log;
  readonly events: DataEvents;
}

export class TorrentData {
  readonly info: TorrentInfo;
  readonly geometry: Geometry;
  readonly store: TorrentStore;
  readonly streams: TorrentStreams;
  readonly #options: DataOptions;
  readonly #memory: TorrentMemory;
  readonly #presence: boolean[];
  #transfer: Transfer | null = null;
  /** Had bytes by file; before the store is open, as the resume state tells. */
  #fileBytes: number[];
  /** The pieces that `#fileBytes` counts. */
  #counted: Bitfield;
  #opened: Promise<void> | null = null;
  #openingSignal: AbortSignal | null = null;
  #isOpen = false;
  #isDoubted = false;
  readonly #nothing: Bitfield;
  #readFault: MemoryFault = null;
  /** The store met a fault: it is tried again when the torrent is. */
  #hasFault = false;
  #progress: Progress | null = null;

  constructor(options: DataOptions) {
    this.#options = options;
    this.info = options.info;
    this.geometry = new Geometry(options.info);
    this.#nothing = new Bitfield(this.geometry.pieceCount);
    const { resume } = options;
    const believed = resume === null ? null : Bitfield.tryFrom(resume.verified, this.geometry.pieceCount);
    this.#counted = believed ?? new Bitfield(this.geometry.pieceCount);
    this.#fileBytes = countFileBytes(this.geometry, this.#counted);
    this.#presence = this.geometry.files.map(
      (file) =>
        choiceOf(options.files, file.index).isSelected || (resume?.stamps[file.index] ?? null) !== null,
    );
    this.#memory = options.shared.deps.memory.open(this.info);
    this.store = this.#createStore();
    this.streams = new TorrentStreams(
      {
        torrent: options.info.infoHash,
        store: this.store,
        have: () => this.#shown(),
        geometry: this.geometry,
        demandsChanged: (change) => options.events.onDemand(change),
      },
      options.shared,
    );
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get transfer(): Transfer | null {
    return this.#transfer;
  }

  get fileBytes(): readonly number[] {
    return this.#fileBytes;
  }

  /** How much of the selected files is had. */
  progress(files: readonly FileChoice[]): Progress {
    this.#progress ??= progressOf(this.geometry, files, this.#fileBytes);
    return this.#progress;
  }

  /** Another choice of files: progress is counted anew. */
  choiceChanged(): void {
    this.#progress = null;
  }

  /** Opens the store once; later calls wait for the same opening, or for a new one where that is being cut short. */
  open(signal: AbortSignal): Promise<void> {
    if (this.#opened !== null && !this.#isOpen && this.#openingSignal?.aborted === true) {
      const again = () => this.open(signal);
      return this.#opened.then(again, again);
    }
    if (this.#opened === null) {
      this.#openingSignal = signal;
      this.#opened = this.#open(signal).catch((error: unknown) => {
        this.#opened = null;
        throw error;
      });
    }
    return this.#opened;
  }

  async #open(signal: AbortSignal): Promise<void> {
    if (this.#isOpen) return;
    this.#hasFault = false;
    await this.store.open(this.#options.resume, signal);
    this.#loaded();
    if (!this.#isOpen) this.#opened = null;
  }

  /** Tries again after a fault; where it is still there, it is told anew or this rejects. */
  async retry(): Promise<void> {
    if (!this.#hasFault) return;
    this.#hasFault = false;
    try {
      await this.store.retry();
    } catch (error) {
      this.#hasFault = true;
      throw error;
    }
    this.#loaded();
  }

  /** The store has a new truth about what is had. */
  #loaded(): void {
    this.#isOpen ||= !this.#hasFault;
    this.#recount();
    this.#renewMemory();
    this.streams.haveChanged();
  }

  /** What viewers have open may be files that others have replaced: what is had now is had of these. */
  #renewMemory(): void {
    this.#memory.renew();
    this.#showHave();
    this.#memory.setFault(this.#readFault);
  }

  /** The pieces that viewers may be given from the files. */
  #shown(): Bitfield {
    return this.#isDoubted ? this.#nothing : this.store.have;
  }

  #showHave(): void {
    this.#memory.setHave(this.#shown().toBytes());
  }

  /** Why viewers get no more than there is; null: they may. */
  setReadFault(fault: MemoryFault): void {
    this.#readFault = fault;
    this.#memory.setFault(fault);
  }

  /** A viewer's connection. Its demand holds at once; it resolves when the file can be read as it grows. */
  async openReader(request: OpenReader, signal: AbortSignal): Promise<void> {
    const file = this.geometry.files[request.file];
    if (file === undefined || file.isPad) throw new TorrxError("not_found", "the torrent has no such file");
    this.streams.open(request, file);
    try {
      await this.open(signal);
      await this.makePresent((index) => index === request.file);
      // One that nothing is had of is made with its first byte: who only looked leaves nothing behind.
      if ((this.#fileBytes[file.index] ?? 0) > 0) await this.store.makeFile(file.index);
    } catch (error) {
      this.streams.close(request.reader);
      throw signal.aborted ? new TorrxError("not_found", "the torrent was removed", { cause: error }) : error;
    }
  }

  /** Starts moving blocks; the store must be open. */
  startTransfer(): Transfer {
    const { shared, limits, log, events } = this.#options;
    this.#transfer ??= new Transfer({
      geometry: this.geometry,
      store: this.store,
      limits,
      log,
      budget: shared.budget,
      clock: shared.deps.clock,
      random: shared.deps.random,
      onDownloaded: (bytes) => events.onDownloaded(bytes),
      onUploaded: (bytes) => events.onUploaded(bytes),
      onLiar: (host) => events.onLiar(host),
    });
    this.#transfer.resume();
    return this.#transfer;
  }

  /** To be called when its peers are gone. */
  pauseTransfer(): void {
    this.#transfer?.pause();
  }

  /** Recomputes what is wanted, whole, and runs the scheduler. */
  applyWishes(files: readonly FileChoice[], fetchesSelected: boolean): void {
    const demands = this.#options.shared.streams.demandsOf(this.info.infoHash);
    const streamedFiles = this.#options.shared.streamedFiles.of(this.info.infoHash);
    const priorities = piecePriorities({ geometry: this.geometry, files, fetchesSelected, streamedFiles });
    this.#transfer?.setWishes(priorities, demands);
  }

  applyDemands(): void {
    this.#transfer?.setDemands(this.#options.shared.streams.demandsOf(this.info.infoHash));
  }

  /** Files that are to exist from here on, besides those that do already. */
  async makePresent(isWanted: (index: number) => boolean): Promise<void> {
    let hasChanged = false;
    this.#presence.forEach((isPresent, index) => {
      if (isPresent || !isWanted(index)) return;
      this.#presence[index] = true;
      hasChanged = true;
    });
    if (hasChanged) await this.store.setPresence([...this.#presence]);
  }

  /** A recheck was asked for and waits for its turn: readers are given nothing more until it is done. */
  doubt(): void {
    this.#isDoubted = true;
    this.#showHave();
  }

  async recheck(signal: AbortSignal): Promise<void> {
    this.#dropTransfer();
    this.#hasFault = false;
    try {
      await this.store.recheck(signal);
    } catch (error) {
      // Cut short: the store knows nothing for sure until it is opened again.
      this.#isOpen = false;
      this.#opened = null;
      this.#isDoubted = false;
      this.#recount();
      this.#showHave();
      throw error;
    }
    this.#isDoubted = false;
    this.#loaded();
  }

  /** For good; also a store that was never opened has memory to give back. */
  async close(options: { deleteFiles: boolean }): Promise<void> {
    this.#dropTransfer();
    this.#isOpen = false;
    this.streams.closeAll();
    this.#memory.close();
    await (options.deleteFiles ? this.store.removeData() : this.store.close());
  }

  /** The store is about to forget its pieces in the making. */
  #dropTransfer(): void {
    this.#transfer?.pause();
    this.#transfer = null;
  }

  #createStore(): TorrentStore {
    const { shared, info, log, events } = this.#options;
    return createTorrentStore({
      info,
      place: { saveDirectory: this.#options.saveDirectory, diskName: this.#options.diskName },
      presence: [...this.#presence],
      disk: shared.deps.disk,
      memory: this.#memory,
      clock: shared.deps.clock,
      log,
      budget: shared.budget,
      hasRecord: this.#options.resume !== null,
      partsPath: join(shared.deps.options.partsDirectory, `${info.infoHash}.parts`),
      events: {
        onVerified: (piece) => this.#verified(piece),
        onCorrupt: (piece, bytes) => this.#corrupt(piece, bytes),
        onResume: (state) => events.onResume(state),
        onFault: (fault, detail) => {
          this.#hasFault = true;
          events.onFault(fault, detail);
        },
        onReplaced: () => this.#renewMemory(),
        onCheckProgress: (share) => events.onCheckProgress(share),
      },
    });
  }

  #verified(piece: number): void {
    if (this.#counted.add(piece)) addPieceBytes(this.geometry, piece, this.#fileBytes, 1);
    if (!this.#isDoubted) this.#memory.addHave(piece);
    this.#transfer?.pieceVerified(piece);
    this.streams.pieceVerified(piece);
    this.#progress = null;
    this.#options.events.onChanged();
  }

  #corrupt(piece: number, bytes: Uint8Array | null): void {
    const details = { torrent: this.info.infoHash, piece };
    if (bytes !== null) this.#options.log.info("a piece failed its hash", details);
    // Thousands may be lost at once, with a file; why is told by the store.
    else this.#options.log.debug("a piece was lost", details);
    this.#transfer?.pieceCorrupt(piece, bytes);
    if (this.#counted.delete(piece)) {
      addPieceBytes(this.geometry, piece, this.#fileBytes, -1);
      // One that only could not be written passed its hash: viewers keep it.
      this.#memory.removeHave(piece);
    }
    this.#progress = null;
    this.#options.events.onChanged();
  }

  #recount(): void {
    this.#counted = this.store.have.clone();
    this.#fileBytes = countFileBytes(this.geometry, this.#counted);
    this.#progress = null;
    this.#options.events.onChanged();
  }
}
