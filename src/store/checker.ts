// Hashes pieces that lie on disk, in order, two at a time, off the loop: their bytes never come into JavaScript. Aborts
// between pieces.

import { describeError, systemCodeOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { isShortOfResources } from "./faults.ts";
import type { FileKey, Layout } from "./layout.ts";
import type { PieceIo } from "./piece-io.ts";
import type { Disk, TorrentMemory } from "./ports.ts";

export interface CheckerOptions {
  readonly layout: Layout;
  readonly io: PieceIo;
  readonly disk: Disk;
  readonly memory: Pick<TorrentMemory, "check">;
  readonly log: Log;
}

export interface CheckRun {
  readonly pieces: readonly number[];
  readonly signal: AbortSignal;
  /** `aside` names the files whose bytes were found in the parts file instead of in their place. */
  readonly onPassed: (piece: number, aside: ReadonlySet<FileKey>) => Promise<void>;
  readonly onProgress: (done: number) => void;
}

const IN_FLIGHT = 2;
/** So many files in one piece are tried in every combination. */
const SUBSETS_OF = 4;
const NONE: ReadonlySet<FileKey> = new Set();

export class Checker {
  readonly #options: CheckerOptions;

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  /** Resolves with the count of pieces that passed. */
  async run(run: CheckRun): Promise<number> {
    const torrent = this.#options.layout.info.infoHash;
    const queue = run.pieces.values();
    let done = 0;
    let passed = 0;
    const work = async () => {
      for (const piece of queue) {
        run.signal.throwIfAborted();
        if (await this.#check(piece, run)) passed++;
        run.onProgress(++done);
      }
    };
    // Both must have ended before an abort or error goes up: nothing may run behind the caller's back.
    const ends = await Promise.allSettled(
      Array.from({ length: Math.min(IN_FLIGHT, run.pieces.length) }, work),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    if (done > 0) this.#options.log.info("data on disk was hashed", { torrent, pieces: done, passed });
    return passed;
  }

  async #check(piece: number, run: CheckRun): Promise<boolean> {
    if (await this.matches(piece)) {
      await run.onPassed(piece, NONE);
      return true;
    }
    for (const aside of await this.#places(piece)) {
      if (!(await this.matches(piece, aside))) continue;
      await run.onPassed(piece, aside);
      return true;
    }
    return false;
  }

  /**
   * Where the bytes may lie: as laid out, or, where files were chosen while nobody moved their bytes or a crash cut the
   * move short, still in the parts file for some of the files of a boundary piece.
   */
  async #places(piece: number): Promise<ReadonlySet<FileKey>[]> {
    const { layout } = this.#options;
    const spans = layout.geometry.spansOf(layout.pieceRange(piece));
    if (spans.length < 2 || !layout.hasParts) return [];
    const files = spans.map(({ file }) => file).filter((file) => !file.isPad && layout.isPresent(file));
    const keys = files.map((file): FileKey => file.index);
    return keys.length <= SUBSETS_OF ? subsetsOf(keys) : [await this.#absentOf(keys), new Set(keys)];
  }

  async #absentOf(keys: readonly FileKey[]): Promise<ReadonlySet<FileKey>> {
    const absent = new Set<FileKey>();
    for (const key of keys) {
      if ((await this.#options.disk.stampOf(this.#options.layout.pathOf(key))) === null) absent.add(key);
    }
    return absent;
  }

  /** Whether the piece on disk has its hash. An error of the disk counts as a piece that is not there. */
  async matches(piece: number, aside: ReadonlySet<FileKey> = NONE): Promise<boolean> {
    try {
      return await this.#hasHash(piece, aside);
    } catch (error) {
      if (isShortOfResources(error)) throw error;
      if (systemCodeOf(error) !== "ENOENT") {
        this.#options.log.warn("a piece could not be read", { piece, error: describeError(error) });
      }
      return false;
    }
  }

  async #hasHash(piece: number, aside: ReadonlySet<FileKey>): Promise<boolean> {
    const { layout, io, memory } = this.#options;
    const held = await io.holdForRead(piece, aside);
    try {
      return await memory.check(layout.hashOf(piece), held.reads);
    } finally {
      await held.leave();
    }
  }
}

/** Every set of some of the keys. */
function subsetsOf(keys: readonly FileKey[]): Set<FileKey>[] {
  return Array.from(
    { length: 2 ** keys.length - 1 },
    (_, at) => new Set(keys.filter((_key, position) => ((at + 1) >> position) & 1)),
  );
}
