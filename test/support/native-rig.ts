// One native thread, one torrent and one file for the tests of native/.

import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NativeThread, openNative, type PieceToken, type SettleResult } from "../../native/index.ts";

export const MIB = 2 ** 20;

/** Bytes that differ from place to place, the same for the same seed. */
export function someBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed | 1;
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

export function sha1Of(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(new Bun.CryptoHasher("sha1").update(bytes).digest());
}

let count = 0;
/** A different one each time: tests of one process share the addon. */
export function freshInfoHash(): string {
  count++;
  return new Bun.CryptoHasher("sha1").update(`${process.pid} ${count}`).digest("hex");
}

export interface NativeRig extends Disposable {
  readonly native: NativeThread;
  readonly infoHash: string;
  readonly torrent: number;
  readonly pieceLengthBytes: number;
  readonly path: string;
  readonly fd: number;
  readonly file: number;
  readonly content: Uint8Array<ArrayBuffer>;
  lengthOf(piece: number): number;
  bytesOf(piece: number): Uint8Array;
  /** Taken and filled from `content`. */
  filled(piece: number): PieceToken;
  /** Filled, hashed, written to its place in the file, released, and added to what is had. */
  complete(piece: number): Promise<SettleResult>;
  onDisk(): Buffer;
}

export function makeNativeRig(options: { pieceLengthBytes?: number; totalBytes?: number } = {}): NativeRig {
  const { pieceLengthBytes = MIB, totalBytes = 4 * MIB + 5 } = options;
  const native = openNative();
  native.setCapacity(64 * MIB);
  const folder = mkdtempSync(join(tmpdir(), "torrx-native-"));
  const path = join(folder, "file");
  const fd = openSync(path, "w+");
  ftruncateSync(fd, totalBytes);
  const infoHash = freshInfoHash();
  const torrent = native.openTorrent({ infoHash, pieceLengthBytes, totalBytes });
  const file = native.adoptFile(fd);
  const content = someBytes(totalBytes);
  const lengthOf = (piece: number) => Math.min(pieceLengthBytes, totalBytes - piece * pieceLengthBytes);
  const bytesOf = (piece: number) =>
    content.subarray(piece * pieceLengthBytes, piece * pieceLengthBytes + lengthOf(piece));
  const filled = (piece: number) => {
    const token = native.takePiece(torrent, piece, lengthOf(piece));
    if (token === 0) throw new Error("no memory");
    native.writePiece(token, 0, bytesOf(piece), 0, lengthOf(piece));
    return token;
  };
  const complete = async (piece: number) => {
    const token = filled(piece);
    const run = new Float64Array([file, piece * pieceLengthBytes, 0, lengthOf(piece)]);
    const result = await native.settlePiece(token, sha1Of(bytesOf(piece)), run);
    native.releasePiece(token);
    native.addHave(torrent, piece);
    return result;
  };
  return {
    ...{ native, infoHash, torrent, pieceLengthBytes, path, fd, file, content },
    ...{ lengthOf, bytesOf, filled, complete },
    onDisk: () => readFileSync(path),
    [Symbol.dispose]() {
      native.close();
      closeSync(fd);
      rmSync(folder, { recursive: true });
    },
  };
}
