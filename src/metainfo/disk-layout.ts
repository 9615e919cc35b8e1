// Where a torrent's files lie on disk. The one rule, shared by the store (which writes them) and by the HTTP side
// (which reads complete ones).

import { join } from "node:path";
import type { TorrentFile, TorrentInfo } from "./types.ts";

export interface DiskPlace {
  /** Absolute; the download folder of this torrent. */
  readonly saveDirectory: string;
  /** Replaces the torrent's own name where another torrent has it already; null = its own. */
  readonly diskName: string | null;
}

/** As much of a torrent as its place on disk depends on. */
export type DiskShape = Pick<TorrentInfo, "name" | "isMultiFile">;

/** The torrent's own folder, or null for a torrent of a single file. */
export function torrentFolderOf(info: DiskShape, place: DiskPlace): string | null {
  return info.isMultiFile ? join(place.saveDirectory, place.diskName ?? info.name) : null;
}

/** Absolute path of one file. */
export function filePathOf(info: DiskShape, place: DiskPlace, file: Pick<TorrentFile, "path">): string {
  const folder = torrentFolderOf(info, place);
  return folder === null ? join(place.saveDirectory, place.diskName ?? file.path) : join(folder, file.path);
}
