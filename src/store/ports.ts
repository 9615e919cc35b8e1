// What the store needs from outside (a disk, memory for pieces) and what it tells the engine.

import type { Bitfield } from "../base/bitfield.ts";
import type { FileIndex, InfoHash } from "../base/brand.ts";

/** State of a file on disk at the time of a commit; where it differs later, the file's pieces are unsure. */
export interface FileStamp {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly inode: number;
}

export interface DiskFile {
  /** Reads up to target.length bytes at `offset`; fewer only at the end of the file. Returns the count. */
  read(target: Uint8Array, offset: number): Promise<number>;
  /** Writes all bytes (loops over short writes). Rejects with the system's code (ENOSPC, EIO …). */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
  /** Names the open file to threads of our own (native FileToken); null where the disk is simulated. */
  readonly native: number | null;
}

/** The file system as the store sees it: real (node-disk.ts) or simulated. Paths are absolute. */
export interface Disk {
  /** Opens for reading and writing; never follows a symlink in the last component; creates where asked. */
  open(path: string, options: { create: boolean }): Promise<DiskFile>;
  /** null where nothing is there; throws where it is no regular file. */
  stampOf(path: string): Promise<FileStamp | null>;
  isDirectory(path: string): Promise<boolean>;
  makeDirectory(path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Removes the folder if it is empty; false where it is not (or is gone). */
  removeEmptyDirectory(path: string): Promise<boolean>;
  /** Makes directory entries durable. */
  syncDirectory(path: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
  /** The path with every symlink resolved. */
  realPath(path: string): Promise<string>;
}

/** Bytes of a piece and where they lie. */
export interface FileRun {
  readonly file: DiskFile;
  readonly offsetBytes: number;
  /** Where they lie in the piece. */
  readonly atBytes: number;
  readonly lengthBytes: number;
}

/** failed: it passed its hash and could not be written; `error` carries the system's code. */
export type SettleOutcome =
  | { readonly kind: "written" }
  | { readonly kind: "corrupt" }
  | { readonly kind: "failed"; readonly error: Error };

/** A piece in the making: memory outside of JavaScript. */
export interface PieceSlot {
  readonly lengthBytes: number;
  /** Copies chunk[from, to) to `atBytes` of the piece. Ignored once it is being settled or was released. */
  write(atBytes: number, chunk: Uint8Array, from: number, to: number): void;
  /** All before `bytes` has arrived for good: it may be hashed while the rest comes. */
  advance(bytes: number): void;
  copy(atBytes: number, lengthBytes: number): Uint8Array;
  /** Hashes it; where it passes, shows it to the viewers' windows and writes `writes`. Once, and never rejects. */
  settle(sha1: Uint8Array, writes: readonly FileRun[]): Promise<SettleOutcome>;
  /** Gives the memory back as soon as no thread and no viewer uses it. Idempotent. */
  release(): void;
}

/** Why viewers get no more bytes than there are; null: they may. */
export type MemoryFault = StoreFault | "internal" | null;

/** One torrent's pieces in memory, and what the viewers' side knows of it without asking the engine. */
export interface TorrentMemory {
  /** null where there is no memory left. */
  take(piece: number, lengthBytes: number): PieceSlot | null;
  /**
   * Whether the bytes at `reads` (in the order of the piece; null = zeros) have this hash; false also where a file is
   * too short. Rejects with the system's code.
   */
  check(sha1: Uint8Array, reads: readonly PieceRead[]): Promise<boolean>;
  /** The pieces that viewers may be given from the files; bits in wire order. */
  setHave(bits: Uint8Array): void;
  addHave(piece: number): void;
  removeHave(piece: number): void;
  setFault(fault: MemoryFault): void;
  /**
   * The files may be others than those that viewers have open: they let go of what they hold and look for the files
   * anew. Nothing is had from here on, and there is no fault; pieces in the making go on.
   */
  renew(): void;
  /** Viewers are told that the torrent is gone. */
  close(): void;
}

export interface PieceRead {
  readonly file: DiskFile | null;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Memory for pieces in the making and verified ones: native (native-memory.ts) or simulated. */
export interface PieceMemory {
  open(torrent: {
    readonly infoHash: InfoHash;
    readonly pieceLengthBytes: number;
    readonly totalBytes: number;
  }): TorrentMemory;
}

/** What survives a restart: a bit in `verified` says that its bytes were synced before this was handed out (I7). */
export interface ResumeState {
  readonly verified: Uint8Array;
  /** Pieces written but not yet synced: after a crash they are hashed again instead of fetched again. */
  readonly unsure: readonly number[];
  /** By file index; null where the file does not exist. */
  readonly stamps: readonly (FileStamp | null)[];
  /** True when written by an orderly close: stamps must then match exactly and nothing is hashed. */
  readonly isClean: boolean;
}

/** Why a torrent's storage cannot go on. */
export type StoreFault = "disk_full" | "disk_error" | "data_conflict";

/** The engine's side. Called on the loop, never re-entrantly from a store call. */
export interface StoreEvents {
  /** The piece passed its hash and its bytes can be read from the files. */
  onVerified(piece: number): void;
  /**
   * The piece's blocks are needed again. `bytes` are what failed the hash, valid only during the call; null where no
   * peer is to blame: its bytes could not be written, synced or read back, or its memory was needed.
   */
  onCorrupt(piece: number, bytes: Uint8Array | null): void;
  /**
   * Record this now (SQLite). Handed out after the sync that makes `verified` true, and on every change of `unsure`.
   * Arrays that did not change since the last call are the same objects.
   */
  onResume(state: ResumeState): void;
  onFault(fault: StoreFault, detail: string): void;
  /** Another file has taken a file's place and is about to be written; nothing was written to it yet. */
  onReplaced(): void;
  /** Share of the check that is done, 0 … 1. */
  onCheckProgress(share: number): void;
}

/** Which files exist on disk: those selected and those that were streamed. */
export type FilePresence = readonly boolean[];

/** One torrent's data: blocks in, verified pieces out. src/store/torrent-store.ts. */
export interface TorrentStore {
  readonly have: Bitfield;
  /** Bytes of memory that pieces hold until they are settled, in whole slabs. */
  readonly assemblyBytes: number;
  /** The part of `assemblyBytes` whose blocks are all there: waiting to be hashed and written, or under way. */
  readonly settlingBytes: number;
  /** What pieces take again when they go on whose blocks were put on disk because memory was short. */
  readonly spilledBytes: number;
  /**
   * Makes folders and files, believes `resume` as far as its stamps hold, checks whatever else is on disk.
   * Resolves when `have` is true; nothing that exists is overwritten before it was checked. A fault is told by
   * onFault and ends it early without rejecting; it rejects only when `signal` aborts, and the store then takes no
   * block until it is opened again.
   */
  open(resume: ResumeState | null, signal: AbortSignal): Promise<void>;
  /** Hashes everything on disk anew; `have` is empty meanwhile. Aborts and faults as open does. */
  recheck(signal: AbortSignal): Promise<void>;
  /**
   * Which files are to exist from here on; data of boundary pieces kept aside moves into files that now do. A file
   * that was written once stays and is kept up, wanted or not.
   */
  setPresence(presence: FilePresence): Promise<void>;
  /**
   * Makes a present file that is not there, with its length and no content; what was had of it is lost. A fault is told
   * by onFault; does nothing with one. Rejects disk_full or internal where a fault kept it from becoming present.
   */
  makeFile(file: FileIndex): Promise<void>;
  /**
   * The piece's memory for a block on its way in, or null where the piece is had, being verified, or memory is short.
   * `isUrgent`: a stream waits for it, so it may use the memory kept for streams.
   */
  blockTarget(piece: number, beginBytes: number, lengthBytes: number, isUrgent?: boolean): PieceSlot | null;
  /** The block lies in its target. After the last one the piece is hashed, written and announced. */
  blockArrived(piece: number, beginBytes: number, lengthBytes: number): void;
  /** Gives up the piece's blocks and their memory; nothing is told. A piece whose last block has arrived goes on. */
  dropPiece(piece: number): void;
  /** Bytes for upload or index reading; rejects not_ready where they are not verified (or no longer readable). */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array>;
  /** Syncs and hands out the resume state. */
  commit(): Promise<void>;
  /** Tries again after a fault; rejects disk_full while there is still no space. Does nothing without a fault. */
  retry(): Promise<void>;
  /** Writes what is complete, commits, marks clean, closes every file. For good: a closed store is not opened again. */
  close(): Promise<void>;
  /** Removes the torrent's own files and the folders that this leaves empty; never anything else. */
  removeData(): Promise<void>;
  pathOf(file: FileIndex): string;
}
