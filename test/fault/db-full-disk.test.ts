// The disk of the database fills up: a real one, a small tmpfs in a mount namespace of its own. Needs root.

import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { useTempDirectories } from "../support/temp-directory.ts";

const tempDirectory = useTempDirectories();
const canMount = process.getuid?.() === 0 && spawnSync("unshare", ["-m", "true"]).status === 0;

describe("full disk of the database", () => {
  test.skipIf(!canMount)(
    "commands are refused with 507, what the engine told is kept and written when space returns",
    () => {
      const folder = tempDirectory();
      const script = join(import.meta.dir, "db-full-disk.child.ts");
      const command = `mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"`;
      const child = spawnSync(
        "unshare",
        ["-m", "--propagation", "private", "sh", "-c", command, "sh", folder, process.execPath, script],
        { encoding: "utf8", timeout: 60_000 },
      );
      expect(child.stderr).toBe("");
      expect(JSON.parse(child.stdout)).toEqual({
        refusals: ["disk_full", "disk_full"],
        warnings: ["database_write_failed"],
        filesWhileFull: 2,
        downloadedWhileFull: 77,
        warningsAfter: [],
        downloaded: 77,
        names: ["later", "Show"],
        resumeBytes: 300_000,
        isListedOnFullDisk: true,
        integrity: "ok",
      });
    },
    70_000,
  );
});
