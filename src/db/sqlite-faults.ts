// SQLite's result codes in the product's words.

import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";

/** The file is damaged or is no database: reading on could give wrong answers. */
export function isCorruption(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
}

/** The database has no room to write; it goes on as soon as there is some. */
export function isDatabaseFull(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return code === "SQLITE_FULL" || code === "ENOSPC" || code === "EDQUOT";
}

/** No room for the shared index of the write-ahead log. */
export function isShmFull(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return code.startsWith("SQLITE_IOERR_SHM") || isDatabaseFull(error);
}

/** Another program holds the database locked. */
export function isLocked(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED");
}

/** The file or its folder cannot be opened or written. */
export function isInaccessible(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return (
    code.startsWith("SQLITE_CANTOPEN") ||
    code.startsWith("SQLITE_READONLY") ||
    code === "SQLITE_PERM" ||
    ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST"].includes(code)
  );
}

/** The fault lies in the surroundings (space, locks, I/O), not in the statement or its values. */
export function isWorthRetrying(error: unknown): boolean {
  const code = systemCodeOf(error) ?? "";
  return (
    code.startsWith("SQLITE_") && !/^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG|ERROR|RANGE|MISUSE)/.test(code)
  );
}

/** A failed write as the caller of a use-case sees it: disk_full, busy or internal; TorrxErrors pass unchanged. */
export function toWriteError(error: unknown): TorrxError {
  if (error instanceof TorrxError) return error;
  if (isDatabaseFull(error)) {
    return new TorrxError("disk_full", "no space left on the disk of the database", { cause: error });
  }
  if (isLocked(error)) {
    return new TorrxError("busy", "the database is locked by another program", {
      cause: error,
      retryAfterSec: 2,
    });
  }
  return new TorrxError("internal", `the database failed: ${describeError(error)}`, { cause: error });
}
