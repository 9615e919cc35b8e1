// The name of a torrent's file or folder on disk, decided once: its own, or its own with " (2)", " (3)" … where another
// torrent of the list lies there. What lies there without a torrent is taken for earlier data of this one.

import type { SafePath } from "../../base/brand.ts";
import { LIMITS } from "../../base/limits.ts";
import { safeComponent, type TorrentInfo } from "../../metainfo/index.ts";
import type { Catalogue } from "./catalogue.ts";

const MAX_BYTES = LIMITS.metainfo.pathComponentBytes;

/** For a torrent that has no place yet. null where its own name is free in `saveDirectory`. */
export function pickDiskName(
  catalogue: Catalogue,
  info: Pick<TorrentInfo, "name" | "isMultiFile">,
  saveDirectory: string,
): SafePath | null {
  const taken = takenNames(catalogue, saveDirectory);
  if (!taken.has(folded(info.name))) return null;
  for (let n = 2; ; n++) {
    const candidate = numbered(info.name, n, info.isMultiFile);
    if (!taken.has(folded(candidate))) return candidate;
  }
}

function takenNames(catalogue: Catalogue, saveDirectory: string): Set<string> {
  const names = new Set<string>();
  for (const { row } of catalogue.values()) {
    if (row.layout === null || row.savePath !== saveDirectory) continue;
    names.add(folded(row.layout.diskName ?? row.layout.torrentName));
  }
  return names;
}

/** Names that some file system takes for the same. */
function folded(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** The number goes before a file's extension, behind a folder's name. */
function numbered(name: string, n: number, isFolder: boolean): SafePath {
  const dot = isFolder ? -1 : name.lastIndexOf(".");
  const stem = dot > 0 ? name.slice(0, dot) : name;
  const tail = ` (${n})${dot > 0 ? name.slice(dot) : ""}`;
  return safeComponent(cutTo(stem, MAX_BYTES - Buffer.byteLength(tail)) + tail);
}

function cutTo(text: string, maxBytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > maxBytes) cut = [...cut].slice(0, -1).join("");
  return cut;
}
