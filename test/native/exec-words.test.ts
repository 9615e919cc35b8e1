// The command line of torrx-exec, also under the sanitizers.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { execSources } from "../../native/build.ts";
import { compile } from "../../native/compile.ts";
import { type Ended, ExecRig, runToEnd, SYSTEM } from "../support/exec-rig.ts";

const SEED = Number(process.env["TORRX_TEST_SEED"] ?? "1") || 1;

/** Two cores that others use too. */
const COMPILE_WITHIN_MS = 60_000;

const rig = await ExecRig.make();
const { home, secret } = rig;
afterAll(() => rig.close());

const WRONG_WORDS: readonly (readonly string[])[] = [
  [],
  ["--check", "more"],
  ["--version"],
  ["--parent", "1"],
  ["--parent", "1", "--"],
  ["--parent", "1", "--", "/bin/true"],
  ["--parent", "1", "--", "true", "true"],
  ["--", "/bin/true", "true"],
  ...["0", "-1", "+1", " 1", "1 ", "1x", "", "0x10", "99999999999999999999"].map((pid) => ["--parent", pid]),
  ...["-1", "20", "1e1", ""].map((nice) => ["--parent", "1", "--nice", nice]),
  ...["0", "65536", "-1", "http"].map((port) => ["--parent", "1", "--connect", port]),
  ...["0", "99999999999", "1.5"].map((mib) => ["--parent", "1", "--address-mib", mib]),
  ...["--read", "--run", "--device"].flatMap((option) => [
    ["--parent", "1", option],
    ["--parent", "1", option, "relative"],
    ["--parent", "1", option, ""],
    ["--parent", "1", option, `/${"x".repeat(5_000)}`],
  ]),
  ["--parent", "1", "--may-fork", "yes", "--", "/bin/true", "true"],
];

describe("the command line", () => {
  test("--check says in two lines what the kernel offers", async () => {
    expect(await rig.run(["--check"])).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^landlock \d+\ncall_filter [01]\n$/),
    });
  });

  test("is refused whole where a word of it is wrong", async () => {
    for (const wrong of WRONG_WORDS) {
      const behind = wrong.includes("--") ? [] : ["--", "/bin/true", "true"];
      const { code, stdout, stderr } = await rig.run([...wrong, ...behind]);
      expect([wrong, code, stdout]).toEqual([wrong, 125, ""]);
      expect(stderr).toMatch(/^torrx-exec: [^\n]+\n$/);
    }
  });

  test("ends behind --: what follows is the program's", async () => {
    const { stdout } = await rig.run(rig.words([], "arguments", "--run", "/", "--", "--check", ""));
    expect(stdout).toBe("[--run]\n[/]\n[--]\n[--check]\n[]\n");
  });

  test("--list-libraries has the loader say what the program loads, and runs none of it", async () => {
    const { code, stdout } = await rig.run(rig.words(["--list-libraries"], "arguments", "it runs"));
    expect(code).toBe(0);
    expect(stdout).toMatch(/libc\.\S+ => \/\S+ \(0x/);
    expect(stdout).not.toContain("it runs");
  });

  test("names a program that is not there, or none, with a code of its own", async () => {
    const start = (path: string) =>
      rig.run(["--parent", String(process.pid), ...SYSTEM, "--run", home, "--", path, "x"]);
    expect(await start(join(home, "none"))).toEqual({
      code: 127,
      stdout: "",
      stderr: `torrx-exec: ${join(home, "none")}: No such file or directory\n`,
    });
    expect(await start(secret)).toMatchObject({
      code: 126,
      stderr: `torrx-exec: ${secret}: Permission denied\n`,
    });
  });

  test("with a parent that is no longer there starts nothing", async () => {
    const line = rig.words([], "arguments", "it runs");
    line[1] = String(process.pid + 1);
    expect(await rig.run(line)).toEqual({
      code: 125,
      stdout: "",
      stderr: "torrx-exec: the parent is gone\n",
    });
  });
});

describe("under AddressSanitizer and UndefinedBehaviorSanitizer", () => {
  const sanitized = join(home, "sanitized");
  const env = { ASAN_OPTIONS: "detect_leaks=0:halt_on_error=1", UBSAN_OPTIONS: "halt_on_error=1" };

  const start = (line: readonly string[]): Promise<Ended> => runToEnd([sanitized, ...line], env);

  beforeAll(async () => {
    const flags = ["-Werror", "-Wshadow", "-Wconversion", "-fno-sanitize-recover=all"];
    const sanitize = ["address", "undefined"] as const;
    expect(
      await compile({ kind: "program", sources: execSources(), output: sanitized, sanitize, flags }),
    ).toBe("");
  }, COMPILE_WITHIN_MS);

  test("it starts programs, with every option and without", async () => {
    const devices = ["--device", "/dev/null", "--read", "/etc/ld.so.cache", "--connect", "1", "--nice", "1"];
    for (const options of [[], devices, ["--may-fork", ...devices]]) {
      expect(await start(rig.words(options, "arguments", "it runs"))).toEqual({
        code: 0,
        stdout: "[it runs]\n",
        stderr: "",
      });
    }
    expect(await start(["--check"])).toMatchObject({ code: 0, stderr: "" });
  });

  test("it refuses wrong words and nothing else happens", async () => {
    for (const wrong of WRONG_WORDS) {
      const behind = wrong.includes("--") ? [] : ["--", "/bin/true", "true"];
      expect(await start([...wrong, ...behind])).toMatchObject({ code: 125, stdout: "" });
    }
  });

  test(`it bears random words (seed ${SEED})`, async () => {
    const pick = generator(SEED);
    const known = [
      "--parent",
      "--nice",
      "--run",
      "--read",
      "--device",
      "--connect",
      "--address-mib",
      "--may-fork",
      "--list-libraries",
      "--check",
      "--",
      "1",
      "/x",
      "",
      "-",
      "\u{1f4a9}",
      "x".repeat(9_000),
    ];
    for (let round = 0; round < 60; round++) {
      const line = Array.from({ length: pick(12) }, () => known[pick(known.length)] ?? "");
      const { code, stderr } = await start(line);
      expect([line, [0, 125].includes(code ?? -1), /ERROR|runtime error/.test(stderr)]).toEqual([
        line,
        true,
        false,
      ]);
    }
  });
});

/** 0 … below-1 (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
