// docker compose stop: the init process is root with the capabilities of docker-compose.yml, the program is not.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hasProgram, systemPath } from "../support/namespace.ts";
import { startProcess } from "../support/process.ts";

const REPO = join(import.meta.dir, "../..");
const GIVE_UP_ROOT = "setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --no-new-privs";
/** Stands for the init process: starts a program as another user and passes SIGTERM on to it. */
const INIT = `
  ${GIVE_UP_ROOT} sleep 10 & child=$!
  until grep -q "^Uid:.1000" /proc/$child/status; do :; done
  kill -TERM $child`;

const canTry = process.getuid?.() === 0 && hasProgram("setpriv");

describe.skipIf(!canTry)("the container's init process", () => {
  test("may pass the stop signal on to the program", async () => {
    const compose = readFileSync(join(REPO, "docker-compose.yml"), "utf8");
    expect(compose).toContain("init: true");
    const names = /cap_add: \[([^\]]+)\]/.exec(compose)?.[1]?.toLowerCase().split(", ") ?? [];
    const bounds = ["-all", ...names.map((name) => `+${name}`)].join(",");
    const init = startProcess(["setpriv", `--bounding-set=${bounds}`, "sh", "-c", INIT], {
      env: { PATH: systemPath() },
    });
    expect(await init.waitForExit(5_000)).toBe(0);
  });
});
