// Rows and an opened database for the tests of db.

import { join } from "node:path";
import type { FileIndex, InfoHash, SafePath } from "../../../src/base/brand.ts";
import { silentLog } from "../../../src/base/log.ts";
import { type FileRow, type OpenOptions, openDatabase, type TorrentRow } from "../../../src/db/index.ts";

export const MIGRATIONS = join(import.meta.dir, "../../../migrations");

export function open(path: string, options: Partial<OpenOptions> = {}) {
  return openDatabase(path, { migrationsDir: MIGRATIONS, log: silentLog, ...options });
}

export function idOf(n: number): InfoHash {
  return n.toString(16).padStart(40, "0") as InfoHash;
}

export function torrentRow(n: number, over: Partial<TorrentRow> = {}): TorrentRow {
  return {
    id: idOf(n),
    name: `Torrent ${n}`,
    isRenamed: false,
    magnetUri: null,
    trackers: [["http://tracker.example/announce"]],
    savePath: "/downloads",
    layout: null,
    status: "metadata",
    fault: null,
    faultDetail: null,
    isPaused: false,
    priority: "normal",
    download: "all",
    maxDownloadSpeed: 0,
    maxUploadSpeed: 0,
    progress: 0,
    downloaded: 0,
    uploaded: 0,
    addedAtMs: 1_000 + n,
    completedAtMs: null,
    removal: null,
    ...over,
  };
}

export function fileRow(index: number, over: Partial<FileRow> = {}): FileRow {
  return {
    index: index as FileIndex,
    path: `part ${index}.mkv` as SafePath,
    size: 1_000,
    isSelected: true,
    isVideo: true,
    priority: "normal",
    verifiedBytes: 0,
    ...over,
  };
}
