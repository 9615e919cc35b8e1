// kill -9 while native threads hash and write: what was recorded is true of the files, and the next start goes on.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../src/base/random.ts";
import { plainDisk } from "../support/plain-memory.ts";
import { startProcess } from "../support/process.ts";
import { killedTorrent, stateOf } from "../support/store-kill.ts";
import { wronglyBelieved } from "../support/store-oracle.ts";
import { tmpFolder } from "../support/tmp.ts";

const KILLS = process.env["TORRX_TEST_ALL"] ? 50 : 6;
const CHILD = join(import.meta.dir, "store-kill.child.ts");
const disk = {
  ...plainDisk,
  contentOf: (path: string) => (existsSync(path) ? readFileSync(path) : null),
};

test(
  `killed ${KILLS} times while it writes, nothing that was recorded is wrong, and it gets done`,
  async () => {
    const seed = Number(process.env["TORRX_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
    console.log(`store kill loop: seed ${seed}`);
    const random = seededRandom(seed);
    const torrent = killedTorrent();
    let folder = tmpFolder("kill");
    let cuts = 0;
    for (let round = 0; round < KILLS; round++) {
      const child = startProcess([process.execPath, CHILD, folder, String(random.below(2 ** 31))]);
      await child.waitForLine("open", 20_000);
      await Bun.sleep(random.below(120));
      const isDone = child.lines.includes("done");
      await child.stop("SIGKILL");
      const recordPath = join(folder, "record.json");
      const state = existsSync(recordPath) ? stateOf(readFileSync(recordPath, "utf8")) : null;
      const wrong = await wronglyBelieved({
        torrent,
        disk,
        state,
        presence: [true, true, true],
        saveDirectory: join(folder, "downloads"),
        partsPath: join(folder, "aside.parts"),
      });
      expect(wrong, `seed ${seed}, round ${round}`).toEqual([]);
      if (isDone) {
        expect(state?.isClean).toBe(true);
        folder = tmpFolder("kill");
      } else cuts++;
    }
    expect(cuts).toBeGreaterThan(0);
    const last = startProcess([process.execPath, CHILD, folder]);
    await last.waitForLine("done", 20_000);
    await last.stop("SIGKILL");
    for (const [index, path] of ["a.bin", "in/b.bin", "in/c.bin"].entries()) {
      const there = readFileSync(join(folder, "downloads", "Show", path));
      expect(Buffer.compare(there, torrent.fileBytes(index)), path).toBe(0);
    }
  },
  30_000 + KILLS * 5_000,
);
