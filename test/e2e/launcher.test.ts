// ./torrx: sets up what is missing, once, and leaves nothing half-installed.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { LauncherFixture } from "../support/launcher-fixture.ts";
import { runProcess } from "../support/process.ts";
import { tmpFolder } from "../support/tmp.ts";

const isRoot = process.getuid?.() === 0;

/** What a set-up leaves in .setup. */
function setUpParts(fixture: LauncherFixture): string[] {
  const folder = join(fixture.root, ".setup");
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** npm tells its process id when it hangs; no event does, so it is asked for. */
async function pidOfHangingNpm(fixture: LauncherFixture): Promise<number> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const line = fixture.npmRuns.find((text) => text.startsWith("hanging "));
    if (line !== undefined) return Number(line.split(" ")[1]);
    await Bun.sleep(5);
  }
  throw new Error("npm was not started");
}

describe("set-up", () => {
  test("the first start installs the pinned Bun and the dependencies; the second installs nothing", async () => {
    const fixture = LauncherFixture.small();
    const first = await fixture.run(["check-config", "--config", "x"]);
    expect(first.stdout).toBe(`check-config --config x ${fixture.root} ${Bun.version}`);
    expect(first.exitCode).toBe(0);
    const startMs = performance.now();
    const second = await fixture.run(["check-config"]);
    expect(performance.now() - startMs).toBeLessThan(500);
    expect(second.stderr).toBe("");
    expect(fixture.npmRuns).toHaveLength(1);
    expect(setUpParts(fixture)).toEqual([`bun-${Bun.version}`, "lock"]);
  });

  test("a failing npm leaves nothing behind, is told with its last words, and the next start works", async () => {
    const fixture = LauncherFixture.small();
    fixture.setNpm("fails");
    const failed = await fixture.run(["check-config"]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toBe("");
    expect(failed.stderr).toContain("npm error network");
    expect(failed.stderrLines.at(-1)).toMatch(
      /^torrx: installing Bun [\d.]+ failed; npm must reach its registry/,
    );
    expect(setUpParts(fixture)).toEqual(["lock"]);
    fixture.setNpm("delivers");
    expect((await fixture.run(["check-config"])).exitCode).toBe(0);
  });

  test("a set-up killed half way leaves nothing that the next one trusts", async () => {
    const fixture = LauncherFixture.small();
    fixture.setNpm("hangs half way");
    const child = fixture.start(["check-config"]);
    await child.waitForLine("installing Bun");
    const npmPid = await pidOfHangingNpm(fixture);
    child.signal("SIGKILL");
    process.kill(npmPid, "SIGKILL");
    await child.waitForExit();
    fixture.setNpm("delivers");
    expect((await fixture.run(["check-config"])).exitCode).toBe(0);
    expect(setUpParts(fixture)).toEqual([`bun-${Bun.version}`, "lock"]);
  });

  test("starts at the same moment set up once and all go on", async () => {
    const fixture = LauncherFixture.small();
    const all = await Promise.all([1, 2, 3].map((n) => fixture.run(["check-config", String(n)])));
    expect(all.map((child) => child.exitCode)).toEqual([0, 0, 0]);
    expect(fixture.npmRuns).toHaveLength(1);
  });

  test("dependencies are installed again when the lock file changes or they are gone", async () => {
    const fixture = LauncherFixture.small();
    await fixture.run(["check-config"]);
    fixture.setVersion("9.8.8");
    expect((await fixture.run(["check-config"])).stderr).toContain("installing dependencies");
    rmSync(join(fixture.root, "node_modules"), { recursive: true });
    expect((await fixture.run(["check-config"])).stderr).toContain("installing dependencies");
    expect((await fixture.run(["check-config"])).stderr).toBe("");
  });

  test("a start does not keep the lock of the set-up", async () => {
    const fixture = LauncherFixture.small();
    fixture.write("src/main.ts", `console.log("up"); setInterval(() => undefined, 1000);`);
    const serving = fixture.start(["check-config"]);
    await serving.waitForLine("up");
    rmSync(join(fixture.root, "node_modules"), { recursive: true });
    const other = fixture.start(["check-config"]);
    await other.waitForLine("up");
    expect(other.stderr).not.toContain("waiting");
    await Promise.all([serving.stop(), other.stop()]);
  });
});

describe("Bun", () => {
  test("an older one is refused, also when npm delivers it", async () => {
    const fixture = LauncherFixture.small();
    fixture.setNpm("delivers an old Bun");
    const refused = await fixture.run(["check-config"]);
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderrLines.at(-1)).toMatch(/^torrx: npm has no Bun [\d.]+ for this machine/);
    expect(setUpParts(fixture)).toEqual(["lock"]);
  });

  test("an older one on PATH is passed over, the pinned one is used without npm", async () => {
    const old = LauncherFixture.small();
    old.addTool("bun", "echo 1.3.9");
    expect((await old.run(["check-config"])).stdout).toEndWith(Bun.version);
    expect(old.npmRuns).toHaveLength(1);
    const pinned = LauncherFixture.small();
    pinned.linkTool("bun", process.execPath);
    expect((await pinned.run(["check-config"])).exitCode).toBe(0);
    expect(pinned.npmRuns).toEqual([]);
  });

  test("without npm and without a way to install it, one line names the command", async () => {
    const fixture = LauncherFixture.small();
    fixture.setNpm("is missing");
    const child = await fixture.run(["check-config"]);
    expect(child.exitCode).toBe(1);
    expect(child.stderrLines.at(-1)).toMatch(/^torrx: npm is missing; fix: /);
  });
});

describe("commands", () => {
  test("start warns in one line that FFmpeg is missing, and starts", async () => {
    const fixture = LauncherFixture.small();
    await fixture.run(["check-config"]);
    await fixture.run(["start"]);
    const child = await fixture.run(["start", "--config", "a b"]);
    expect(child.stdout).toStartWith("start --config a b ");
    expect(child.stderrLines).toHaveLength(1);
    expect(child.stderr).toMatch(/^torrx: FFmpeg is missing: .*; fix: /);
  });

  test("the working directory stays the caller's, also through a symbolic link, and its .env is not read", async () => {
    const fixture = LauncherFixture.small();
    const elsewhere = tmpFolder("elsewhere");
    await Bun.write(join(elsewhere, ".env"), "TORRX_SERVER_PORT=1");
    symlinkSync(join(fixture.root, "torrx"), join(elsewhere, "link"));
    fixture.write("src/main.ts", `console.log(process.cwd(), process.env.TORRX_SERVER_PORT);`);
    await fixture.run(["check-config"]);
    const child = await fixture.run(["check-config"], { cwd: elsewhere });
    expect(child.stdout).toBe(`${elsewhere} undefined`);
    const linked = await runProcess([join(elsewhere, "link"), "--version"]);
    expect(linked.stdout).toBe("torrx 9.8.7");
  });

  test("--help behind a command prints a usage, wrong usage ends with 2, and neither sets anything up", async () => {
    const fixture = LauncherFixture.small();
    for (const command of ["start", "check-config", "passwd", "build"]) {
      const child = await fixture.run([command, "--help"]);
      expect([child.exitCode, child.stderr]).toEqual([0, ""]);
      expect(child.stdout).toContain("./torrx start");
    }
    const ofTest = await fixture.run(["test", "--help"]);
    expect([ofTest.exitCode, ofTest.stdoutLines[0]]).toEqual([
      0,
      "./torrx test [--all] [--seed NUMBER] [PATH...]",
    ]);
    for (const words of [
      ["test", "--al"],
      ["test", "--seed"],
      ["test", "test/none"],
      ["build", "x"],
    ]) {
      const child = await fixture.run(words);
      expect([child.exitCode, child.stdout, child.stderrLines.length], words.join(" ")).toEqual([2, "", 1]);
      expect(child.stderr).toStartWith("torrx: ");
    }
    expect(setUpParts(fixture)).toEqual([]);
  });

  test("an FFmpeg that the user names is not replaced by one that is installed", async () => {
    const fixture = LauncherFixture.small();
    await fixture.run(["check-config"]);
    await fixture.run(["start"]);
    const child = await fixture.run(["start"], { onlyEnv: { TORRX_FFMPEG_PATH: "/none/ffmpeg" } });
    expect([child.exitCode, child.stderr]).toEqual([0, ""]);
  });

  test("--version and --help need no set-up; an unknown command is refused", async () => {
    const fixture = LauncherFixture.small();
    expect((await fixture.run(["--version"])).stdout).toBe("torrx 9.8.7");
    expect((await fixture.run(["--help"])).stdout).toContain("./torrx start");
    const unknown = await fixture.run(["strat"]);
    expect([unknown.exitCode, unknown.stderrLines.length]).toEqual([2, 1]);
    expect(setUpParts(fixture)).toEqual([]);
  });

  test("the program's exit code is the launcher's, and signals reach the program", async () => {
    const fixture = LauncherFixture.small();
    fixture.write(
      "src/main.ts",
      `process.on("SIGTERM", () => process.exit(7)); console.log("up"); setInterval(() => 0, 1e3);`,
    );
    const child = fixture.start(["check-config"]);
    await child.waitForLine("up");
    expect(await child.stop("SIGTERM")).toBe(7);
  });

  test.skipIf(!isRoot)("a folder of somebody else is told in one line", async () => {
    const fixture = LauncherFixture.small();
    const child = await runProcess(["setpriv", "--reuid=65534", join(fixture.root, "torrx"), "check-config"]);
    expect([child.exitCode, child.stdout]).toEqual([child.exitCode === 126 ? 126 : 1, ""]);
    expect(child.stderrLines).toHaveLength(1);
  });
});

describe.skipIf(!isRoot)("tools of the tests", () => {
  /** A launcher whose apt-get only writes down what it is asked for. */
  function withFakeApt(): { fixture: LauncherFixture; aptRuns: () => Promise<string> } {
    const fixture = LauncherFixture.small();
    const log = join(tmpFolder("apt"), "log");
    fixture.addTool("apt-get", `echo "$*" >>'${log}'`);
    fixture.write("test/run.ts", `console.log("tests", process.argv.slice(2).join(" "));`);
    return { fixture, aptRuns: async () => (existsSync(log) ? await Bun.file(log).text() : "") };
  }

  test("are installed by root, what is still missing is named, and the tests run with their arguments", async () => {
    const { fixture, aptRuns } = withFakeApt();
    fixture.write("test/unit/x.test.ts", "");
    const child = await fixture.run(["test", "--all", "test/unit"]);
    expect(await aptRuns()).toMatch(/^install -y --no-install-recommends ffmpeg transmission-daemon .*mpv/);
    expect(child.stderrLines.at(-1)).toMatch(
      /^torrx: tests that need these are skipped: ffmpeg .*; fix: apt-get/,
    );
    expect(child.stdout).toBe("tests --all test/unit");
  });

  test("are only named when the owner of the machine wants no packages", async () => {
    const { fixture, aptRuns } = withFakeApt();
    const child = await fixture.run(["test"], { onlyEnv: { TORRX_TEST_NO_INSTALL: "1" } });
    expect(await aptRuns()).toBe("");
    expect(child.stderr).toContain("fix: apt-get install");
    expect(child.exitCode).toBe(0);
  });
});

describe("a fresh clone", () => {
  test("starts, prints address and login, answers; the second start is healthy in under a second", async () => {
    const fixture = await LauncherFixture.clone();
    const port = await freePort();
    const onlyEnv = {
      TORRX_SERVER_PORT: String(port),
      TORRX_SERVER_HOST: "127.0.0.1",
      TORRX_TORRENT_DHT: "false",
      TORRX_TORRENT_PORT: "0",
    };
    const first = fixture.start(["start"], { onlyEnv });
    await healthy(port, 120_000);
    expect(first.stdoutLines[0]).toContain(`http://127.0.0.1:${port}`);
    const login = /^Login: (\S+) \/ (\S+)/.exec(first.stdoutLines[1] ?? "");
    const authorization = `Basic ${btoa(`${login?.[1]}:${login?.[2]}`)}`;
    const list = await fetch(`http://127.0.0.1:${port}/api/torrents`, { headers: { authorization } });
    expect(list.status).toBe(200);
    expect(await first.stop("SIGTERM")).toBe(0);
    const startMs = performance.now();
    const second = fixture.start(["start"], { onlyEnv });
    await healthy(port, 5_000);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    expect(second.stderr).not.toMatch(/installing|building/);
    const stopMs = performance.now();
    expect(await second.stop("SIGTERM")).toBe(0);
    expect(performance.now() - stopMs).toBeLessThan(5_000);
  }, 150_000);
});

async function healthy(port: number, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/api/health`, {
        signal: AbortSignal.timeout(1_000),
      });
      if (response.ok) return;
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    if (performance.now() > endMs) throw new Error(`not healthy in ${withinMs} ms`);
    await Bun.sleep(10);
  }
}
