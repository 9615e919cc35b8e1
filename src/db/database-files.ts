// The files of a database as files: copies, quarantine. The database itself must be closed, or checkpointed, first.

import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";

const SIDE_FILES = ["", "-wal", "-shm"] as const;

/** Path of the copy that a clean stop leaves. */
export function backupPathOf(path: string): string {
  return `${path}.backup`;
}

/** Makes the folder, and the file with mode 0600: tracker URLs in it carry passkeys. SQLite gives its -wal the same. */
export function prepareDatabaseFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, "a", 0o600));
}

export function isEmptyOrMissing(path: string): boolean {
  return !existsSync(path) || statSync(path).size === 0;
}

/** Moves the database and what belongs to it aside; returns the new path of the main file. */
export function quarantine(path: string, wallMs: number): string {
  const stamp = new Date(wallMs).toISOString().replace(/[:.]/g, "-");
  let target = `${path}.bad-${stamp}`;
  for (let n = 2; existsSync(target); n++) target = `${path}.bad-${stamp}-${n}`;
  for (const suffix of SIDE_FILES) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  return target;
}

/** A durable copy of `from` at `to`: complete or not there at all. */
export function copyDurably(from: string, to: string): void {
  const half = `${to}.tmp`;
  copyFileSync(from, half);
  syncPath(half);
  renameSync(half, to);
  syncPath(dirname(to));
}

export function removeDatabaseFiles(path: string): void {
  for (const suffix of SIDE_FILES) rmSync(path + suffix, { force: true });
}

function syncPath(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
