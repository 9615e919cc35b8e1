// Temporary folders of tests: made on demand, removed when the test run is over (preload.ts).

import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made: string[] = [];

/** A new, empty folder that lives until the run ends. */
export function tmpFolder(label = "t"): string {
  const path = mkdtempSync(join(tmpdir(), `torrx-${label}-`));
  made.push(path);
  return path;
}

/** Removes a folder also where a test took away the right to write to it. */
export function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as { code?: string }).code !== "EACCES") throw error;
    restoreRights(path);
    rmSync(path, { recursive: true, force: true });
  }
}

function restoreRights(path: string): void {
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) restoreRights(join(path, entry.name));
  }
}

export function removeTmpFolders(): void {
  for (const path of made.splice(0)) removeFolder(path);
}
