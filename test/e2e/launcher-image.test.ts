// The image's entrypoint with the rights that docker-compose.yml leaves it, as the first process of its own namespace,
// around this repository's program: no image is built (test/install does that).

import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { hasProgram } from "../support/namespace.ts";
import { runProcess, startProcess, type TestProcess } from "../support/process.ts";

const REPO = resolve(import.meta.dir, "../..");
const OWNER = 1234;
const canRun = process.getuid?.() === 0 && hasProgram("unshare") && hasProgram("setpriv");

interface Compose {
  readonly services: { readonly torrx: { readonly cap_add: readonly string[] } };
}

/** Volumes, and the program laid out as in the image; readable for everybody, which /tmp's folders of tests are not. */
function image(): { root: string; env: Record<string, string> } {
  const root = mkdtempSync("/tmp/torrx-entrypoint-");
  const folders = ["data", "config", "app/bin", "app/scripts", "app/.setup/native", "usr"];
  for (const name of folders) mkdirSync(join(root, name), { recursive: true, mode: 0o755 });
  const { execPath } = process;
  runSync(["chmod", "0755", root]);
  runSync(["cp", execPath, join(root, "app/bin/bun")]);
  runSync(["chmod", "0755", join(root, "app/bin/bun")]);
  const parts = ["src", "native", "migrations", "package.json", "bunfig.toml"];
  const built = [".setup/native/torrx.node", ".setup/native/torrx-exec"];
  for (const name of [...parts, "scripts/image-entrypoint.sh", ...built]) {
    runSync(["cp", "-R", join(REPO, name), join(root, "app", name)]);
  }
  symlinkSync(join(root, "app/scripts/image-entrypoint.sh"), join(root, "usr/torrx"));
  const env = {
    PATH: process.env["PATH"] ?? "",
    IMAGE_DATA_DIR: join(root, "data"),
    IMAGE_CONFIG_DIR: join(root, "config"),
    PUID: String(OWNER),
    PGID: String(OWNER),
    container: "oci",
    TORRX_SERVER_PORT: "0",
    TORRX_TORRENT_PORT: "0",
    TORRX_TORRENT_DHT: "false",
  };
  return { root, env };
}

function runSync(words: string[]): void {
  const child = Bun.spawnSync(words);
  if (!child.success) throw new Error(`${words.join(" ")}: ${child.stderr.toString()}`);
}

/** The words that leave a command no more rights than compose leaves the container. */
function caged(): string[] {
  const compose = parse(readFileSync(join(REPO, "docker-compose.yml"), "utf8")) as Compose;
  const bound = ["-all", ...compose.services.torrx.cap_add.map((name) => `+${name.toLowerCase()}`)].join(",");
  return ["setpriv", `--bounding-set=${bound}`, "--inh-caps=-all", "--no-new-privs"];
}

/** The one child of `unshare`, which is process 1 inside. */
function firstInside(outer: TestProcess): number {
  const path = `/proc/${outer.pid}/task/${outer.pid}/children`;
  return Number(readFileSync(path, "utf8").trim());
}

describe.skipIf(!canRun)("the entrypoint with what docker-compose.yml allows", () => {
  test("becomes a server of PUID that ends in order at TERM, and passwd leaves it a file it can read", async () => {
    const { root, env } = image();
    runSync(["cp", "-RL", join(REPO, "node_modules"), join(root, "app/node_modules")]);
    try {
      const own = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", ...caged()];
      const server = startProcess([...own, join(root, "app/scripts/image-entrypoint.sh"), "start"], {
        onlyEnv: env,
      });
      const ready = await server.waitForLine("TorrX is ready", 20_000);
      expect(ready).not.toContain("on your network");
      await server.waitForLine("Login: admin / ", 5_000);
      const pid = firstInside(server);
      expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(
        new RegExp(`^Uid:\t${OWNER}\t${OWNER}`, "m"),
      );
      const startMs = performance.now();
      process.kill(pid, "SIGTERM");
      expect(await server.waitForExit(10_000)).toBe(0);
      expect(performance.now() - startMs).toBeLessThan(5_000);

      const line = [
        "sh",
        "-c",
        'echo secret | exec "$0" "$@"',
        ...caged(),
        join(root, "usr/torrx"),
        "passwd",
      ];
      const passwd = await runProcess(line, { onlyEnv: env });
      expect([passwd.exitCode, passwd.stderr]).toEqual([0, ""]);
      expect(statSync(join(root, "data/credentials.json")).uid).toBe(OWNER);
      const again = startProcess([...own, join(root, "app/scripts/image-entrypoint.sh")], { onlyEnv: env });
      await again.waitForLine("Login: admin with the password that you set", 20_000);
      process.kill(firstInside(again), "SIGTERM");
      expect(await again.waitForExit(10_000)).toBe(0);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }, 60_000);

  test("refuses root in one line that says what to set, and leaves the volumes alone", async () => {
    const { root, env } = image();
    try {
      writeFileSync(join(root, "data/film"), "");
      const entry = join(root, "app/scripts/image-entrypoint.sh");
      const child = await runProcess([...caged(), entry], { onlyEnv: { ...env, PUID: "0", PGID: "0" } });
      expect(child.exitCode).toBe(1);
      expect(child.stderrLines).toHaveLength(1);
      expect(child.stderr).toMatch(/^torrx: PUID=0 PGID=0 would run TorrX as root, .*\.env/);
      expect(statSync(join(root, "data/film")).uid).toBe(0);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
