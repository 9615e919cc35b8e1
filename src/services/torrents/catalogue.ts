// Every torrent in memory: its database row and what the engine last said about it. The row is changed only after the
// database has (or will have, for what the engine tells), so the two never disagree for long.

import type { FileIndex, InfoHash } from "../../base/brand.ts";
import { TorrxError } from "../../base/errors.ts";
import type { FileRow, FilesRepository, TorrentRow } from "../../db/index.ts";
import type { TorrentFault, TorrentStats } from "../../engine/port.ts";

/** Why the services keep a torrent from going on, though the engine sees no fault. */
export interface Hold {
  readonly code: TorrentFault;
  readonly message: string;
}

/** Where a file lies, for players that ask for it many times a second. */
export interface ServedFile {
  readonly row: TorrentRow;
  readonly index: FileIndex;
  readonly name: string;
  readonly lengthBytes: number;
  readonly diskPath: string;
  readonly etag: string;
}

export interface TorrentEntry {
  row: TorrentRow;
  /** null until the engine has spoken in this run. */
  stats: TorrentStats | null;
  hold: Hold | null;
  /** Files that the database does not have yet. */
  unsavedFiles: readonly FileRow[] | null;
  /** Where each file, pad files too, begins in the torrent's bytes; null until somebody asks. */
  fileStarts: readonly number[] | null;
  /** The file that was asked for last; holds as long as the row it was made from. */
  served: ServedFile | null;
  /** Verified bytes by file index as the database has them; null = not known in this run. */
  savedFileBytes: readonly number[] | null;
  /** The name as a search sees it. */
  foldedName: string;
}

export class Catalogue {
  readonly #byId = new Map<InfoHash, TorrentEntry>();
  readonly #files: FilesRepository;

  constructor(files: FilesRepository) {
    this.#files = files;
  }

  get size(): number {
    return this.#byId.size;
  }

  values(): IterableIterator<TorrentEntry> {
    return this.#byId.values();
  }

  get(id: InfoHash): TorrentEntry | undefined {
    return this.#byId.get(id);
  }

  /** Throws not_found. */
  require(id: InfoHash): TorrentEntry {
    const entry = this.#byId.get(id);
    if (entry === undefined) throw new TorrxError("not_found", "There is no such torrent.");
    return entry;
  }

  add(row: TorrentRow): TorrentEntry {
    const entry: TorrentEntry = {
      row,
      stats: null,
      hold: null,
      unsavedFiles: null,
      fileStarts: null,
      served: null,
      savedFileBytes: null,
      foldedName: foldText(row.name),
    };
    this.#byId.set(row.id, entry);
    return entry;
  }

  remove(id: InfoHash): void {
    this.#byId.delete(id);
  }

  setRow(entry: TorrentEntry, change: Partial<TorrentRow>): void {
    entry.row = { ...entry.row, ...change };
    if (change.name !== undefined) entry.foldedName = foldText(change.name);
  }

  /** The torrent's files by index, without pad files; empty while the metadata is pending. */
  filesOf(entry: TorrentEntry): readonly FileRow[] {
    return entry.unsavedFiles ?? this.#files.of(entry.row.id);
  }

  fileOf(entry: TorrentEntry, index: number): FileRow | null {
    if (entry.unsavedFiles === null) return this.#files.one(entry.row.id, index);
    return entry.unsavedFiles.find((file) => file.index === index) ?? null;
  }
}

/** Text as a search compares it: neither case nor the way it is composed matters. */
export function foldText(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}
