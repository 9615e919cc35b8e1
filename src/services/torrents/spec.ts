// A torrent as the engine is given it.

import type { TorrentSpec } from "../../engine/port.ts";
import { tryMagnet } from "../../metainfo/index.ts";
import type { TorrentEntry } from "./catalogue.ts";
import type { TorrentsContext } from "./context.ts";
import { fileChoicesOf } from "./file-choice.ts";

/** Reads the blobs of the torrent from the database. */
export function specOf(
  context: Pick<TorrentsContext, "catalogue" | "database">,
  entry: TorrentEntry,
): TorrentSpec {
  const { row } = entry;
  const isKnown = row.layout !== null;
  return {
    id: row.id,
    infoBytes: isKnown ? context.database.resume.infoBytes(row.id) : null,
    trackers: row.trackers,
    peers: row.magnetUri === null ? [] : (tryMagnet(row.magnetUri)?.peers ?? []),
    saveDirectory: row.savePath,
    diskName: row.layout?.diskName ?? null,
    isPaused: row.isPaused,
    priority: row.priority,
    download: row.download,
    files: isKnown ? fileChoicesOf(context.catalogue.filesOf(entry)) : [],
    maxDownloadSpeed: row.maxDownloadSpeed,
    maxUploadSpeed: row.maxUploadSpeed,
    downloadedBytes: row.downloaded,
    uploadedBytes: row.uploaded,
    addedAtMs: row.addedAtMs,
    completedAtMs: row.completedAtMs,
    resume: isKnown ? context.database.resume.get(row.id) : null,
  };
}
