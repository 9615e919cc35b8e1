// A small disk of its own for a server under test: a tmpfs in a mount namespace that a helper process keeps, so that
// nothing is left mounted however the test ends.

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemCodeOf } from "../../src/base/errors.ts";
import { startProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";

export interface SmallDisk {
  /** The folder on it, as processes started with `wrapper` see it. */
  readonly path: string;
  /** The same folder as the test sees it. */
  readonly outsidePath: string;
  /** Words in front of a command that is to see the disk; it runs in `cwd`. */
  wrapper(cwd: string): readonly string[];
  /** Takes all space that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  unmount(): Promise<void>;
}

const CHUNKS_BYTES = [1024 * 1024, 4_096];

export async function smallDisk(sizeBytes: number): Promise<SmallDisk> {
  const path = tmpFolder("disk");
  const script = `mount -t tmpfs -o size=${sizeBytes} tmpfs "$1" && echo mounted && exec cat`;
  const keeper = startProcess(["unshare", "-m", "sh", "-c", script, "sh", path]);
  await keeper.waitForLine("mounted", 5_000);
  const outsidePath = `/proc/${keeper.pid}/root${path}`;
  const fillerPath = join(outsidePath, "filler");
  return {
    path,
    outsidePath,
    wrapper: (cwd) => ["nsenter", "-t", String(keeper.pid), "-m", "sh", "-c", 'cd "$0" && exec "$@"', cwd],
    fill: () => fillUp(fillerPath),
    free: () => rmSync(fillerPath),
    unmount: async () => void (await keeper.stop("SIGKILL")),
  };
}

function fillUp(path: string): void {
  const file = openSync(path, "a");
  try {
    for (const size of CHUNKS_BYTES) writeUntilFull(file, new Uint8Array(size).fill(1));
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, chunk: Uint8Array): void {
  for (;;) {
    try {
      writeSync(file, chunk);
    } catch (error) {
      if (systemCodeOf(error) === "ENOSPC") return;
      throw error;
    }
  }
}
