// Pieces to and from the files that hold them: the files that a piece needs, held open, and its bytes where they have
// to go through JavaScript.

import { createHash } from "node:crypto";
import type { ByteRange } from "../base/byte-range.ts";
import { systemCodeOf } from "../base/errors.ts";
import type { FileTable, HeldFile } from "./file-table.ts";
import type { FileKey, Layout, Run } from "./layout.ts";
import type { FileRun, PieceRead } from "./ports.ts";

/** Where a piece is to be written, in files that stay open until they are left. */
export interface HeldWrites {
  readonly writes: readonly FileRun[];
  readonly keys: readonly FileKey[];
  leave(): Promise<void>;
}

/** Where a piece is to be read, likewise. */
export interface HeldReads {
  readonly reads: readonly PieceRead[];
  leave(): Promise<void>;
}

const CHUNK_BYTES = 256 * 1024;

export class PieceIo {
  readonly #layout: Layout;
  readonly #files: FileTable;

  constructor(layout: Layout, files: FileTable) {
    this.#layout = layout;
    this.#files = files;
  }

  /** As holdForWrite; null where a file has to be opened first. */
  tryHoldForWrite(piece: number): HeldWrites | null {
    const runs = this.#runsOf(piece);
    const held = this.#files.tryHoldForWrite(runs.map((run) => run.key));
    return held === null ? null : this.#writesOf(piece, runs, held);
  }

  /** The files of the piece with their lengths; missing ones are made. */
  async holdForWrite(piece: number): Promise<HeldWrites> {
    const runs = this.#runsOf(piece);
    return this.#writesOf(piece, runs, await holdAll(runs, (run) => this.#files.holdForWrite(run.key)));
  }

  /** The piece's files as they are; rejects ENOENT where one is missing. */
  async holdForRead(piece: number, aside?: ReadonlySet<FileKey>): Promise<HeldReads> {
    const range = this.#layout.pieceRange(piece);
    const runs = this.#layout.runsOf(range, aside);
    const held = await holdAll(runs, (run) => this.#files.holdForRead(run.key));
    return { reads: readsOf(range, runs, held), leave: () => leaveAll(held) };
  }

  /**
   * Writes those bytes of the piece that `runs` name, as they are read now. False where they do not pass the piece's
   * hash: then nothing may be believed of them.
   */
  async rewrite(piece: number, runs: readonly Run[], aside?: ReadonlySet<FileKey>): Promise<boolean> {
    const hash = createHash("sha1");
    const { start, end } = this.#layout.pieceRange(piece);
    for (let at = start; at < end; at += CHUNK_BYTES) {
      const range = { start: at, end: Math.min(end, at + CHUNK_BYTES) };
      const chunk = new Uint8Array(range.end - range.start);
      if (!(await this.read(range, chunk, aside))) return false;
      hash.update(chunk);
      for (const run of runs) await this.#writePart(run, range, chunk);
    }
    return hash.digest().equals(this.#layout.hashOf(piece));
  }

  /**
   * Fills `target` with the bytes of `range`. False where a file is missing or too short; rejects on errors of the
   * disk. `aside`: files whose bytes are looked for in the parts file.
   */
  async read(range: ByteRange, target: Uint8Array, aside?: ReadonlySet<FileKey>): Promise<boolean> {
    if (this.#layout.hasPads(range)) target.fill(0);
    for (const run of this.#layout.runsOf(range, aside)) {
      const from = run.torrentOffsetBytes - range.start;
      if (!(await this.#readRun(run, target.subarray(from, from + run.lengthBytes)))) return false;
    }
    return true;
  }

  /** Writes the bytes of `range`, missing files are made; returns the files written to. */
  async write(range: ByteRange, bytes: Uint8Array): Promise<FileKey[]> {
    const runs = this.#layout.runsOf(range);
    for (const run of runs) await this.#writePart(run, range, bytes);
    return runs.map((run) => run.key);
  }

  async #readRun(run: Run, target: Uint8Array): Promise<boolean> {
    try {
      return (await this.#files.read(run.key, target, run.offsetBytes)) === target.length;
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return false;
      throw error;
    }
  }

  /** The bytes of `chunk`, which lies at `range`, that belong to the run. */
  async #writePart(run: Run, range: ByteRange, chunk: Uint8Array): Promise<void> {
    const start = Math.max(range.start, run.torrentOffsetBytes);
    const end = Math.min(range.end, run.torrentOffsetBytes + run.lengthBytes);
    if (end <= start) return;
    const part = chunk.subarray(start - range.start, end - range.start);
    await this.#files.write(run.key, part, run.offsetBytes + start - run.torrentOffsetBytes);
  }

  #runsOf(piece: number): Run[] {
    return this.#layout.runsOf(this.#layout.pieceRange(piece));
  }

  #writesOf(piece: number, runs: readonly Run[], held: readonly HeldFile[]): HeldWrites {
    const start = this.#layout.geometry.pieceStart(piece);
    const writes: FileRun[] = [];
    for (const [at, { file }] of held.entries()) {
      const run = runs[at];
      if (run === undefined) continue;
      const { offsetBytes, lengthBytes, torrentOffsetBytes } = run;
      writes.push({ file, offsetBytes, lengthBytes, atBytes: torrentOffsetBytes - start });
    }
    return { writes, keys: runs.map((run) => run.key), leave: () => leaveAll(held) };
  }
}

/** The runs in order, and zeros where they leave gaps. */
function readsOf(range: ByteRange, runs: readonly Run[], held: readonly HeldFile[]): PieceRead[] {
  const reads: PieceRead[] = [];
  let at = range.start;
  const zerosUntil = (end: number) => {
    if (end > at) reads.push({ file: null, offsetBytes: 0, lengthBytes: end - at });
  };
  for (const [index, run] of runs.entries()) {
    zerosUntil(run.torrentOffsetBytes);
    const { offsetBytes, lengthBytes } = run;
    reads.push({ file: held[index]?.file ?? null, offsetBytes, lengthBytes });
    at = run.torrentOffsetBytes + lengthBytes;
  }
  zerosUntil(range.end);
  return reads;
}

async function holdAll(runs: readonly Run[], hold: (run: Run) => Promise<HeldFile>): Promise<HeldFile[]> {
  const held: HeldFile[] = [];
  try {
    for (const run of runs) held.push(await hold(run));
    return held;
  } catch (error) {
    await leaveAll(held);
    throw error;
  }
}

async function leaveAll(held: readonly HeldFile[]): Promise<void> {
  const ends = await Promise.allSettled(held.map((file) => file.leave()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
