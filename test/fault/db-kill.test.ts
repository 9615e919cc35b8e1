// kill -9 while state is written as fast as it goes: what was acknowledged is there afterwards, and nothing is damaged.

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { seededRandom } from "../../src/base/random.ts";
import { useTempDirectories } from "../support/temp-directory.ts";
import { startRig } from "../unit/services/rig.ts";

const tempDirectory = useTempDirectories();
const { TORRX_KILLS, TORRX_SEED } = process.env;
const KILLS = Number(TORRX_KILLS ?? 5);

/** Lets the child write for `lifeMs` after its first line, kills it, returns the ids it said were added. */
async function writeAndKill(folder: string, lifeMs: number): Promise<string[]> {
  const script = join(import.meta.dir, "db-kill.child.ts");
  const child = Bun.spawn([process.execPath, script, folder], { stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let isTimed = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    if (!isTimed) setTimeout(() => child.kill("SIGKILL"), lifeMs);
    isTimed = true;
  }
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "");
}

describe("kill -9", () => {
  test(`${KILLS} times while writing loses no torrent and leaves a sound database`, async () => {
    const folder = tempDirectory();
    const seed = Number(TORRX_SEED ?? 11);
    const random = seededRandom(seed);
    const acknowledged = new Set<string>();
    for (let round = 0; round < KILLS; round++) {
      for (const id of await writeAndKill(folder, random.below(300))) acknowledged.add(id);
      const raw = new Database(join(folder, "torrx.db"));
      const { integrity_check: integrity } = raw.query("PRAGMA integrity_check").get() as {
        integrity_check: string;
      };
      raw.close(true);
      expect(integrity, `seed ${seed} round ${round}`).toBe("ok");
    }
    const rig = await startRig(folder);
    const listed = new Set<string>(rig.services.torrents.list({}).items.map(({ id }) => id));
    expect([...acknowledged].filter((id) => !listed.has(id))).toEqual([]);
    expect(rig.database.warnings).toEqual([]);
    await rig.close();
  }, 60_000);
});
