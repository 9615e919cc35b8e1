// One JS thread's hold on the addon. Results of its jobs come back in batches on its loop; what it opened is released
// by close(), or by the addon itself when the thread ends first.

import type * as api from "./api.ts";
import { bytesOf, digestOf, hexHashOf, runsOf, wholeNumber } from "./arguments.ts";
import {
  loadAddon,
  type RawAddon,
  RESULT_CHECKED,
  RESULT_NUMBERS,
  RESULT_SETTLED,
  RESULT_WAKE,
} from "./raw.ts";

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

type Settle<Result> = { resolve: (result: Result) => void; reject: (error: Error) => void };

/** Throws an Error with the command that builds the addon where it is missing. */
export function openNative(): api.NativeThread {
  return new Thread(loadAddon());
}

class Thread implements api.NativeThread {
  readonly sha1Path: api.NativeThread["sha1Path"];
  readonly #raw: RawAddon;
  readonly #channel: number;
  readonly #settling = new Map<number, Settle<api.SettleResult>>();
  readonly #checking = new Map<number, Settle<api.CheckResult>>();
  /** Checks that found the addon busy; each result makes room for one. */
  readonly #waiting: { sha1: Uint8Array; runs: Float64Array; settle: Settle<api.CheckResult> }[] = [];
  readonly #wakes = new Map<api.WindowToken, () => void>();
  readonly #regions: (ArrayBuffer | undefined)[] = [];
  /** Filled by the addon and read at once. */
  readonly #out = new Float64Array(10);
  #isClosed = false;

  constructor(raw: RawAddon) {
    this.#raw = raw;
    this.#channel = raw.open((results) => this.#onResults(results));
    this.sha1Path = raw.sha1Path() as api.NativeThread["sha1Path"];
  }

  setCapacity(bytes: number): void {
    this.#raw.setCapacity(wholeNumber("bytes", bytes));
  }

  adoptFile(fd: number): api.FileToken {
    return this.#raw.adoptFile(this.#channel, wholeNumber("fd", fd));
  }

  releaseFile(file: api.FileToken): void {
    this.#raw.releaseFile(this.#channel, file);
  }

  openTorrent(torrent: api.TorrentShape): api.TorrentToken {
    const { infoHash, pieceLengthBytes, totalBytes } = torrent;
    wholeNumber("pieceLengthBytes", pieceLengthBytes);
    wholeNumber("totalBytes", totalBytes);
    return this.#raw.openTorrent(this.#channel, hexHashOf(infoHash), pieceLengthBytes, totalBytes);
  }

  findTorrent(infoHash: string): api.TorrentToken {
    return this.#raw.findTorrent(hexHashOf(infoHash));
  }

  closeTorrent(torrent: api.TorrentToken): void {
    this.#raw.closeTorrent(this.#channel, torrent);
  }

  setHave(torrent: api.TorrentToken, bits: Uint8Array): void {
    this.#raw.setHave(torrent, bytesOf("bits", bits));
  }

  addHave(torrent: api.TorrentToken, piece: number): void {
    this.#raw.addHave(torrent, wholeNumber("piece", piece));
  }

  removeHave(torrent: api.TorrentToken, piece: number): void {
    this.#raw.removeHave(torrent, wholeNumber("piece", piece));
  }

  setTorrentState(torrent: api.TorrentToken, state: api.TorrentState): void {
    const code = TORRENT_STATES.indexOf(state);
    if (code === -1) throw new TypeError(`unknown state ${String(state)}`);
    this.#raw.setTorrentState(torrent, code);
  }

  takePiece(torrent: api.TorrentToken, piece: number, lengthBytes: number): api.PieceToken {
    wholeNumber("piece", piece);
    return this.#raw.takePiece(this.#channel, torrent, piece, wholeNumber("lengthBytes", lengthBytes));
  }

  // biome-ignore lint/complexity/useMaxParams: called for each chunk of each block
  writePiece(piece: api.PieceToken, atBytes: number, chunk: Uint8Array, from: number, to: number): void {
    this.#raw.writePiece(this.#channel, piece, atBytes, bytesOf("chunk", chunk), from, to);
  }

  advancePiece(piece: api.PieceToken, bytes: number): void {
    this.#raw.advancePiece(this.#channel, piece, wholeNumber("bytes", bytes));
  }

  copyPiece(piece: api.PieceToken, atBytes: number, target: Uint8Array): void {
    this.#raw.copyPiece(this.#channel, piece, wholeNumber("atBytes", atBytes), bytesOf("target", target));
  }

  settlePiece(piece: api.PieceToken, sha1: Uint8Array, runs: Float64Array): Promise<api.SettleResult> {
    const id = this.#raw.settlePiece(this.#channel, piece, digestOf(sha1), runsOf(runs, 4));
    if (id === 0) return Promise.reject(new Error("the piece is not there to be settled"));
    return new Promise((resolve, reject) => this.#settling.set(id, { resolve, reject }));
  }

  releasePiece(piece: api.PieceToken): void {
    this.#raw.releasePiece(this.#channel, piece);
  }

  checkOnDisk(sha1: Uint8Array, runs: Float64Array): Promise<api.CheckResult> {
    const check = { sha1: digestOf(sha1).slice(), runs: runsOf(runs, 3).slice() };
    if (this.#isClosed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...check, settle: { resolve, reject } });
      this.#submitChecks();
    });
  }

  openWindow(place: api.WindowPlace): api.WindowToken {
    const { torrent, fileStartBytes, fileLengthBytes, onWake } = place;
    wholeNumber("fileStartBytes", fileStartBytes);
    wholeNumber("fileLengthBytes", fileLengthBytes);
    if (typeof onWake !== "function") throw new TypeError("onWake must be a function");
    const window = this.#raw.openWindow(this.#channel, torrent, fileStartBytes, fileLengthBytes);
    if (window !== 0) this.#wakes.set(window, onWake);
    return window;
  }

  setWindowSource(window: api.WindowToken, file: api.FileToken): void {
    this.#raw.setWindowSource(this.#channel, window, file);
  }

  shapeWindow(window: api.WindowToken, shape: api.WindowShape): void {
    const behind = wholeNumber("behindBytes", shape.behindBytes);
    const ahead = wholeNumber("aheadBytes", shape.aheadBytes);
    const readAhead = wholeNumber("readAheadBytes", shape.readAheadBytes);
    this.#raw.shapeWindow(this.#channel, window, behind, ahead, readAhead);
  }

  readWindow(window: api.WindowToken, atBytes: number, maxBytes: number): api.WindowChunk | api.WindowState {
    wholeNumber("atBytes", atBytes);
    wholeNumber("maxBytes", maxBytes);
    const out = this.#out;
    const code = this.#raw.readWindow(this.#channel, window, atBytes, maxBytes, out);
    if (code !== 0) return WINDOW_STATES[code - 1] ?? "internal";
    const [region = 0, offset = 0, length = 0, pin = 0] = out;
    return { bytes: new Uint8Array(this.#region(region), offset, length), pin };
  }

  unpin(window: api.WindowToken, pin: number): void {
    this.#raw.unpin(this.#channel, window, pin);
  }

  windowFigures(window: api.WindowToken): api.WindowFigures {
    this.#raw.windowFigures(this.#channel, window, this.#out);
    const [bytes = 0, aheadBytes = 0, behindBytes = 0, hits = 0, misses = 0, diskReads = 0] = this.#out;
    return { bytes, aheadBytes, behindBytes, hits, misses, diskReads };
  }

  closeWindow(window: api.WindowToken): void {
    this.#wakes.delete(window);
    this.#raw.closeWindow(this.#channel, window);
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
    this.#raw.close(this.#channel);
    const open = [
      ...this.#settling.values(),
      ...this.#checking.values(),
      ...this.#waiting.map((w) => w.settle),
    ];
    this.#settling.clear();
    this.#checking.clear();
    this.#waiting.length = 0;
    this.#wakes.clear();
    for (const { reject } of open) reject(closedError());
  }

  #region(index: number): ArrayBuffer {
    const known = this.#regions[index];
    if (known !== undefined) return known;
    const region = this.#raw.region(index);
    this.#regions[index] = region;
    return region;
  }

  #submitChecks(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const id = this.#raw.checkOnDisk(this.#channel, next.sha1, next.runs);
      if (id === 0) return;
      this.#checking.set(id, next.settle);
      this.#waiting.shift();
    }
  }

  #onResults(results: Float64Array): void {
    for (let at = 0; at < results.length && !this.#isClosed; at += RESULT_NUMBERS) {
      this.#onResult(results.subarray(at, at + RESULT_NUMBERS));
    }
    if (!this.#isClosed) this.#submitChecks();
  }

  #onResult([kind = 0, id = 0, status = 0, errno = 0]: Float64Array): void {
    if (kind === RESULT_WAKE) {
      this.#wakes.get(id)?.();
    } else if (kind === RESULT_SETTLED) {
      this.#settling.get(id)?.resolve({ status: SETTLE_STATUS[status] ?? "failed", errno });
      this.#settling.delete(id);
    } else if (kind === RESULT_CHECKED) {
      this.#checking.get(id)?.resolve({ status: CHECK_STATUS[status] ?? "failed", errno });
      this.#checking.delete(id);
    }
  }
}

function closedError(): Error {
  return new Error("the native thread is closed");
}
