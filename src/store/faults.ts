// Which fault of the store an error of the system means.

import { systemCodeOf } from "../base/errors.ts";
import type { StoreFault } from "./ports.ts";

/** Something lies on disk where a file or folder of the torrent belongs, and it is not ours to move. */
export class DataConflictError extends Error {
  override readonly name = "DataConflictError";
}

const FULL = new Set(["ENOSPC", "EDQUOT"]);
const CONFLICT = new Set(["ELOOP", "EISDIR", "ENOTDIR", "EEXIST", "ENXIO"]);
/** The machine is short of handles or memory: says nothing about the file. */
const BUSY = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN"]);

export function faultOf(error: unknown): StoreFault {
  if (error instanceof DataConflictError) return "data_conflict";
  const code = systemCodeOf(error) ?? "";
  if (FULL.has(code)) return "disk_full";
  if (CONFLICT.has(code)) return "data_conflict";
  return "disk_error";
}

export function isShortOfResources(error: unknown): boolean {
  return BUSY.has(systemCodeOf(error) ?? "");
}

/** One line for the user: what failed, without a path. */
export function faultDetail(error: unknown): string {
  if (error instanceof DataConflictError) return error.message;
  const code = systemCodeOf(error);
  if (code === "ESTALE")
    return "a file was removed or replaced while it was written; a recheck brings it back";
  return code === undefined ? "the disk refused an operation" : `the disk refused an operation (${code})`;
}
