// Where a torrent's bytes lie: in its files, or, for files that are not to exist, in the parts file at the same
// offset as in the torrent. A file that exists once stays where it is (it never goes back into the parts file), so
// the place of a byte depends only on what is on disk.

import type { ByteRange } from "../base/byte-range.ts";
import { type DiskPlace, filePathOf, torrentFolderOf } from "../metainfo/disk-layout.ts";
import { Geometry } from "../metainfo/geometry.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/types.ts";
import type { FilePresence } from "./ports.ts";

/** Names a file on disk: its index in the torrent, or PARTS. */
export type FileKey = number;
export const PARTS: FileKey = -1;

/** Bytes that lie next to each other in one file on disk. */
export interface Run {
  readonly key: FileKey;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly torrentOffsetBytes: number;
}

export class Layout {
  readonly info: TorrentInfo;
  readonly geometry: Geometry;
  readonly place: DiskPlace;
  readonly partsPath: string;
  /** The torrent's own folder; null for a torrent of a single file. */
  readonly folder: string | null;
  /** Whether a parts file was seen or made. */
  hasParts = false;
  readonly #isPresent: boolean[];

  constructor(info: TorrentInfo, place: DiskPlace, partsPath: string) {
    this.info = info;
    this.geometry = new Geometry(info);
    this.place = place;
    this.partsPath = partsPath;
    this.folder = torrentFolderOf(info, place);
    this.#isPresent = info.files.map(() => false);
  }

  pathOf(key: FileKey): string {
    const file = this.info.files[key];
    return file === undefined ? this.partsPath : filePathOf(this.info, this.place, file);
  }

  /** How long the file is to be; the parts file grows as it is written. */
  lengthOf(key: FileKey): number | null {
    return this.info.files[key]?.lengthBytes ?? null;
  }

  isPresent(file: TorrentFile): boolean {
    return this.#isPresent[file.index] ?? false;
  }

  setPresent(presence: FilePresence): void {
    for (const file of this.info.files) this.#isPresent[file.index] = presence[file.index] ?? false;
  }

  /** Files that are to exist in `presence` and do not yet. */
  missingFrom(presence: FilePresence): TorrentFile[] {
    return this.info.files.filter(
      (file) => !file.isPad && presence[file.index] === true && !this.isPresent(file),
    );
  }

  /** True where no byte can lie in the parts file any more. */
  get isWhole(): boolean {
    return this.info.files.every((file) => file.isPad || file.lengthBytes === 0 || this.isPresent(file));
  }

  /** The SHA-1 that the piece is to have. */
  hashOf(piece: number): Uint8Array {
    return this.info.pieceHashes.subarray(piece * 20, piece * 20 + 20);
  }

  pieceRange(piece: number): ByteRange {
    const start = this.geometry.pieceStart(piece);
    return { start, end: start + this.geometry.pieceLength(piece) };
  }

  piecesOf(file: TorrentFile): { readonly first: number; readonly end: number } {
    return this.geometry.piecesOf(this.geometry.fileRange(file));
  }

  /** Runs in order; pad files appear in none: their bytes are zeros. `aside`: files taken to lie in the parts file. */
  runsOf(range: ByteRange, aside?: ReadonlySet<FileKey>): Run[] {
    const runs: Run[] = [];
    for (const { file, fileOffsetBytes, lengthBytes, torrentOffsetBytes } of this.geometry.spansOf(range)) {
      if (file.isPad) continue;
      const isAside = !this.isPresent(file) || aside?.has(file.index) === true;
      const key = isAside ? PARTS : file.index;
      const offsetBytes = isAside ? torrentOffsetBytes : fileOffsetBytes;
      const last = runs.at(-1);
      if (last !== undefined && last.key === key && last.offsetBytes + last.lengthBytes === offsetBytes) {
        runs[runs.length - 1] = { ...last, lengthBytes: last.lengthBytes + lengthBytes };
      } else runs.push({ key, offsetBytes, lengthBytes, torrentOffsetBytes });
    }
    return runs;
  }

  hasPads(range: ByteRange): boolean {
    return this.geometry.spansOf(range).some((span) => span.file.isPad);
  }
}
