// Which files of a torrent are wanted: from the metadata, from the user, for the engine.

import { TorrxError } from "../../base/errors.ts";
import type { FileRow } from "../../db/index.ts";
import type { FileChoice } from "../../engine/port.ts";
import { isVideo, type Magnet, type TorrentInfo } from "../../metainfo/index.ts";
import type { FilePatch } from "../ports.ts";

const PRIORITIES = ["low", "normal", "high"] as const;
const NOT_WANTED: FileChoice = { isSelected: false, priority: "normal" };

/** Rows of a new torrent: everything selected, or what the magnet asks for (BEP 53). Pad files get none. */
export function fileRowsOf(info: TorrentInfo, selectOnly: Magnet["selectOnly"]): FileRow[] {
  return info.files
    .filter((file) => !file.isPad)
    .map((file) => ({
      index: file.index,
      path: file.path,
      size: file.lengthBytes,
      isSelected:
        selectOnly === null || selectOnly.some(([first, last]) => first <= file.index && file.index <= last),
      isVideo: isVideo(file.path),
      priority: "normal" as const,
      verifiedBytes: 0,
    }));
}

/** By file index; empty where everything is selected at normal priority. Pad files in between are never wanted. */
export function fileChoicesOf(files: readonly FileRow[]): FileChoice[] {
  if (files.every((file) => file.isSelected && file.priority === "normal")) return [];
  const choices = new Array<FileChoice>((files.at(-1)?.index ?? -1) + 1).fill(NOT_WANTED);
  for (const { index, isSelected, priority } of files) choices[index] = { isSelected, priority };
  return choices;
}

/** The rows after all patches. Throws validation, and then nothing of any patch counts. */
export function patchedFiles(files: readonly FileRow[], patches: readonly FilePatch[]): FileRow[] {
  const byIndex = new Map<number, FileRow>(files.map((file) => [file.index, file]));
  for (const patch of patches) {
    const file = byIndex.get(patch.index);
    if (file === undefined)
      throw new TorrxError("validation", "index must be that of a file of the torrent.");
    byIndex.set(patch.index, { ...file, ...checkedPatch(patch) });
  }
  return [...byIndex.values()];
}

function checkedPatch({
  isSelected,
  priority,
}: FilePatch): Partial<Pick<FileRow, "isSelected" | "priority">> {
  if (isSelected !== undefined && typeof isSelected !== "boolean") {
    throw new TorrxError("validation", "is_selected must be true or false.");
  }
  if (priority !== undefined && !PRIORITIES.includes(priority)) {
    throw new TorrxError("validation", "priority must be low, normal or high.");
  }
  return {
    ...(isSelected === undefined ? {} : { isSelected }),
    ...(priority === undefined ? {} : { priority }),
  };
}
