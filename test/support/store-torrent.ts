// A made-up torrent with known bytes, and a store around it whose events are kept and can be waited for.

import { dirname } from "node:path";
import type { FileIndex, InfoHash, SafePath } from "../../src/base/brand.ts";
import type { Clock } from "../../src/base/clock.ts";
import { BLOCK_BYTES } from "../../src/base/limits.ts";
import { silentLog } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import { filePathOf } from "../../src/metainfo/disk-layout.ts";
import { Geometry } from "../../src/metainfo/geometry.ts";
import type { TorrentInfo } from "../../src/metainfo/types.ts";
import {
  AssemblyBudget,
  createTorrentStore,
  type Disk,
  type PieceMemory,
  type ResumeState,
  type StoreEvents,
  type StoreFault,
  type TorrentMemory,
  type TorrentStore,
  type TorrentStoreOptions,
} from "../../src/store/index.ts";
import { FakeClock } from "./fake-clock.ts";
import { PlainMemory } from "./plain-memory.ts";

export interface FileSpec {
  readonly path: string;
  readonly lengthBytes: number;
  readonly isPad?: boolean;
}

export interface MadeTorrent {
  readonly info: TorrentInfo;
  readonly geometry: Geometry;
  readonly bytes: Uint8Array;
  /** The true bytes of one file. */
  fileBytes(index: number): Uint8Array;
}

export interface TorrentSpec {
  readonly files: readonly FileSpec[];
  readonly pieceLengthBytes: number;
  readonly seed?: number;
  readonly name?: string;
  readonly isMultiFile?: boolean;
}

export function makeTorrent(spec: TorrentSpec): MadeTorrent {
  const totalBytes = spec.files.reduce((sum, file) => sum + file.lengthBytes, 0);
  const bytes = randomBytes(totalBytes, spec.seed ?? 1);
  let offsetBytes = 0;
  const files = spec.files.map((file, index) => {
    const made = {
      index: index as FileIndex,
      path: file.path as SafePath,
      offsetBytes,
      lengthBytes: file.lengthBytes,
      isPad: file.isPad ?? false,
    };
    if (made.isPad) bytes.fill(0, offsetBytes, offsetBytes + file.lengthBytes);
    offsetBytes += file.lengthBytes;
    return made;
  });
  const pieceCount = Math.ceil(totalBytes / spec.pieceLengthBytes);
  const pieceHashes = new Uint8Array(pieceCount * 20);
  for (let piece = 0; piece < pieceCount; piece++) {
    const start = piece * spec.pieceLengthBytes;
    pieceHashes.set(sha1(bytes.subarray(start, start + spec.pieceLengthBytes)), piece * 20);
  }
  const info: TorrentInfo = {
    infoHash: "0".repeat(40) as InfoHash,
    name: (spec.name ?? "Show") as SafePath,
    pieceLengthBytes: spec.pieceLengthBytes,
    pieceCount,
    pieceHashes,
    totalBytes,
    files,
    isMultiFile: spec.isMultiFile ?? true,
    isPrivate: false,
    infoBytes: new Uint8Array(0),
  };
  const fileBytes = (index: number) => {
    const file = files[index]!;
    return bytes.subarray(file.offsetBytes, file.offsetBytes + file.lengthBytes);
  };
  return { info, geometry: new Geometry(info), bytes, fileBytes };
}

function randomBytes(lengthBytes: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  const words = new Uint32Array(Math.ceil(lengthBytes / 4));
  for (let at = 0; at < words.length; at++) words[at] = Math.floor(random.next() * 2 ** 32);
  return new Uint8Array(words.buffer, 0, lengthBytes);
}

function sha1(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Bun.SHA1.hash(bytes).buffer);
}

export class EventRecord implements StoreEvents {
  readonly verified: number[] = [];
  readonly corrupt: number[] = [];
  /** For each of `corrupt`: whether bytes came with it, so that peers can be blamed. */
  readonly blamed: boolean[] = [];
  readonly states: ResumeState[] = [];
  readonly faults: StoreFault[] = [];
  readonly progress: number[] = [];
  /** How many pieces had been verified whenever a file was another than before. */
  readonly replaced: number[] = [];
  readonly #waiting = new Set<() => void>();

  onVerified(piece: number): void {
    this.verified.push(piece);
    this.#wake();
  }

  onCorrupt(piece: number, bytes: Uint8Array | null): void {
    this.corrupt.push(piece);
    this.blamed.push(bytes !== null);
    this.#wake();
  }

  onResume(state: ResumeState): void {
    this.states.push({ ...state, verified: state.verified.slice() });
    this.#wake();
  }

  onFault(fault: StoreFault): void {
    this.faults.push(fault);
    this.#wake();
  }

  onReplaced(): void {
    this.replaced.push(this.verified.length);
    this.#wake();
  }

  onCheckProgress(share: number): void {
    this.progress.push(share);
    this.#wake();
  }

  get last(): ResumeState {
    const state = this.states.at(-1);
    if (state === undefined) throw new Error("no resume state was handed out");
    return state;
  }

  /** Resolves when an event has made it true. */
  until(isReached: () => boolean): Promise<void> {
    if (isReached()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (!isReached()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}

export interface Bench {
  readonly store: TorrentStore;
  readonly events: EventRecord;
  readonly clock: FakeClock;
  readonly torrent: MadeTorrent;
  readonly memory: TorrentMemory;
  pathOf(index: number): string;
}

export interface BenchOptions
  extends Partial<Pick<TorrentStoreOptions, "presence" | "budget" | "partsPath" | "place" | "hasRecord">> {
  readonly memory?: PieceMemory;
  /** Instead of the bench's own, which stands still. */
  readonly clock?: Clock;
  readonly torrent: MadeTorrent;
  readonly disk: Disk;
  readonly saveDirectory: string;
}

export function benchOf(options: BenchOptions): Bench {
  const { torrent, saveDirectory } = options;
  const events = new EventRecord();
  const clock = new FakeClock();
  const place = options.place ?? { saveDirectory, diskName: null };
  const { infoHash, pieceLengthBytes, totalBytes } = torrent.info;
  const memory = (options.memory ?? new PlainMemory()).open({ infoHash, pieceLengthBytes, totalBytes });
  const store = createTorrentStore({
    info: torrent.info,
    place,
    presence: options.presence ?? torrent.info.files.map(() => true),
    disk: options.disk,
    memory,
    clock: options.clock ?? clock,
    log: silentLog,
    events,
    budget: options.budget ?? new AssemblyBudget(64 * 1024 * 1024),
    hasRecord: options.hasRecord ?? false,
    partsPath: options.partsPath ?? `${dirname(saveDirectory)}/aside.parts`,
  });
  const pathOf = (index: number) => filePathOf(torrent.info, place, torrent.info.files[index]!);
  return { store, events, clock, torrent, memory, pathOf };
}

export const NEVER: AbortSignal = new AbortController().signal;

/** Hands every block of the piece to the store; false where it gave no place for one. */
export function feed(bench: Bench, piece: number, bytes: Uint8Array = bench.torrent.bytes): boolean {
  const { geometry } = bench.torrent;
  for (let block = 0; block < geometry.blockCount(piece); block++) {
    const begin = block * BLOCK_BYTES;
    const length = geometry.blockLength(piece, block);
    const target = bench.store.blockTarget(piece, begin, length);
    if (target === null) return false;
    const start = geometry.pieceStart(piece) + begin;
    target.write(begin, bytes, start, start + length);
    bench.store.blockArrived(piece, begin, length);
  }
  return true;
}

/** Feeds the pieces and waits until all are verified. */
export async function download(bench: Bench, pieces: readonly number[]): Promise<void> {
  for (const piece of pieces) {
    feed(bench, piece);
    await bench.events.until(() => bench.store.have.has(piece));
  }
}

export function allPieces(torrent: MadeTorrent): number[] {
  return Array.from({ length: torrent.info.pieceCount }, (_, piece) => piece);
}
