// Whether a torrent fits on its disk, asked before anything of it is written.

import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { FileRow } from "../../db/index.ts";
import { type DiskPlace, type DiskShape, filePathOf } from "../../metainfo/index.ts";
import type { Volume } from "../volume.ts";

export interface SpaceNeed {
  readonly shape: DiskShape;
  readonly place: DiskPlace;
  readonly files: readonly Pick<FileRow, "path" | "size" | "isSelected">[];
}

const GIB = 1024 ** 3;

/** Throws disk_full, saying how much is needed, where the selected files do not fit beside the reserve. */
export async function requireSpace(volume: Volume, need: SpaceNeed): Promise<void> {
  const selected = need.files.filter((file) => file.isSelected);
  const selectedBytes = selected.reduce((sum, { size }) => sum + size, 0);
  const { freeBytes, totalBytes } = await volume.spaceOf(need.place.saveDirectory);
  const reserveBytes = Math.min(LIMITS.disk.reserveBytes, totalBytes * LIMITS.disk.reserveShare);
  const usableBytes = freeBytes - reserveBytes;
  if (selectedBytes <= usableBytes) return;
  // Only now is it worth asking what of it is on disk already.
  const missingBytes = selectedBytes - (await presentBytes(volume, need, selected));
  if (missingBytes <= usableBytes) return;
  const [needed, free] = [inGiB(missingBytes), inGiB(Math.max(0, usableBytes))];
  throw new TorrxError(
    "disk_full",
    `Not enough space: ${needed} GiB needed, ${free} GiB free beside the reserve.`,
  );
}

/** What the files take up on disk as they lie there. */
export async function presentBytes(
  volume: Volume,
  { shape, place }: Pick<SpaceNeed, "shape" | "place">,
  files: SpaceNeed["files"],
): Promise<number> {
  let sum = 0;
  for (const file of files) {
    sum += Math.min(file.size, await volume.allocatedBytes(filePathOf(shape, place, file)));
  }
  return sum;
}

function inGiB(bytes: number): string {
  return (bytes / GIB).toFixed(2);
}
