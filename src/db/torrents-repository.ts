// One row per torrent. Writers are grouped by who causes them: the user's choices, the metadata, the engine's figures.

import type { Database } from "bun:sqlite";
import type { InfoHash, SafePath } from "../base/brand.ts";
import { parseOrUndefined } from "./settings-repository.ts";

export type StoredPriority = "low" | "normal" | "high";
export type StoredStatus =
  | "metadata"
  | "queued"
  | "checking"
  | "downloading"
  | "seeding"
  | "completed"
  | "paused"
  | "error";

/** What the metadata tells of a torrent; the place on disk is decided once, with it. */
export interface LayoutRow {
  readonly torrentName: SafePath;
  readonly diskName: SafePath | null;
  readonly isMultiFile: boolean;
  readonly isPrivate: boolean;
  readonly totalSize: number;
}

/** What the user decides. */
export interface ChoicesRow {
  readonly name: string;
  /** The name is the user's own: metadata does not replace it. */
  readonly isRenamed: boolean;
  readonly trackers: readonly (readonly string[])[];
  readonly isPaused: boolean;
  readonly priority: StoredPriority;
  readonly download: "all" | "watched";
  readonly maxDownloadSpeed: number;
  readonly maxUploadSpeed: number;
}

/** What the engine tells, written in batches. */
export interface FiguresRow {
  readonly status: StoredStatus;
  readonly fault: string | null;
  readonly faultDetail: string | null;
  readonly progress: number;
  readonly downloaded: number;
  readonly uploaded: number;
}

export interface TorrentRow extends ChoicesRow, FiguresRow {
  readonly id: InfoHash;
  readonly magnetUri: string | null;
  readonly savePath: string;
  /** null while the metadata is pending. */
  readonly layout: LayoutRow | null;
  readonly addedAtMs: number;
  readonly completedAtMs: number | null;
  readonly removal: "list" | "files" | null;
}

interface StoredTorrent {
  readonly id: string;
  readonly name: string;
  readonly is_renamed: number;
  readonly magnet_uri: string | null;
  readonly trackers: string;
  readonly save_path: string;
  readonly torrent_name: string | null;
  readonly disk_name: string | null;
  readonly is_multi_file: number;
  readonly is_private: number;
  readonly total_size: number | null;
  readonly status: StoredStatus;
  readonly fault: string | null;
  readonly fault_detail: string | null;
  readonly is_paused: number;
  readonly priority: StoredPriority;
  readonly download: "all" | "watched";
  readonly max_download_speed: number;
  readonly max_upload_speed: number;
  readonly progress: number;
  readonly downloaded: number;
  readonly uploaded: number;
  readonly added_at: number;
  readonly completed_at: number | null;
  readonly removal: "list" | "files" | null;
}

export class TorrentsRepository {
  readonly #all;
  readonly #insert;
  readonly #choices;
  readonly #layout;
  readonly #figures;
  readonly #completed;
  readonly #removal;
  readonly #delete;

  constructor(db: Database) {
    this.#all = db.prepare<StoredTorrent, []>("SELECT * FROM torrents ORDER BY added_at, id");
    this.#insert = db.prepare(
      `INSERT INTO torrents (id, name, is_renamed, magnet_uri, trackers, save_path, status, is_paused, priority,
         download, max_download_speed, max_upload_speed, progress, downloaded, uploaded, added_at)
       VALUES ($id, $name, $isRenamed, $magnetUri, $trackers, $savePath, $status, $isPaused, $priority,
         $download, $maxDownloadSpeed, $maxUploadSpeed, $progress, $downloaded, $uploaded, $addedAtMs)`,
    );
    this.#choices = db.prepare(
      `UPDATE torrents SET name = $name, is_renamed = $isRenamed, trackers = $trackers, is_paused = $isPaused,
         priority = $priority, download = $download,
         max_download_speed = $maxDownloadSpeed, max_upload_speed = $maxUploadSpeed
       WHERE id = $id`,
    );
    this.#layout = db.prepare(
      `UPDATE torrents SET torrent_name = $torrentName, disk_name = $diskName, is_multi_file = $isMultiFile,
         is_private = $isPrivate, total_size = $totalSize
       WHERE id = $id`,
    );
    this.#figures = db.prepare(
      `UPDATE torrents SET status = $status, fault = $fault, fault_detail = $faultDetail, progress = $progress,
         downloaded = $downloaded, uploaded = $uploaded
       WHERE id = $id`,
    );
    this.#completed = db.prepare("UPDATE torrents SET completed_at = $atMs WHERE id = $id");
    this.#removal = db.prepare("UPDATE torrents SET removal = $removal WHERE id = $id");
    this.#delete = db.prepare("DELETE FROM torrents WHERE id = $id");
  }

  /** Every torrent, oldest first. */
  all(): TorrentRow[] {
    return this.#all.all().map(toRow);
  }

  /** Throws SQLITE_CONSTRAINT_PRIMARYKEY where the id is there already. */
  insert(row: TorrentRow): void {
    this.#insert.run({
      ...choicesOf(row),
      id: row.id,
      magnetUri: row.magnetUri,
      savePath: row.savePath,
      status: row.status,
      progress: row.progress,
      downloaded: row.downloaded,
      uploaded: row.uploaded,
      addedAtMs: row.addedAtMs,
    });
    if (row.layout !== null) this.setLayout(row.id, row.layout);
  }

  setChoices(row: ChoicesRow & { readonly id: InfoHash }): void {
    this.#choices.run({ id: row.id, ...choicesOf(row) });
  }

  setLayout(id: InfoHash, layout: LayoutRow): void {
    this.#layout.run({
      id,
      torrentName: layout.torrentName,
      diskName: layout.diskName,
      isMultiFile: layout.isMultiFile ? 1 : 0,
      isPrivate: layout.isPrivate ? 1 : 0,
      totalSize: layout.totalSize,
    });
  }

  setFigures(id: InfoHash, figures: FiguresRow): void {
    this.#figures.run({
      id,
      status: figures.status,
      fault: figures.fault,
      faultDetail: figures.faultDetail,
      progress: figures.progress,
      downloaded: figures.downloaded,
      uploaded: figures.uploaded,
    });
  }

  setCompleted(id: InfoHash, atMs: number): void {
    this.#completed.run({ id, atMs });
  }

  setRemoval(id: InfoHash, removal: "list" | "files" | null): void {
    this.#removal.run({ id, removal });
  }

  /** Its files, metadata and resume data go with it. */
  delete(id: InfoHash): void {
    this.#delete.run({ id });
  }
}

function choicesOf(row: ChoicesRow) {
  return {
    name: row.name,
    isRenamed: row.isRenamed ? 1 : 0,
    trackers: JSON.stringify(row.trackers),
    isPaused: row.isPaused ? 1 : 0,
    priority: row.priority,
    download: row.download,
    maxDownloadSpeed: row.maxDownloadSpeed,
    maxUploadSpeed: row.maxUploadSpeed,
  };
}

function toRow(row: StoredTorrent): TorrentRow {
  return {
    id: row.id as InfoHash,
    name: row.name,
    isRenamed: row.is_renamed === 1,
    magnetUri: row.magnet_uri,
    trackers: trackersOf(row.trackers),
    savePath: row.save_path,
    layout: layoutOf(row),
    status: row.status,
    fault: row.fault,
    faultDetail: row.fault_detail,
    isPaused: row.is_paused === 1,
    priority: row.priority,
    download: row.download,
    maxDownloadSpeed: row.max_download_speed,
    maxUploadSpeed: row.max_upload_speed,
    progress: row.progress,
    downloaded: row.downloaded,
    uploaded: row.uploaded,
    addedAtMs: row.added_at,
    completedAtMs: row.completed_at,
    removal: row.removal,
  };
}

function layoutOf(row: StoredTorrent): LayoutRow | null {
  if (row.torrent_name === null || row.total_size === null) return null;
  return {
    torrentName: row.torrent_name as SafePath,
    diskName: row.disk_name as SafePath | null,
    isMultiFile: row.is_multi_file === 1,
    isPrivate: row.is_private === 1,
    totalSize: row.total_size,
  };
}

/** A row that lost its shape yields no trackers rather than no torrent. */
function trackersOf(json: string): readonly (readonly string[])[] {
  const value = parseOrUndefined(json);
  if (!Array.isArray(value)) return [];
  return value
    .filter((tier): tier is unknown[] => Array.isArray(tier))
    .map((tier) => tier.filter((url): url is string => typeof url === "string"));
}
