// Piece memory in the native addon: bytes go in once, and its threads hash, show and write them. What it says about
// files it says by the descriptors that node-disk.ts gave it.

import { getSystemErrorName } from "node:util";
import type { NativeThread, PieceToken, TorrentToken } from "../../native/index.ts";
import type {
  DiskFile,
  FileRun,
  MemoryFault,
  PieceMemory,
  PieceRead,
  PieceSlot,
  SettleOutcome,
  TorrentMemory,
} from "./ports.ts";

type Native = Pick<
  NativeThread,
  | "openTorrent"
  | "closeTorrent"
  | "renewTorrent"
  | "setHave"
  | "addHave"
  | "removeHave"
  | "setTorrentState"
  | "takePiece"
  | "writePiece"
  | "advancePiece"
  | "copyPiece"
  | "settlePiece"
  | "releasePiece"
  | "checkOnDisk"
>;

/** Stands for bytes that lie in no file and are zeros. */
const ZEROS = 0;

/** How much memory there is, is the native side's to be told (setCapacity) by whoever made it. */
export function nativeMemory(native: Native): PieceMemory {
  return {
    open: (torrent) => new NativeTorrentMemory(native, native.openTorrent(torrent)),
  };
}

class NativeTorrentMemory implements TorrentMemory {
  readonly #native: Native;
  #token: TorrentToken;
  #isClosed = false;

  constructor(native: Native, token: TorrentToken) {
    this.#native = native;
    this.#token = token;
  }

  take(piece: number, lengthBytes: number): PieceSlot | null {
    const token = this.#native.takePiece(this.#token, piece, lengthBytes);
    return token === 0 ? null : new NativeSlot(this.#native, token, lengthBytes);
  }

  async check(sha1: Uint8Array, reads: readonly PieceRead[]): Promise<boolean> {
    const runs = reads.flatMap(({ file, offsetBytes, lengthBytes }) => [
      file === null ? ZEROS : tokenOf(file),
      offsetBytes,
      lengthBytes,
    ]);
    const { status, errno } = await this.#native.checkOnDisk(sha1, new Float64Array(runs));
    if (status === "failed") throw systemError(errno);
    return status === "passed";
  }

  setHave(bits: Uint8Array): void {
    this.#native.setHave(this.#token, bits);
  }

  addHave(piece: number): void {
    this.#native.addHave(this.#token, piece);
  }

  removeHave(piece: number): void {
    this.#native.removeHave(this.#token, piece);
  }

  setFault(fault: MemoryFault): void {
    this.#native.setTorrentState(this.#token, fault ?? "fine");
  }

  /** The store may find a file replaced while it writes its last pieces, when no viewer is left to tell. */
  renew(): void {
    if (this.#isClosed) return;
    this.#token = this.#native.renewTorrent(this.#token);
  }

  close(): void {
    this.#isClosed = true;
    this.#native.closeTorrent(this.#token);
  }
}

class NativeSlot implements PieceSlot {
  readonly lengthBytes: number;
  readonly #native: Native;
  readonly #token: PieceToken;

  constructor(native: Native, token: PieceToken, lengthBytes: number) {
    this.#native = native;
    this.#token = token;
    this.lengthBytes = lengthBytes;
  }

  write(atBytes: number, chunk: Uint8Array, from: number, to: number): void {
    this.#native.writePiece(this.#token, atBytes, chunk, from, to);
  }

  advance(bytes: number): void {
    this.#native.advancePiece(this.#token, bytes);
  }

  copy(atBytes: number, lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(lengthBytes);
    this.#native.copyPiece(this.#token, atBytes, bytes);
    return bytes;
  }

  async settle(sha1: Uint8Array, writes: readonly FileRun[]): Promise<SettleOutcome> {
    try {
      const runs = writes.flatMap(({ file, offsetBytes, atBytes, lengthBytes }) => [
        tokenOf(file),
        offsetBytes,
        atBytes,
        lengthBytes,
      ]);
      const { status, errno } = await this.#native.settlePiece(this.#token, sha1, new Float64Array(runs));
      return status === "failed" ? { kind: "failed", error: systemError(errno) } : { kind: status };
    } catch (error) {
      return { kind: "failed", error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  release(): void {
    this.#native.releasePiece(this.#token);
  }
}

function tokenOf(file: DiskFile): number {
  if (file.native === null) throw new TypeError("a simulated file has no descriptor for native threads");
  return file.native;
}

/** As the runtime's own: `code` tells faults.ts what it means. */
function systemError(errno: number): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: a job on the torrent's files failed`), { code, errno: -errno });
}
