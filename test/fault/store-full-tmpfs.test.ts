// B5 #3 on a real file system: a tmpfs that is too small, in a mount namespace that ends with the process.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

test.each(["plain", "native"])(
  "on %s memory a full tmpfs stops the torrent; when space returns it completes, nothing lost",
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "torrx-full-"));
    const script = join(import.meta.dir, "store-full-tmpfs.ts");
    const inside = `mount -t tmpfs -o size=1600k tmpfs "$1" && exec "$2" "$3" "$1" "$4"`;
    const child = Bun.spawn(
      ["unshare", "-m", "sh", "-c", inside, "sh", folder, process.execPath, script, kind],
      {
        stderr: "pipe",
      },
    );
    const [printed, complaints] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    rmSync(folder, { recursive: true });
    expect(complaints).toBe("");
    expect(JSON.parse(printed)).toEqual({
      faults: ["disk_full"],
      retried: "disk_full",
      someWereHad: true,
      nothingWasLost: true,
      isRight: true,
      isClean: true,
    });
  },
  20_000,
);
