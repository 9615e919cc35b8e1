// What it means to a viewer that a file of a torrent cannot be opened.

import { systemCodeOf, TorrxError } from "./errors.ts";

/** A link or a folder where the file was is no file of ours: it could lead anywhere. */
const GONE = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"]);

/** not_found where the file is gone, busy where no more can be opened; null for what is wrong with anything else. */
export function openFailureOf(error: unknown): TorrxError | null {
  const code = systemCodeOf(error) ?? "";
  if (GONE.has(code))
    return new TorrxError("not_found", "the file is not on the disk any more", { cause: error });
  if (code !== "EMFILE" && code !== "ENFILE") return null;
  return new TorrxError("busy", "too many files are open", { cause: error, retryAfterSec: 5 });
}
