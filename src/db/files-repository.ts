// The files of torrents, pad files left out. The one place where the choice of files is kept.

import type { Database } from "bun:sqlite";
import type { FileIndex, InfoHash, SafePath } from "../base/brand.ts";
import type { StoredPriority } from "./torrents-repository.ts";

export interface FileRow {
  readonly index: FileIndex;
  /** Written from checked paths only. */
  readonly path: SafePath;
  readonly size: number;
  readonly isSelected: boolean;
  readonly isVideo: boolean;
  readonly priority: StoredPriority;
  /** As of the last flush; what the engine says now is truer. */
  readonly verifiedBytes: number;
}

interface StoredFile {
  readonly file_index: number;
  readonly path: string;
  readonly size: number;
  readonly is_selected: number;
  readonly is_video: number;
  readonly priority: StoredPriority;
  readonly verified_bytes: number;
}

const COLUMNS = "file_index, path, size, is_selected, is_video, priority, verified_bytes";
const SELECT_ALL = `SELECT ${COLUMNS} FROM torrent_files WHERE torrent_id = $id ORDER BY file_index`;
const SELECT_ONE = `SELECT ${COLUMNS} FROM torrent_files WHERE torrent_id = $id AND file_index = $index`;

export class FilesRepository {
  readonly #of;
  readonly #one;
  readonly #insert;
  readonly #choose;
  readonly #verified;
  readonly #delete;

  constructor(db: Database) {
    this.#of = db.prepare<StoredFile, { id: string }>(SELECT_ALL);
    this.#one = db.prepare<StoredFile, { id: string; index: number }>(SELECT_ONE);
    this.#insert = db.prepare(
      `INSERT INTO torrent_files (torrent_id, file_index, path, size, is_selected, is_video, priority, verified_bytes)
       VALUES ($id, $index, $path, $size, $isSelected, $isVideo, $priority, $verifiedBytes)`,
    );
    this.#choose = db.prepare(
      `UPDATE torrent_files SET is_selected = $isSelected, priority = $priority
       WHERE torrent_id = $id AND file_index = $index`,
    );
    this.#verified = db.prepare(
      "UPDATE torrent_files SET verified_bytes = $verifiedBytes WHERE torrent_id = $id AND file_index = $index",
    );
    this.#delete = db.prepare("DELETE FROM torrent_files WHERE torrent_id = $id");
  }

  /** Every file of a torrent by index; empty while its metadata is pending. */
  of(id: InfoHash): FileRow[] {
    return this.#of.all({ id }).map(toRow);
  }

  one(id: InfoHash, index: number): FileRow | null {
    const row = this.#one.get({ id, index });
    return row === null ? null : toRow(row);
  }

  /** Takes the place of whatever rows the torrent has. */
  replace(id: InfoHash, rows: readonly FileRow[]): void {
    this.#delete.run({ id });
    for (const row of rows) {
      this.#insert.run({ id, ...row, isSelected: row.isSelected ? 1 : 0, isVideo: row.isVideo ? 1 : 0 });
    }
  }

  choose(id: InfoHash, row: Pick<FileRow, "index" | "isSelected" | "priority">): void {
    this.#choose.run({
      id,
      index: row.index,
      isSelected: row.isSelected ? 1 : 0,
      priority: row.priority,
    });
  }

  setVerifiedBytes(id: InfoHash, index: number, verifiedBytes: number): void {
    this.#verified.run({ id, index, verifiedBytes });
  }
}

function toRow(row: StoredFile): FileRow {
  return {
    index: row.file_index as FileIndex,
    path: row.path as SafePath,
    size: row.size,
    isSelected: row.is_selected === 1,
    isVideo: row.is_video === 1,
    priority: row.priority,
    verifiedBytes: row.verified_bytes,
  };
}
