// ./torrx builds the native addon once, says what is wrong when it cannot, and starts nothing without it.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LauncherFixture } from "../support/launcher-fixture.ts";
import type { TestProcess } from "../support/process.ts";
import { tmpFolder } from "../support/tmp.ts";

const isRoot = process.getuid?.() === 0;
/** FFmpeg is none of this file's business. */
const onlyEnv = { TORRX_FFMPEG_PATH: "/none/ffmpeg" };
const BUILDING = "torrx: building the native addon";

async function start(fixture: LauncherFixture, env: Record<string, string> = {}): Promise<TestProcess> {
  return await fixture.run(["start"], { onlyEnv: { ...onlyEnv, ...env } });
}

/** What the addon's folder holds, besides the cache of objects. */
function builtParts(fixture: LauncherFixture): string[] {
  const folder = join(fixture.root, ".setup/native");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name !== "objects")
    .sort();
}

describe("the native addon", () => {
  test("is built by the first start and by no later one, not even without a compiler", async () => {
    const fixture = LauncherFixture.small();
    const first = await start(fixture);
    expect(first.stderrLines.filter((line) => line === BUILDING)).toHaveLength(1);
    expect(first.exitCode).toBe(0);
    expect(builtParts(fixture)).toEqual(["torrx-exec", "torrx.node", "torrx.node.stamp"]);
    fixture.removeTool("g++");
    const second = await start(fixture);
    expect([second.exitCode, second.stderr]).toEqual([0, ""]);
    expect(second.stdout).toStartWith("start");
  });

  test("is built again when a source, a header or the named compiler changes", async () => {
    const fixture = LauncherFixture.small();
    await start(fixture);
    const source = readFileSync(join(fixture.root, "native/addon.cc"), "utf8");
    fixture.write("native/addon.cc", `${source}// changed\n`);
    expect((await start(fixture)).stderrLines).toEqual([BUILDING]);
    for (const name of ["native/new.hh", "native/exec/new.hh"]) {
      fixture.write(name, "");
      expect((await start(fixture)).stderrLines).toEqual([BUILDING]);
    }
    expect((await start(fixture, { CXX: "g++ -g" })).stderrLines).toEqual([BUILDING]);
    expect((await start(fixture, { CXX: "g++ -g" })).stderr).toBe("");
  });

  test("is not asked for by check-config, passwd and --version", async () => {
    const fixture = LauncherFixture.small();
    fixture.removeTool("g++");
    for (const command of ["check-config", "passwd", "--version"]) {
      expect((await fixture.run([command])).exitCode).toBe(0);
    }
    expect(builtParts(fixture)).toEqual([]);
  });

  test("stops a start, a test and a build with the command that installs a compiler where there is none", async () => {
    const fixture = LauncherFixture.small();
    fixture.removeTool("g++");
    await fixture.run(["check-config"]);
    for (const command of ["start", "test", "build"]) {
      const child = await fixture.run([command], { onlyEnv });
      expect([child.exitCode, child.stdout]).toEqual([1, ""]);
      expect(child.stderrLines.at(-1)).toBe(
        "torrx: a C++ compiler is missing; fix: the package manager of this system: g++",
      );
    }
    expect(readdirSync(join(fixture.root, ".setup")).filter((name) => name.startsWith("tmp."))).toEqual([]);
  });

  test("names a compiler that the user named and that is not there, and replaces it by none", async () => {
    const fixture = LauncherFixture.small();
    const child = await start(fixture, { CXX: "no-such-compiler" });
    expect([child.exitCode, child.stdout]).toEqual([1, ""]);
    expect(child.stderrLines.at(-1)).toStartWith(
      'torrx: there is no C++ compiler "no-such-compiler" ($CXX); fix: ',
    );
  });

  test("shows what the compiler says about a broken source, starts nothing, and works once it is mended", async () => {
    const fixture = LauncherFixture.small();
    await start(fixture);
    const source = readFileSync(join(fixture.root, "native/addon.cc"), "utf8");
    fixture.write("native/addon.cc", "int broken() { return nowhere; }\n");
    for (let attempt = 0; attempt < 2; attempt++) {
      const child = await start(fixture);
      expect([child.exitCode, child.stdout]).toEqual([1, ""]);
      expect(child.stderr).toContain("addon.cc:1:");
      expect(child.stderrLines.at(-1)).toStartWith(
        "torrx: building the native addon failed; it needs a compiler of C++20",
      );
    }
    fixture.write("native/addon.cc", source);
    expect((await start(fixture)).exitCode).toBe(0);
  });

  test("that compiles but cannot be loaded is not put in place", async () => {
    const fixture = LauncherFixture.small();
    const source = readFileSync(join(fixture.root, "native/addon.cc"), "utf8");
    const call = `void nobody(); extern "C" __attribute__((visibility("default"))) void f() { nobody(); }`;
    fixture.write("native/addon.cc", source + call);
    const child = await start(fixture);
    expect([child.exitCode, child.stdout]).toEqual([1, ""]);
    expect(child.stderr).toContain("undefined symbol");
    expect(builtParts(fixture)).toEqual([]);
  });

  test("is built again when it is gone or its stamp is", async () => {
    const fixture = LauncherFixture.small();
    await start(fixture);
    for (const name of ["torrx-exec", "torrx.node", "torrx.node.stamp"]) {
      rmSync(join(fixture.root, ".setup/native", name));
      expect((await start(fixture)).stderrLines).toEqual([BUILDING]);
    }
  });

  test("is built once by starts at the same moment", async () => {
    const fixture = LauncherFixture.small();
    await fixture.run(["check-config"]);
    const all = await Promise.all([1, 2, 3].map(() => start(fixture)));
    expect(all.map((child) => child.exitCode)).toEqual([0, 0, 0]);
    expect(all.flatMap((child) => child.stderrLines).filter((line) => line === BUILDING)).toHaveLength(1);
  });

  test.skipIf(!isRoot)("lets root install a compiler first", async () => {
    const fixture = LauncherFixture.small();
    await fixture.run(["check-config"]);
    fixture.removeTool("g++");
    const log = join(tmpFolder("apt"), "log");
    fixture.addTool("apt-get", `echo "$*" >>'${log}'`);
    const failed = await start(fixture);
    expect(readFileSync(log, "utf8")).toContain("install -y --no-install-recommends ^g[+][+]$\n");
    expect([failed.exitCode, failed.stderrLines.at(-1)]).toEqual([
      1,
      "torrx: a C++ compiler is missing; fix: apt-get install -y --no-install-recommends g++",
    ]);
    fixture.addTool("apt-get", `${Bun.which("ln")} -s '${Bun.which("g++")}' "$(dirname "$0")/g++"`);
    const child = await start(fixture);
    expect([child.exitCode, child.stderrLines]).toEqual([0, ["torrx: installing a C++ compiler", BUILDING]]);
  });
});
