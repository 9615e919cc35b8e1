// One JS thread's hold on the addon. Results of its jobs come back in batches on its loop; what it opened is released
// by close(), or by the addon itself when the thread ends first.

import type * as api from "./api.ts";
import { bytesOf, digestOf, hexHashOf, runsOf, wholeNumber } from "./arguments.ts";
import { BUSY, loadAddon, type RawAddon, RESULT_NUMBERS, RESULT_WAKE } from "./raw.ts";

const CLOSED = "the native thread is closed";

/** By their numbers in the addon. */
const SETTLE_STATUS = ["written", "corrupt", "failed"] as const;
const CHECK_STATUS = ["passed", "different", "short", "failed"] as const;
const TORRENT_STATES = ["fine", "gone", "disk_full", "disk_error", "data_conflict", "internal"] as const;
const WINDOW_STATES = [
  "waiting",
  "gone",
  "disk_full",
  "disk_error",
  "data_conflict",
  "internal",
  "unreadable",
] as const;

interface Pending {
  readonly resolve: (status: number, errno: number) => void;
  readonly reject: (error: Error) => void;
}

interface Submission {
  /** The job's id, 0 where it is refused, BUSY. */
  readonly submit: () => number;
  readonly pending: Pending;
}

/** Throws an Error with the command that builds the addon where it is missing. */
export function openNative(): api.NativeThread {
  return new Thread(loadAddon());
}

class Thread implements api.NativeThread {
  readonly sha1Path: api.NativeThread["sha1Path"];
  readonly #raw: RawAddon;
  readonly #thread: number;
  readonly #jobs = new Map<number, Pending>();
  /** What found the addon busy, in order; each result makes room for one. */
  readonly #waiting: Submission[] = [];
  readonly #wakes = new Map<api.WindowToken, () => void>();
  readonly #regions: (ArrayBuffer | undefined)[] = [];
  /** Filled by the addon and read at once. */
  readonly #out = new Float64Array(10);
  #isClosed = false;

  constructor(raw: RawAddon) {
    this.#raw = raw;
    this.#thread = raw.open((results) => this.#onResults(results));
    this.sha1Path = raw.sha1Path() as api.NativeThread["sha1Path"];
  }

  setCapacity(bytes: number): void {
    this.#raw.setCapacity(wholeNumber("bytes", bytes));
  }

  adoptFile(fd: number): api.FileToken {
    return this.#raw.adoptFile(this.#thread, wholeNumber("fd", fd));
  }

  releaseFile(file: api.FileToken): void {
    this.#raw.releaseFile(this.#thread, file);
  }

  openTorrent(torrent: api.TorrentShape): api.TorrentToken {
    const { infoHash, pieceLengthBytes, totalBytes } = torrent;
    wholeNumber("pieceLengthBytes", pieceLengthBytes);
    wholeNumber("totalBytes", totalBytes);
    return this.#raw.openTorrent(this.#thread, hexHashOf(infoHash), pieceLengthBytes, totalBytes);
  }

  findTorrent(infoHash: string): api.TorrentToken {
    return this.#raw.findTorrent(hexHashOf(infoHash));
  }

  closeTorrent(torrent: api.TorrentToken): void {
    this.#raw.closeTorrent(this.#thread, torrent);
  }

  renewTorrent(torrent: api.TorrentToken): api.TorrentToken {
    return this.#raw.renewTorrent(this.#thread, torrent);
  }

  setHave(torrent: api.TorrentToken, bits: Uint8Array): void {
    this.#raw.setHave(this.#thread, torrent, bytesOf("bits", bits));
  }

  addHave(torrent: api.TorrentToken, piece: number): void {
    this.#raw.addHave(this.#thread, torrent, wholeNumber("piece", piece));
  }

  removeHave(torrent: api.TorrentToken, piece: number): void {
    this.#raw.removeHave(this.#thread, torrent, wholeNumber("piece", piece));
  }

  setTorrentState(torrent: api.TorrentToken, state: api.TorrentState): void {
    const code = TORRENT_STATES.indexOf(state);
    if (code === -1) throw new TypeError(`unknown state ${String(state)}`);
    this.#raw.setTorrentState(this.#thread, torrent, code);
  }

  takePiece(torrent: api.TorrentToken, piece: number, lengthBytes: number): api.PieceToken {
    wholeNumber("piece", piece);
    return this.#raw.takePiece(this.#thread, torrent, piece, wholeNumber("lengthBytes", lengthBytes));
  }

  // biome-ignore lint/complexity/useMaxParams: called for each chunk of each block
  writePiece(piece: api.PieceToken, atBytes: number, chunk: Uint8Array, from: number, to: number): void {
    this.#raw.writePiece(this.#thread, piece, atBytes, bytesOf("chunk", chunk), from, to);
  }

  advancePiece(piece: api.PieceToken, bytes: number): void {
    this.#raw.advancePiece(this.#thread, piece, wholeNumber("bytes", bytes));
  }

  copyPiece(piece: api.PieceToken, atBytes: number, target: Uint8Array): void {
    this.#raw.copyPiece(this.#thread, piece, wholeNumber("atBytes", atBytes), bytesOf("target", target));
  }

  settlePiece(piece: api.PieceToken, sha1: Uint8Array, runs: Float64Array): Promise<api.SettleResult> {
    const digest = digestOf(sha1).slice();
    const copy = runsOf(runs, 4).slice();
    const submit = () => this.#raw.settlePiece(this.#thread, piece, digest, copy);
    return this.#job(submit, (status, errno) => ({ status: SETTLE_STATUS[status] ?? "failed", errno }));
  }

  releasePiece(piece: api.PieceToken): void {
    this.#raw.releasePiece(this.#thread, piece);
  }

  checkOnDisk(sha1: Uint8Array, runs: Float64Array): Promise<api.CheckResult> {
    const digest = digestOf(sha1).slice();
    const copy = runsOf(runs, 3).slice();
    const submit = () => this.#raw.checkOnDisk(this.#thread, digest, copy);
    return this.#job(submit, (status, errno) => ({ status: CHECK_STATUS[status] ?? "failed", errno }));
  }

  openWindow(place: api.WindowPlace): api.WindowToken {
    const { torrent, fileStartBytes, fileLengthBytes, onWake } = place;
    wholeNumber("fileStartBytes", fileStartBytes);
    wholeNumber("fileLengthBytes", fileLengthBytes);
    if (typeof onWake !== "function") throw new TypeError("onWake must be a function");
    const window = this.#raw.openWindow(this.#thread, torrent, fileStartBytes, fileLengthBytes);
    if (window !== 0) this.#wakes.set(window, onWake);
    return window;
  }

  setWindowSource(window: api.WindowToken, file: api.FileToken): void {
    this.#raw.setWindowSource(this.#thread, window, file);
  }

  shapeWindow(window: api.WindowToken, shape: api.WindowShape): void {
    const behind = wholeNumber("behindBytes", shape.behindBytes);
    const ahead = wholeNumber("aheadBytes", shape.aheadBytes);
    const readAhead = wholeNumber("readAheadBytes", shape.readAheadBytes);
    this.#raw.shapeWindow(this.#thread, window, behind, ahead, readAhead);
  }

  readWindow(window: api.WindowToken, atBytes: number, maxBytes: number): api.WindowChunk | api.WindowState {
    wholeNumber("atBytes", atBytes);
    wholeNumber("maxBytes", maxBytes);
    const out = this.#out;
    const code = this.#raw.readWindow(this.#thread, window, atBytes, maxBytes, out);
    if (code !== 0) return WINDOW_STATES[code - 1] ?? "internal";
    const [region = 0, offset = 0, length = 0, pin = 0] = out;
    return { bytes: new Uint8Array(this.#region(region), offset, length), pin };
  }

  unpin(_window: api.WindowToken, pin: number): void {
    this.#raw.unpin(this.#thread, pin);
  }

  windowFigures(window: api.WindowToken): api.WindowFigures {
    this.#raw.windowFigures(this.#thread, window, this.#out);
    const [bytes = 0, aheadBytes = 0, behindBytes = 0, hits = 0, misses = 0, diskReads = 0] = this.#out;
    return { bytes, aheadBytes, behindBytes, hits, misses, diskReads };
  }

  closeWindow(window: api.WindowToken): void {
    this.#wakes.delete(window);
    this.#raw.closeWindow(this.#thread, window);
  }

  figures(): api.NativeFigures {
    const out = this.#out;
    this.#raw.figures(out);
    const [slabBytes = 0, residentBytes = 0, arenaBytes = 0, windowBytes = 0, pinnedBytes = 0] = out;
    const [diskReads = 0, diskReadBytes = 0, pieces = 0, windows = 0, torrents = 0] = out.subarray(5);
    return {
      ...{ slabBytes, residentBytes, arenaBytes, windowBytes, pinnedBytes },
      ...{ diskReads, diskReadBytes, pieces, windows, torrents },
    };
  }

  // biome-ignore lint/complexity/useMaxParams: the shape of preadv2
  readNow(fd: number, target: Uint8Array, targetAt: number, lengthBytes: number, fileAt: number): number {
    return this.#raw.readNow(fd, bytesOf("target", target), targetAt, lengthBytes, fileAt);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#raw.close(this.#thread);
    const open = [...this.#jobs.values(), ...this.#waiting.map((submission) => submission.pending)];
    this.#jobs.clear();
    this.#waiting.length = 0;
    this.#wakes.clear();
    for (const { reject } of open) reject(new Error(CLOSED));
  }

  #job<Result>(submit: () => number, resultOf: (status: number, errno: number) => Result): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new Error(CLOSED));
    return new Promise((resolve, reject) => {
      const pending = {
        resolve: (status: number, errno: number) => resolve(resultOf(status, errno)),
        reject,
      };
      this.#waiting.push({ submit, pending });
      if (this.#waiting.length === 1) this.#submitWaiting();
    });
  }

  #submitWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const id = idOrError(next.submit);
      if (id === BUSY) return;
      this.#waiting.shift();
      if (id instanceof Error) next.pending.reject(id);
      else if (id === 0) next.pending.reject(new Error("the piece is not there to be settled"));
      else this.#jobs.set(id, next.pending);
    }
  }

  #region(index: number): ArrayBuffer {
    const known = this.#regions[index];
    if (known !== undefined) return known;
    const region = this.#raw.region(index);
    this.#regions[index] = region;
    return region;
  }

  #onResults(results: Float64Array): void {
    for (let at = 0; at < results.length && !this.#isClosed; at += RESULT_NUMBERS) {
      this.#onResult(results.subarray(at, at + RESULT_NUMBERS));
    }
    if (!this.#isClosed) this.#submitWaiting();
  }

  #onResult([kind = 0, id = 0, status = 0, errno = 0]: Float64Array): void {
    if (kind === RESULT_WAKE) {
      // 0: there were too many to tell one by one.
      for (const window of id === 0 ? [...this.#wakes.keys()] : [id]) this.#wake(window);
    } else {
      this.#jobs.get(id)?.resolve(status, errno);
      this.#jobs.delete(id);
    }
  }

  /** Each by itself: what one of them throws must not keep the others from their results. */
  #wake(window: api.WindowToken): void {
    queueMicrotask(() => this.#wakes.get(window)?.());
  }
}

/** What one of them throws must not keep those behind it waiting. */
function idOrError(submit: Submission["submit"]): number | Error {
  try {
    return submit();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
