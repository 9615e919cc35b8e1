// What the native side offers to one JS thread. Everything is named by numbers: a token that is stale, foreign or
// made up is refused, never followed. Bytes go in by writePiece; they come out as copies or as pinned views.

export type FileToken = number;
export type TorrentToken = number;
export type PieceToken = number;
export type WindowToken = number;

/** `errno` is 0 but where a job failed. */
export interface SettleResult {
  readonly status: "written" | "corrupt" | "failed";
  readonly errno: number;
}

/** short: a file ended before the bytes did. */
export interface CheckResult {
  readonly status: "passed" | "different" | "short" | "failed";
  readonly errno: number;
}

/** `bytes` is native memory that stays as it is until `pin` is given back. */
export interface WindowChunk {
  readonly bytes: Uint8Array;
  readonly pin: number;
}

/** Why a window has no byte at a place. waiting: onWake will be called. */
export type WindowState =
  | "waiting"
  | "gone"
  | "disk_full"
  | "disk_error"
  | "data_conflict"
  | "internal"
  | "unreadable";

export type TorrentState = "fine" | "disk_full" | "disk_error" | "data_conflict" | "internal";

export interface TorrentShape {
  /** 40 hex digits. */
  readonly infoHash: string;
  readonly pieceLengthBytes: number;
  readonly totalBytes: number;
}

export interface WindowPlace {
  readonly torrent: TorrentToken;
  /** Where the file begins in the torrent's bytes. */
  readonly fileStartBytes: number;
  readonly fileLengthBytes: number;
  /** Called on the loop, once for each readWindow that said "waiting". */
  readonly onWake: () => void;
}

export interface WindowShape {
  readonly behindBytes: number;
  readonly aheadBytes: number;
  /** How far ahead of the playhead the disk is asked for pieces that are there. */
  readonly readAheadBytes: number;
}

export interface WindowFigures {
  readonly bytes: number;
  readonly aheadBytes: number;
  readonly behindBytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly diskReads: number;
}

/** The whole process, not this thread alone. */
export interface NativeFigures {
  readonly slabBytes: number;
  readonly residentBytes: number;
  readonly arenaBytes: number;
  readonly windowBytes: number;
  readonly pinnedBytes: number;
  readonly diskReads: number;
  readonly diskReadBytes: number;
  readonly pieces: number;
  readonly windows: number;
  readonly torrents: number;
}

/** Wrong types, negative, fractional or too large numbers throw TypeError or RangeError everywhere. */
export interface NativeThread {
  readonly sha1Path: "sha-ni" | "armv8" | "portable";
  /** Bytes for pieces in the making and windows of the whole process; may change at any time. */
  setCapacity(bytes: number): void;

  /** Duplicates the descriptor: closing `fd` never pulls it away from a running job. Throws where that fails. */
  adoptFile(fd: number): FileToken;
  /** Jobs that use it finish first. Idempotent. */
  releaseFile(file: FileToken): void;

  /** One per info hash in the process; throws if there is one. */
  openTorrent(torrent: TorrentShape): TorrentToken;
  /** 0 where nobody has opened it. */
  findTorrent(infoHash: string): TorrentToken;
  /** Its windows become "gone". Idempotent. */
  closeTorrent(torrent: TorrentToken): void;
  /**
   * As closeTorrent and openTorrent, but findTorrent finds one all the time. The new one has nothing and no windows;
   * pieces in the making go on. Throws where the torrent is not this thread's.
   */
  renewTorrent(torrent: TorrentToken): TorrentToken;
  /** The whole bitmap in wire order: pieces that windows may read from their source file. */
  setHave(torrent: TorrentToken, bits: Uint8Array): void;
  addHave(torrent: TorrentToken, piece: number): void;
  removeHave(torrent: TorrentToken, piece: number): void;
  /** Waiting windows are woken. */
  setTorrentState(torrent: TorrentToken, state: TorrentState): void;

  /** 0 where there is no memory left or the torrent is closed. */
  takePiece(torrent: TorrentToken, piece: number, lengthBytes: number): PieceToken;
  /**
   * Copies chunk[from, to) to `atBytes` of the piece. Ignored where the piece is stale or sealed or the bytes were
   * advanced over; throws where they would lie outside of it.
   */
  writePiece(piece: PieceToken, atBytes: number, chunk: Uint8Array, from: number, to: number): void;
  /** Everything before `bytes` is there for good and may be hashed. Never goes back. */
  advancePiece(piece: PieceToken, bytes: number): void;
  copyPiece(piece: PieceToken, atBytes: number, target: Uint8Array): void;
  /**
   * Seals the piece, hashes it and, where it passes, shows it to the windows and writes it.
   * `runs`: four numbers each: FileToken, offset in the file, offset in the piece, length.
   * Rejects where the piece is stale or sealed already.
   */
  settlePiece(piece: PieceToken, sha1: Uint8Array, runs: Float64Array): Promise<SettleResult>;
  /** Idempotent; the memory goes when no job and no window uses it any more. */
  releasePiece(piece: PieceToken): void;

  /** `runs`: three numbers each: FileToken (0 = zeros), offset in the file, length. */
  checkOnDisk(sha1: Uint8Array, runs: Float64Array): Promise<CheckResult>;

  /** 0 where the torrent is closed. */
  openWindow(place: WindowPlace): WindowToken;
  /** Where pieces that are had are read from, by the file's own offsets. */
  setWindowSource(window: WindowToken, file: FileToken): void;
  /** Takes effect at once: what lies farthest from the playhead goes first. */
  shapeWindow(window: WindowToken, shape: WindowShape): void;
  /** Moves the playhead to `atBytes` of the file: up to `maxBytes` from there, or why there is none. */
  readWindow(window: WindowToken, atBytes: number, maxBytes: number): WindowChunk | WindowState;
  /** Also after closeWindow. Idempotent. */
  unpin(window: WindowToken, pin: number): void;
  /** All zero for a closed window. */
  windowFigures(window: WindowToken): WindowFigures;
  /** Pins outlive it. Idempotent. */
  closeWindow(window: WindowToken): void;

  figures(): NativeFigures;
  /**
   * What the page cache (or a file system in memory) has of [fileAt, fileAt + lengthBytes), into `target` from `targetAt` on. The count of bytes,
   * 0 at the end of the file, or a negative errno: -EAGAIN (-11) where the disk would have to be asked.
   */
  readNow(fd: number, target: Uint8Array, targetAt: number, lengthBytes: number, fileAt: number): number;

  /** Releases all that this thread opened; promises that are still open reject. Idempotent. */
  close(): void;
}
