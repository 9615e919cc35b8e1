// Whether what lies where a torrent's files belong is the torrent's own. It is once there is a record of it, or a piece
// of it was found there, or nobody's data lies there at all. Invariant: before that none of these files is written or
// removed. All zeros are nobody's data (another client reserved the space), and zeros that pass a hash prove nothing.

import type { ByteRange } from "../base/byte-range.ts";
import { DataConflictError } from "./faults.ts";
import type { FileTable } from "./file-table.ts";
import { type FileKey, type Layout, PARTS } from "./layout.ts";
import type { Survey } from "./survey.ts";

const CHUNK_BYTES = 256 * 1024;
const ZEROS: Readonly<Uint8Array> = new Uint8Array(CHUNK_BYTES);

export interface ClaimOptions {
  readonly layout: Layout;
  readonly files: FileTable;
  /** A resume state of this torrent was recorded before. */
  readonly hasRecord: boolean;
}

/** Once taken it stays so. */
export class Claim {
  readonly #layout: Layout;
  readonly #files: FileTable;
  #isOurs: boolean;

  constructor({ layout, files, hasRecord }: ClaimOptions) {
    this.#layout = layout;
    this.#files = files;
    this.#isOurs = hasRecord;
  }

  get isOurs(): boolean {
    return this.#isOurs;
  }

  /** There is a record. */
  take(): void {
    this.#isOurs = true;
  }

  /** The piece passed its hash, with the bytes of the files `aside` read from the parts file. Rejects on errors of the disk. */
  async found(piece: number, aside: ReadonlySet<FileKey>, signal: AbortSignal): Promise<void> {
    for (const run of this.#layout.runsOf(this.#layout.pieceRange(piece), aside)) {
      if (this.#isOurs) return;
      const { key, offsetBytes, lengthBytes } = run;
      if (key === PARTS) continue;
      const range = { start: offsetBytes, end: offsetBytes + lengthBytes };
      if (await this.#hasData(key, range, signal)) this.#isOurs = true;
    }
  }

  /** Everything was checked: rejects with DataConflictError where only other data was found, and aborts with `signal`. */
  async settle(survey: Survey, signal: AbortSignal): Promise<void> {
    for (const file of this.#layout.info.files) {
      if (this.#isOurs) return;
      const sizeBytes = survey.stamps[file.index]?.sizeBytes ?? 0;
      // A file that is to be empty is left as it is.
      if (file.isPad || file.lengthBytes === 0 || sizeBytes === 0) continue;
      if (await this.#hasData(file.index, { start: 0, end: sizeBytes }, signal)) {
        throw new DataConflictError(
          "other data lies where this torrent's files belong; move it away or remove the torrent",
        );
      }
    }
    this.#isOurs = true;
  }

  async #hasData(key: FileKey, range: ByteRange, signal: AbortSignal): Promise<boolean> {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, range.end - range.start));
    for (let at = range.start; at < range.end; at += chunk.length) {
      signal.throwIfAborted();
      const part = chunk.subarray(0, Math.min(chunk.length, range.end - at));
      const count = await this.#files.read(key, part, at);
      if (Buffer.compare(part.subarray(0, count), ZEROS.subarray(0, count)) !== 0) return true;
      if (count < part.length) return false;
    }
    return false;
  }
}
