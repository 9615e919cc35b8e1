// Blocks of pieces that stand still, written to where they belong in the files and read back when the piece goes on.
// Nothing there counts as had, so that what has not passed a hash may lie there; a checksum tells whether the same
// bytes come back, so that nobody is blamed for what happened to them on disk. Invariant: a piece's files have one
// writer at a time: whoever writes it otherwise waits for `written` first.

import type { ByteRange } from "../base/byte-range.ts";
import { describeError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Committer } from "./committer.ts";
import type { Layout } from "./layout.ts";
import type { PieceIo } from "./piece-io.ts";
import type { PieceSlot } from "./ports.ts";

interface Chunk {
  /** In the torrent's bytes. */
  readonly range: ByteRange;
  readonly checksum: number;
}

export type SpilledBlocks = readonly Chunk[];

export interface SpillOptions {
  readonly layout: Layout;
  readonly io: PieceIo;
  readonly committer: Committer;
  readonly log: Log;
}

export interface SpillJob {
  readonly piece: number;
  readonly slot: PieceSlot;
  /** Asked before every step; where it says no, the job ends without a result. */
  readonly isWanted: () => boolean;
}

const CHUNK_BYTES = 512 * 1024;

export class Spill {
  readonly #options: SpillOptions;
  readonly #writing = new Map<number, Promise<SpilledBlocks | null>>();

  constructor(options: SpillOptions) {
    this.#options = options;
  }

  /** Resolves when no spill writes the piece; null where none does. */
  written(piece: number): Promise<unknown> | null {
    return this.#writing.get(piece) ?? null;
  }

  /** Writes what lies at `blocks` (byte ranges of the piece). Null where it failed or was not wanted to the end. */
  async write(job: SpillJob, blocks: readonly ByteRange[]): Promise<SpilledBlocks | null> {
    const writing = this.#writeAfter(this.written(job.piece), job, blocks);
    this.#writing.set(job.piece, writing);
    const spilled = await writing;
    if (this.#writing.get(job.piece) === writing) this.#writing.delete(job.piece);
    return spilled;
  }

  /** Brings them back into memory. False where they are not what was written, or were not wanted to the end. */
  async read(job: SpillJob, spilled: SpilledBlocks): Promise<boolean> {
    try {
      return await this.#read(job, spilled);
    } catch (error) {
      this.#failed(job.piece, error);
      return false;
    }
  }

  async #writeAfter(
    before: Promise<unknown> | null,
    job: SpillJob,
    blocks: readonly ByteRange[],
  ): Promise<SpilledBlocks | null> {
    await before;
    try {
      return await this.#write(job, blocks);
    } catch (error) {
      this.#failed(job.piece, error);
      return null;
    }
  }

  async #write(
    { piece, slot, isWanted }: SpillJob,
    blocks: readonly ByteRange[],
  ): Promise<SpilledBlocks | null> {
    const { layout, io, committer } = this.#options;
    const start = layout.geometry.pieceStart(piece);
    const chunks: Chunk[] = [];
    for (const { start: at, end } of stepsOf(blocks)) {
      if (!isWanted()) return null;
      const bytes = slot.copy(at, end - at);
      const range = { start: start + at, end: start + end };
      for (const key of await io.write(range, bytes)) committer.noteTouched(key);
      chunks.push({ range, checksum: Bun.hash.crc32(bytes) });
    }
    return chunks;
  }

  async #read({ piece, slot, isWanted }: SpillJob, chunks: SpilledBlocks): Promise<boolean> {
    const { layout, io } = this.#options;
    const pieceStart = layout.geometry.pieceStart(piece);
    for (const { range, checksum } of chunks) {
      const bytes = new Uint8Array(range.end - range.start);
      if (!(await io.read(range, bytes)) || Bun.hash.crc32(bytes) !== checksum || !isWanted()) return false;
      slot.write(range.start - pieceStart, bytes, 0, bytes.length);
    }
    return true;
  }

  #failed(piece: number, error: unknown): void {
    this.#options.log.warn("blocks of a piece could not be kept on disk", {
      piece,
      error: describeError(error),
    });
  }
}

function* stepsOf(ranges: readonly ByteRange[]): Generator<ByteRange> {
  for (const { start, end } of ranges) {
    for (let at = start; at < end; at += CHUNK_BYTES)
      yield { start: at, end: Math.min(end, at + CHUNK_BYTES) };
  }
}
