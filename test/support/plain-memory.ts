// Piece memory made of JavaScript buffers: hashes in microtasks, writes run after run through the disk. Deterministic,
// and open to a test's look: what viewers were told of each torrent is kept and can be waited for.

import { Bitfield } from "../../src/base/bitfield.ts";
import type { InfoHash } from "../../src/base/brand.ts";
import type {
  FileRun,
  MemoryFault,
  PieceMemory,
  PieceRead,
  PieceSlot,
  SettleOutcome,
  TorrentMemory,
} from "../../src/store/index.ts";
import { type Disk, nodeDisk } from "../../src/store/index.ts";

/** Real files for stores whose memory is plain: no thread of ours knows of them. */
export const plainDisk: Disk = nodeDisk({ adoptFile: () => 0, releaseFile: () => undefined });

export type Hash = (bytes: Uint8Array) => Promise<Uint8Array>;

export interface PlainMemoryOptions {
  readonly hash?: Hash;
  /** Takes beyond so many bytes find no memory. */
  readonly capacityBytes?: number;
}

type TorrentShape = Parameters<PieceMemory["open"]>[0];

const sha1: Hash = (bytes) => Promise.resolve(new Uint8Array(Bun.SHA1.hash(bytes).buffer));

export class PlainMemory implements PieceMemory {
  readonly hash: Hash;
  readonly capacityBytes: number;
  /** By info hash, also when closed. */
  readonly torrents = new Map<InfoHash, PlainTorrentMemory>();
  /** Of slots that were not released. */
  usedBytes = 0;

  constructor(options: PlainMemoryOptions = {}) {
    this.hash = options.hash ?? sha1;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
  }

  open(shape: TorrentShape): PlainTorrentMemory {
    if (this.torrents.get(shape.infoHash)?.isClosed === false) throw new Error("the torrent is open already");
    const torrent = new PlainTorrentMemory(this, shape);
    this.torrents.set(shape.infoHash, torrent);
    return torrent;
  }
}

export class PlainTorrentMemory implements TorrentMemory {
  /** The pieces that viewers may be given. */
  have: Bitfield;
  fault: MemoryFault = null;
  isClosed = false;
  /** Pieces that were shown to viewers before they were written, in order. */
  readonly shown: number[] = [];
  /** How often viewers were sent to look for the files anew. */
  renewals = 0;
  readonly #memory: PlainMemory;
  readonly #listeners = new Set<() => void>();

  constructor(memory: PlainMemory, shape: TorrentShape) {
    this.#memory = memory;
    this.have = new Bitfield(Math.ceil(shape.totalBytes / shape.pieceLengthBytes));
  }

  /** Called after each change of `have`, `shown`, `fault` or `isClosed`. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  take(piece: number, lengthBytes: number): PlainSlot | null {
    const memory = this.#memory;
    if (this.isClosed || memory.usedBytes + lengthBytes > memory.capacityBytes) return null;
    memory.usedBytes += lengthBytes;
    return new PlainSlot({
      lengthBytes,
      hash: memory.hash,
      onPassed: () => {
        this.shown.push(piece);
        this.#changed();
      },
      onReleased: () => {
        memory.usedBytes -= lengthBytes;
      },
    });
  }

  async check(expected: Uint8Array, reads: readonly PieceRead[]): Promise<boolean> {
    const bytes = new Uint8Array(reads.reduce((sum, read) => sum + read.lengthBytes, 0));
    let at = 0;
    for (const { file, offsetBytes, lengthBytes } of reads) {
      const part = bytes.subarray(at, at + lengthBytes);
      if (file !== null && (await file.read(part, offsetBytes)) < lengthBytes) return false;
      at += lengthBytes;
    }
    return isSame(await this.#memory.hash(bytes), expected);
  }

  setHave(bits: Uint8Array): void {
    const have = Bitfield.tryFrom(bits, this.have.length);
    if (have === null) throw new Error("a bitmap of the wrong size");
    this.have = have;
    this.#changed();
  }

  addHave(piece: number): void {
    this.have.add(piece);
    this.#changed();
  }

  removeHave(piece: number): void {
    this.have.delete(piece);
    this.#changed();
  }

  setFault(fault: MemoryFault): void {
    this.fault = fault;
    this.#changed();
  }

  renew(): void {
    this.have = new Bitfield(this.have.length);
    this.fault = null;
    this.renewals++;
    this.#changed();
  }

  close(): void {
    this.isClosed = true;
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

interface SlotOptions {
  readonly lengthBytes: number;
  readonly hash: Hash;
  readonly onPassed: () => void;
  readonly onReleased: () => void;
}

export class PlainSlot implements PieceSlot {
  readonly lengthBytes: number;
  /** How far it was advanced. */
  advancedBytes = 0;
  isReleased = false;
  readonly #options: SlotOptions;
  readonly #bytes: Uint8Array;
  #isSealed = false;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.lengthBytes = options.lengthBytes;
    // As memory that was used before.
    this.#bytes = new Uint8Array(options.lengthBytes).fill(0xa5);
  }

  write(atBytes: number, chunk: Uint8Array, from: number, to: number): void {
    if (atBytes < 0 || atBytes + to - from > this.lengthBytes) throw new RangeError("outside of the piece");
    if (this.#isSealed || this.isReleased || atBytes < this.advancedBytes) return;
    this.#bytes.set(chunk.subarray(from, to), atBytes);
  }

  advance(bytes: number): void {
    this.advancedBytes = Math.max(this.advancedBytes, bytes);
  }

  copy(atBytes: number, lengthBytes: number): Uint8Array {
    if (this.isReleased) throw new Error("the piece was released");
    return this.#bytes.slice(atBytes, atBytes + lengthBytes);
  }

  async settle(expected: Uint8Array, writes: readonly FileRun[]): Promise<SettleOutcome> {
    if (this.#isSealed || this.isReleased) return failed(new Error("the piece is not there to be settled"));
    this.#isSealed = true;
    try {
      if (!isSame(await this.#options.hash(this.#bytes), expected)) return { kind: "corrupt" };
      this.#options.onPassed();
      for (const { file, offsetBytes, atBytes, lengthBytes } of writes) {
        await file.write(this.#bytes.subarray(atBytes, atBytes + lengthBytes), offsetBytes);
      }
      return { kind: "written" };
    } catch (error) {
      return failed(error as Error);
    }
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    this.#options.onReleased();
  }
}

function failed(error: Error): SettleOutcome {
  return { kind: "failed", error };
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
