// The name of a torrent's file or folder on disk, decided once: its own, or its own with " (2)", " (3)" … where another
// torrent of the list lies there. What lies there without a torrent is taken for earlier data of this one, until a
// check of it says otherwise (relocation.ts).

import type { SafePath } from "../../base/brand.ts";
import { LIMITS } from "../../base/limits.ts";
import type { TorrentRow } from "../../db/index.ts";
import { safeComponent, type TorrentInfo } from "../../metainfo/index.ts";
import type { Catalogue } from "./catalogue.ts";

const MAX_BYTES = LIMITS.metainfo.pathComponentBytes;
/** Of names that are tried because other data lies under the one before. */
const MAX_TRIED = 20;

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

/** The name after the torrent's own of now; null where it has none yet or enough were tried. */
export function nextDiskName(
  catalogue: Catalogue,
  { layout, savePath }: Pick<TorrentRow, "layout" | "savePath">,
): SafePath | null {
  if (layout === null) return null;
  const taken = takenNames(catalogue, savePath);
  let isBehind = layout.diskName === null;
  for (let n = 2; n <= MAX_TRIED; n++) {
    const candidate = numbered(layout.torrentName, n, layout.isMultiFile);
    if (isBehind && !taken.has(folded(candidate))) return candidate;
    isBehind ||= candidate === layout.diskName;
  }
  return null;
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
