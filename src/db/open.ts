// Opening the database, whatever state it is in. A damaged file never stops the server and is never deleted: it is
// set aside, and the copy of the last clean stop, or a new database, takes its place. What a user has to decide
// (no access, a newer schema, a second instance) ends the start with one line instead.

import { Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type DatabaseWarning, TorrxDatabase } from "./database.ts";
import {
  backupPathOf,
  copyDurably,
  isEmptyOrMissing,
  prepareDatabaseFile,
  quarantine,
  removeDatabaseFiles,
} from "./database-files.ts";
import { acquireInstanceLock, type InstanceLock } from "./instance-lock.ts";
import { type Migration, type MigrationStep, migrate, readMigrations } from "./migrate.ts";
import { isCorruption, isDatabaseFull, isInaccessible, isLocked, isShmFull } from "./sqlite-faults.ts";

export interface OpenOptions {
  readonly migrationsDir: string;
  readonly log: Log;
  /** Wall clock, for the names of files set aside. */
  readonly wallMs?: () => number;
  /** For tests that end a migration at a step. */
  readonly onMigrationStep?: (version: number, step: MigrationStep) => void;
}

interface OpenContext {
  readonly path: string;
  readonly migrations: readonly Migration[];
  readonly lock: InstanceLock;
  readonly log: Log;
  readonly wallMs: () => number;
  readonly onStep: ((version: number, step: MigrationStep) => void) | undefined;
}

/** The file is readable for SQLite but its content cannot be trusted. */
class DamagedDatabase extends Error {}

const SMALLEST_DATABASE_BYTES = 512;

/** How long another program's lock is waited for (ms). Waiting blocks the loop, so it is long at start only. */
const WAIT_AT_START = "PRAGMA busy_timeout = 5000";
const WAIT_WHILE_SERVING = "PRAGMA busy_timeout = 250";

/** Opens, checks and migrates the database at `path`. Throws start_failed with one line that says what to do. */
export function openDatabase(path: string, options: OpenOptions): TorrxDatabase {
  let lock: InstanceLock | null = null;
  try {
    const wasMissing = !existsSync(path);
    prepareDatabaseFile(path);
    lock = acquireInstanceLock(path);
    const context: OpenContext = {
      path,
      lock,
      migrations: readMigrations(options.migrationsDir),
      log: options.log.of("db"),
      wallMs: options.wallMs ?? Date.now,
      onStep: options.onMigrationStep,
    };
    return openWhateverThereIs(context, wasMissing);
  } catch (error) {
    lock?.release();
    throw toStartError(path, error);
  }
}

function openWhateverThereIs(context: OpenContext, wasMissing: boolean): TorrxDatabase {
  const { path } = context;
  if (wasMissing || !isCutOff(path)) {
    try {
      return openSound(context);
    } catch (error) {
      if (!isDamage(error)) throw error;
      context.log.error("the database is damaged", { error: describeError(error) });
    }
  }
  const asidePath = quarantine(path, context.wallMs());
  prepareDatabaseFile(path);
  const restored = openBackup(context);
  const database = restored ?? openSound(context);
  database.warnings.push(damageWarning(asidePath, restored !== null));
  for (const { message } of database.warnings) context.log.error(message);
  return database;
}

/** SQLite takes such a file for a new database and would start over in silence. */
function isCutOff(path: string): boolean {
  const { size } = statSync(path);
  return size === 0 ? existsSync(backupPathOf(path)) : size < SMALLEST_DATABASE_BYTES;
}

function openBackup(context: OpenContext): TorrxDatabase | null {
  const backupPath = backupPathOf(context.path);
  if (isEmptyOrMissing(backupPath)) return null;
  try {
    copyDurably(backupPath, context.path);
    return openSound(context);
  } catch (error) {
    if (!isDamage(error)) throw error;
    context.log.error("the copy of the database is damaged too", { error: describeError(error) });
    removeDatabaseFiles(context.path);
    prepareDatabaseFile(context.path);
    return null;
  }
}

function openSound(context: OpenContext): TorrxDatabase {
  try {
    return openOnce(context, { needsShm: true });
  } catch (error) {
    if (!isShmFull(error)) throw error;
    context.log.warn("the disk of the database is full");
    return openOnce(context, { needsShm: false });
  }
}

function openOnce(context: OpenContext, { needsShm }: { readonly needsShm: boolean }): TorrxDatabase {
  const { path, lock, log } = context;
  const handle = new Database(path, { create: true, readwrite: true, strict: true });
  try {
    // The index of the write-ahead log then lies in memory, and an existing database opens on a full disk; the price
    // is that no other program can read it meanwhile.
    if (!needsShm) handle.run("PRAGMA locking_mode = EXCLUSIVE");
    configure(handle);
    check(handle, path);
    migrate(handle, {
      migrations: context.migrations,
      path,
      nowMs: context.wallMs(),
      onStep: context.onStep,
      beforeChange: (fromVersion) => keepCopy(handle, path, fromVersion),
    });
    handle.run(WAIT_WHILE_SERVING);
    return build(() => new TorrxDatabase({ handle, path, lock, log }));
  } catch (error) {
    handle.close(true);
    throw error;
  }
}

function configure(handle: Database): void {
  handle.run(WAIT_AT_START);
  handle.run("PRAGMA cell_size_check = ON");
  handle.run("PRAGMA trusted_schema = OFF");
  handle.run("PRAGMA journal_mode = WAL");
  handle.run("PRAGMA synchronous = NORMAL");
  handle.run("PRAGMA foreign_keys = ON");
  handle.run("PRAGMA temp_store = MEMORY");
  handle.run("PRAGMA journal_size_limit = 67108864");
}

function check(handle: Database, path: string): void {
  const found = handle.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get();
  if (found?.quick_check !== "ok")
    throw new DamagedDatabase(found?.quick_check ?? "quick_check gave no answer");
  const tables = handle
    .query<{ name: string }, []>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .all()
    .map(({ name }) => name);
  if (tables.length === 0 || tables.includes("schema_migrations")) return;
  if (tables.includes("torrents")) throw new DamagedDatabase("its migration table is missing");
  throw new TorrxError(
    "start_failed",
    `${path} is another program's database; set storage.db_path to another file`,
  );
}

/** The repositories prepare every statement, so a table that is not as it must be shows here. */
function build(create: () => TorrxDatabase): TorrxDatabase {
  try {
    return create();
  } catch (error) {
    if (systemCodeOf(error) === "SQLITE_ERROR")
      throw new DamagedDatabase(describeError(error), { cause: error });
    throw error;
  }
}

function keepCopy(handle: Database, path: string, fromVersion: number): void {
  handle.run("PRAGMA wal_checkpoint(TRUNCATE)");
  copyDurably(path, `${path}.schema-${fromVersion}`);
}

function isDamage(error: unknown): boolean {
  return error instanceof DamagedDatabase || isCorruption(error);
}

function damageWarning(asidePath: string, isRestored: boolean): DatabaseWarning {
  const outcome = isRestored
    ? "the copy of the last clean stop was restored; what changed since is missing"
    : "a new, empty one was started; add the torrents again and their data on disk is checked and kept";
  return {
    code: "database_damaged",
    message: `the database was damaged and set aside as ${asidePath}; ${outcome}`,
  };
}

function toStartError(path: string, error: unknown): unknown {
  if (error instanceof TorrxError) return error;
  const failed = (message: string) => new TorrxError("start_failed", message, { cause: error });
  if (isLocked(error)) return failed(`the database ${path} is locked by another program; close it`);
  if (isDatabaseFull(error)) return failed(`no space left for the database ${path}; free some`);
  if (isInaccessible(error)) {
    return failed(
      `the database ${path} cannot be opened for writing; give this user access to the file and its folder, ` +
        "or set storage.db_path elsewhere",
    );
  }
  return failed(`the database ${path} cannot be opened: ${describeError(error)}`);
}
