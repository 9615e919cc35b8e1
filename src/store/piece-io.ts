// Pieces to and from the files that hold them.

import type { ByteRange } from "../base/byte-range.ts";
import { systemCodeOf } from "../base/errors.ts";
import type { FileTable } from "./file-table.ts";
import type { FileKey, Layout, Run } from "./layout.ts";

export class PieceIo {
  readonly #layout: Layout;
  readonly #files: FileTable;

  constructor(layout: Layout, files: FileTable) {
    this.#layout = layout;
    this.#files = files;
  }

  /** Writes a whole piece, one write per run. Returns the files written to. */
  writePiece(piece: number, bytes: Uint8Array): Promise<FileKey[]> {
    return this.writeRuns(this.#layout.runsOf(this.#layout.pieceRange(piece)), piece, bytes);
  }

  /** Writes those bytes of the piece that `runs` name. */
  async writeRuns(runs: readonly Run[], piece: number, bytes: Uint8Array): Promise<FileKey[]> {
    const start = this.#layout.geometry.pieceStart(piece);
    for (const run of runs) {
      const from = run.torrentOffsetBytes - start;
      await this.#files.write(run.key, bytes.subarray(from, from + run.lengthBytes), run.offsetBytes);
    }
    return runs.map((run) => run.key);
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

  async #readRun(run: Run, target: Uint8Array): Promise<boolean> {
    try {
      return (await this.#files.read(run.key, target, run.offsetBytes)) === target.length;
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return false;
      throw error;
    }
  }
}
