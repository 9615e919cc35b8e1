// The functions of torrx.node as they are, and the loading of it. Only thread.ts calls them.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

/** `thread` is what `open` returned; it owns whatever is made through it. */
export interface RawAddon {
  /** Calls `onResults` on this loop with four numbers for each result: kind, id, status, errno. */
  open(onResults: (results: Float64Array) => void): number;
  close(thread: number): void;
  sha1Path(): string;
  setCapacity(bytes: number): void;

  adoptFile(thread: number, fd: number): number;
  releaseFile(thread: number, file: number): void;

  openTorrent(thread: number, infoHash: string, pieceLengthBytes: number, totalBytes: number): number;
  findTorrent(infoHash: string): number;
  closeTorrent(thread: number, torrent: number): void;
  renewTorrent(thread: number, torrent: number): number;
  setHave(thread: number, torrent: number, bits: Uint8Array): void;
  addHave(thread: number, torrent: number, piece: number): void;
  removeHave(thread: number, torrent: number, piece: number): void;
  setTorrentState(thread: number, torrent: number, state: number): void;

  takePiece(thread: number, torrent: number, piece: number, lengthBytes: number): number;
  writePiece(
    thread: number,
    piece: number,
    atBytes: number,
    chunk: Uint8Array,
    from: number,
    to: number,
  ): void;
  advancePiece(thread: number, piece: number, bytes: number): void;
  copyPiece(thread: number, piece: number, atBytes: number, target: Uint8Array): void;
  /** The id of its result; 0 where the piece is stale or sealed, -1 where too many jobs are under way. */
  settlePiece(thread: number, piece: number, sha1: Uint8Array, runs: Float64Array): number;
  releasePiece(thread: number, piece: number): void;

  /** The id of its result; -1 where too many jobs are under way. */
  checkOnDisk(thread: number, sha1: Uint8Array, runs: Float64Array): number;

  openWindow(thread: number, torrent: number, fileStartBytes: number, fileLengthBytes: number): number;
  setWindowSource(thread: number, window: number, file: number): void;
  shapeWindow(thread: number, window: number, behind: number, ahead: number, readAhead: number): void;
  /** 0 and `out` = region, offset in it, length, pin; else 1 + the index in WINDOW_STATES. */
  readWindow(thread: number, window: number, atBytes: number, maxBytes: number, out: Float64Array): number;
  unpin(thread: number, pin: number): void;
  windowFigures(thread: number, window: number, out: Float64Array): void;
  closeWindow(thread: number, window: number): void;
  /** The memory of 1,024 slabs; mapped for as long as the process lives. */
  region(index: number): ArrayBuffer;

  figures(out: Float64Array): void;
  readNow(fd: number, target: Uint8Array, targetAt: number, lengthBytes: number, fileAt: number): number;
}

export const BUSY = -1;

export const RESULT_NUMBERS = 4;
export const RESULT_WAKE = 3;

const ADDON = resolve(import.meta.dir, "../.setup/native/torrx.node");

export function loadAddon(): RawAddon {
  if (!existsSync(ADDON)) {
    throw new Error(
      "The native part of TorrX is not built. Run ./torrx build; it needs a C++20 compiler (g++).",
    );
  }
  return createRequire(import.meta.url)(ADDON) as RawAddon;
}
