// One process per database. The lock is the kernel's (an SQLite file beside the database, held in an exclusive
// transaction for life), so it ends with its process however that ends, and holds across containers that share the
// folder, where process ids would say nothing.

import { Database } from "bun:sqlite";
import { rmSync } from "node:fs";
import { TorrxError } from "../base/errors.ts";
import { isCorruption, isLocked } from "./sqlite-faults.ts";

export interface InstanceLock {
  release(): void;
}

/** Takes the lock of the database at `databasePath`. Throws start_failed where another process holds it. */
export function acquireInstanceLock(databasePath: string): InstanceLock {
  const lockPath = `${databasePath}.lock`;
  try {
    return hold(lockPath);
  } catch (error) {
    if (isLocked(error)) {
      throw new TorrxError(
        "start_failed",
        `another TorrX already uses the database ${databasePath}; stop it, or set storage.db_path to another file`,
        { cause: error },
      );
    }
    if (!isCorruption(error)) throw error;
    rmSync(lockPath, { force: true });
    return hold(lockPath);
  }
}

function hold(lockPath: string): InstanceLock {
  const handle = new Database(lockPath, { create: true, readwrite: true });
  try {
    handle.run("PRAGMA busy_timeout = 0");
    handle.run("PRAGMA journal_mode = OFF");
    // Written once: taking the lock of a file that holds something needs no room on a full disk.
    const marked = handle.query<{ user_version: number }, []>("PRAGMA user_version").get();
    if (marked?.user_version !== 1) handle.run("PRAGMA user_version = 1");
    handle.run("BEGIN EXCLUSIVE");
  } catch (error) {
    handle.close(true);
    throw error;
  }
  return { release: () => handle.close(true) };
}
