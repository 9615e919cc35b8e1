// Starts the libtorrent of wire-libtorrent.py, and a least leecher and seeder on top of wire to meet it.

import { join } from "node:path";
import type { InfoHash } from "../../src/base/brand.ts";
import { systemClock } from "../../src/base/clock.ts";
import { toHex } from "../../src/base/hex.ts";
import { BLOCK_BYTES } from "../../src/base/limits.ts";
import { createLog } from "../../src/base/log.ts";
import { asBytes, asDict, asInteger, decodeBencode } from "../../src/metainfo/bencode.ts";
import { type BlockTarget, bunPeerNet, type PeerLink } from "../../src/wire/index.ts";
import { identity, Recorder } from "../unit/wire/links.ts";

export const wireDeps = {
  net: bunPeerNet,
  clock: systemClock,
  log: createLog("error", (line) => console.error(line)),
};

export interface LibtorrentLine {
  readonly port?: number;
  readonly torrent?: string;
  readonly done?: boolean;
  readonly seconds?: number;
}

export interface Libtorrent {
  readonly pid: number;
  /** The next JSON line that it says. */
  said(): Promise<LibtorrentLine>;
  close(): Promise<void>;
}

export function startLibtorrent(...args: string[]): Libtorrent {
  const child = Bun.spawn(["/usr/bin/python3", join(import.meta.dir, "wire-libtorrent.py"), ...args], {
    stdin: "pipe",
    stdout: "pipe",
  });
  const reader = child.stdout.getReader();
  let text = "";
  return {
    pid: child.pid,
    async said() {
      while (!text.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error("libtorrent ended");
        text += new TextDecoder().decode(value);
      }
      const [line = "", ...rest] = text.split("\n");
      text = rest.join("\n");
      return JSON.parse(line) as LibtorrentLine;
    },
    async close() {
      child.stdin.end();
      await child.exited;
    },
  };
}

export interface TestTorrent {
  readonly infoHash: InfoHash;
  readonly totalBytes: number;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  readonly hashes: Uint8Array;
  pieceLength(piece: number): number;
}

export async function readTorrent(path: string): Promise<TestTorrent> {
  const bytes = await Bun.file(path).bytes();
  let extent: Uint8Array = new Uint8Array();
  const root = asDict(
    decodeBencode(bytes, undefined, (depth, key, start, end) => {
      if (depth === 0 && key === "info") extent = bytes.subarray(start, end);
    }),
  );
  const info = asDict(root?.get("info"))!;
  const totalBytes = asInteger(info.get("length"))!;
  const pieceBytes = asInteger(info.get("piece length"))!;
  return {
    infoHash: toHex(new Bun.SHA1().update(extent).digest() as Uint8Array) as InfoHash,
    totalBytes,
    pieceBytes,
    pieceCount: Math.ceil(totalBytes / pieceBytes),
    hashes: asBytes(info.get("pieces"))!,
    pieceLength: (piece) => Math.min(pieceBytes, totalBytes - piece * pieceBytes),
  };
}

/** Runs `task` once at the end of the turn, however often it is asked for. */
export function oncePerTurn(task: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(() => {
      isDue = false;
      task();
    });
  };
}

/** Fetches every block of one peer, in order, into `data`, whose length is that of a whole number of pieces. */
export class TestLeecher extends Recorder implements BlockTarget {
  link: PeerLink | null = null;
  readonly done = Promise.withResolvers<string>();
  readonly #flush = oncePerTurn(() => this.link?.flush());
  received = 0;
  #next = 0;
  #pieceStart = 0;

  constructor(
    readonly torrent: TestTorrent,
    readonly data: Uint8Array,
    readonly outstanding: number,
  ) {
    super();
  }

  override onHandshake = () => {
    this.lines.push("handshake");
    this.link?.setPieces(this.torrent);
    this.link?.sendHaves("none");
    this.link?.interested();
    this.link?.flush();
  };

  override onUnchoke = () => {
    this.lines.push("unchoke");
    for (let i = 0; i < this.outstanding; i++) this.#ask();
  };

  override blockTarget(piece: number, _begin: number, _length: number): BlockTarget {
    this.#pieceStart = (piece * this.torrent.pieceBytes) % this.data.length;
    return this;
  }

  write(atBytes: number, chunk: Uint8Array, from: number, to: number): void {
    // Unlike set(subarray()), this makes no view.
    Buffer.prototype.copy.call(chunk, this.data, this.#pieceStart + atBytes, from, to);
  }

  override onBlock = (_piece: number, _begin: number, length: number) => {
    this.received += length;
    this.#ask();
    if (this.received === this.torrent.totalBytes) this.done.resolve("all");
  };

  override onClose = (reason: string) => this.done.resolve(reason);

  #ask(): void {
    const at = this.#next;
    if (at >= this.torrent.totalBytes) return;
    const { pieceBytes } = this.torrent;
    const piece = Math.floor(at / pieceBytes);
    const begin = at - piece * pieceBytes;
    const length = Math.min(BLOCK_BYTES, this.torrent.pieceLength(piece) - begin);
    this.#next += length;
    this.link?.request(piece, begin, length);
    this.#flush();
  }
}

/** Gives every block of `data` to whoever asks. */
export class TestSeeder extends Recorder {
  readonly #flush = oncePerTurn(() => this.link.flush());

  constructor(
    readonly torrent: TestTorrent,
    readonly data: Uint8Array,
    readonly link: PeerLink,
  ) {
    super();
  }

  override onHandshake = () => {
    this.lines.push("handshake");
    this.link.setPieces(this.torrent);
    this.link.sendHaves("all");
  };

  override onInterested = () => {
    this.lines.push("interested");
    this.link.unchoke();
    this.#flush();
  };

  override onRequest = (piece: number, begin: number, length: number) => {
    const at = piece * this.torrent.pieceBytes + begin;
    this.link.piece(piece, begin, this.data.subarray(at, at + length));
    this.#flush();
  };
}

export function identityFor(torrent: TestTorrent) {
  return identity({ infoHash: torrent.infoHash, peerId: new TextEncoder().encode("-TX0001-0123456789ab") });
}
