// Forward-only schema migrations: ordered files, each applied in one transaction together with the row that records
// it and its checksum. What was applied never changes afterwards; a file that does is refused.

import type { Database } from "bun:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeError, TorrxError } from "../base/errors.ts";
import { isCorruption, isDatabaseFull } from "./sqlite-faults.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** Where a migration stands inside its transaction; for tests that cut it short there. */
export type MigrationStep = "begun" | "executed" | "recorded";

export interface MigrateOptions {
  readonly migrations: readonly Migration[];
  /** For messages. */
  readonly path: string;
  readonly nowMs: number;
  /** Called once before the first change of a database that already has a schema. */
  readonly beforeChange?: (fromVersion: number) => void;
  readonly onStep?: ((version: number, step: MigrationStep) => void) | undefined;
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;

const CREATE_LEDGER = `
  CREATE TABLE IF NOT EXISTS schema_migrations (
    version    INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL CHECK (length(checksum) = 64 AND checksum NOT GLOB '*[^0-9a-f]*'),
    applied_at INTEGER NOT NULL
  ) STRICT`;

/** The migrations in `directory`, in order. Throws start_failed where a number is missing or given twice. */
export function readMigrations(directory: string): Migration[] {
  const migrations = readdirSync(directory)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .map((file) => readMigration(directory, file));
  migrations.forEach(({ version, name }, index) => {
    if (version !== index + 1) {
      throw new TorrxError(
        "start_failed",
        `migration ${name}: expected number ${index + 1}, found ${version}`,
      );
    }
  });
  return migrations;
}

function readMigration(directory: string, file: string): Migration {
  const match = FILE_NAME.exec(file);
  if (match === null) throw new TorrxError("start_failed", `migration ${file}: name is not NNNN_words.sql`);
  // A checkout that turns line ends must not look like an edit.
  const sql = readFileSync(join(directory, file), "utf8").replaceAll("\r\n", "\n");
  const checksum = new Bun.CryptoHasher("sha256").update(sql).digest("hex");
  return { version: Number(match[1]), name: match[2] ?? "", sql, checksum };
}

/** Brings the schema up to date. Throws start_failed for a newer schema, an edited migration, a failing one. */
export function migrate(db: Database, options: MigrateOptions): void {
  db.run(CREATE_LEDGER);
  const applied = db
    .query<AppliedRow, []>("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
    .all();
  verifyApplied(applied, options);
  const pending = options.migrations.slice(applied.length);
  if (pending.length === 0) return;
  if (applied.length > 0) options.beforeChange?.(applied.length);
  // A migration that rebuilds a table must not cascade; the check before each commit stands in for enforcement.
  db.run("PRAGMA foreign_keys = OFF");
  try {
    for (const migration of pending) applyOne(db, migration, options);
  } finally {
    db.run("PRAGMA foreign_keys = ON");
  }
}

function verifyApplied(applied: readonly AppliedRow[], { migrations, path }: MigrateOptions): void {
  const newest = applied.at(-1)?.version ?? 0;
  if (newest > migrations.length) {
    throw new TorrxError(
      "start_failed",
      `the database ${path} was written by a newer TorrX (schema ${newest}, this one knows ${migrations.length}); ` +
        "start that version, or move the database away",
    );
  }
  applied.forEach((row, index) => {
    const known = migrations[index];
    if (known === undefined || row.version !== known.version || row.checksum !== known.checksum) {
      throw new TorrxError(
        "start_failed",
        `migration ${row.version} (${row.name}) of the database ${path} differs from the file of this TorrX: ` +
          "an applied migration was edited; restore the original file",
      );
    }
  });
}

function applyOne(db: Database, migration: Migration, options: MigrateOptions): void {
  db.run("BEGIN IMMEDIATE");
  try {
    options.onStep?.(migration.version, "begun");
    db.run(migration.sql);
    options.onStep?.(migration.version, "executed");
    const broken = db.query("PRAGMA foreign_key_check").all();
    if (broken.length > 0) throw new Error("it leaves rows that point nowhere");
    record(db, migration, options.nowMs);
    options.onStep?.(migration.version, "recorded");
    db.run("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    if (isCorruption(error)) throw error;
    const hint = isDatabaseFull(error) ? "no space left on its disk" : describeError(error);
    throw new TorrxError(
      "start_failed",
      `migration ${migration.version} (${migration.name}) of the database ${options.path} failed: ${hint}`,
      { cause: error },
    );
  }
}

function record(db: Database, { version, name, checksum }: Migration, nowMs: number): void {
  db.prepare("INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)").run(
    version,
    name,
    checksum,
    nowMs,
  );
}
