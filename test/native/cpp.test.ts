// Compiles the native core with its C++ tests and runs them: plain, under ThreadSanitizer, under AddressSanitizer with
// UndefinedBehaviorSanitizer; and then with single orderings weakened, when they must fail.
//
// Which weakening (native/orders.hh) is seen by what:
//   PUBLISH        slot filled with relaxed order            ThreadSanitizer: race on the slab's bytes
//   UNREF          reference given back with relaxed order   ThreadSanitizer: race of a reader with the next owner
//   RANGE_RECHECK  producer does not look at the range again a unit stays in the ring outside of its range
//   TAKE_RECHECK   slot not looked at again once referenced  bytes of another unit
//   TRY_REF        free slabs are given references           a slab with two owners, or counts that do not add up
//   WAITING_LOOK   consumer does not look again              a reader neither served nor woken
//   RANGE          range stored with release only            as RANGE_RECHECK, by the processor's store buffer
//   WAITING        waiting stored with release only          neither seen nor woken, by the processor's store buffer
// The last two need both threads on processors of their own at the same moment, so they are given a minute, with --all
// only. So are UNREF and TRY_REF, for the sake of time.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NATIVE = join(import.meta.dir, "../../native");
const COMPILER = process.env["CXX"] ?? "g++";
const IS_ALL = process.env["TORRX_TEST_ALL"] === "1";
const SEED = process.env["TORRX_TEST_SEED"] ?? "1";
const RING_SOURCES = ["slab_pool.cc", "ring.cc", "test/main.cc", "test/ring_stress.cc"];
const WINDOW_SOURCES = ["window.cc", "torrent.cc", "pin_table.cc", "test/window_stress.cc"];
const SOURCES = [...RING_SOURCES, ...WINDOW_SOURCES, "test/core_test.cc"];
const THREAD_SANITIZER = ["-O1", "-fsanitize=thread"];
const MINUTE_MS = 60_000;

const directory = mkdtempSync(join(tmpdir(), "torrx-cpp-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

async function run(command: readonly string[], environment: Record<string, string>): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    cwd: NATIVE,
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, output: out + errors };
}

async function compile(name: string, sources: readonly string[], flags: readonly string[]): Promise<string> {
  const program = join(directory, name);
  const command = [COMPILER, "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-pthread", "-g1"];
  const { exitCode, output } = await run([...command, ...flags, ...sources, "-o", program], {});
  expect({ exitCode, output }).toEqual({ exitCode: 0, output: "" });
  return program;
}

function runTests(program: string, stressMs: number, more: Record<string, string> = {}): Promise<Outcome> {
  return run([program], {
    TORRX_STRESS_MS: String(stressMs),
    TORRX_TEST_SEED: String(Number.parseInt(SEED, 10) || 1),
    TSAN_OPTIONS: "halt_on_error=1",
    UBSAN_OPTIONS: "halt_on_error=1:print_stacktrace=1",
    ...more,
  });
}

async function expectPass(program: string, stressMs: number, more: Record<string, string> = {}) {
  const { exitCode, output } = await runTests(program, stressMs, more);
  expect(output).toMatch(/\n\d+ passed\n$/);
  expect(exitCode).toBe(0);
}

const builds: readonly { name: string; flags: readonly string[] }[] = [
  { name: "plain", flags: ["-O2"] },
  { name: "ThreadSanitizer", flags: THREAD_SANITIZER },
  {
    name: "AddressSanitizer and UndefinedBehaviorSanitizer",
    flags: ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
  },
];

describe("the native core keeps its word", () => {
  for (const { name, flags } of builds) {
    test(
      name,
      async () => {
        const program = await compile(name.replaceAll(" ", "-"), SOURCES, flags);
        await expectPass(program, IS_ALL ? MINUTE_MS : 300);
      },
      10 * MINUTE_MS,
    );
  }

  test.skipIf(!IS_ALL)(
    "over 10^9 ring operations",
    async () => {
      const program = await compile("billion", RING_SOURCES, ["-O2"]);
      await expectPass(program, 1_000, { TORRX_STRESS_OPS: "1000000000" });
    },
    60 * MINUTE_MS,
  );
});

interface Weakening {
  readonly macro: string;
  readonly flags: readonly string[];
  readonly seenAs: RegExp;
  readonly isOnlyWithAll?: boolean;
  readonly needsWindows?: boolean;
}

const weakenings: readonly Weakening[] = [
  { macro: "PUBLISH", flags: THREAD_SANITIZER, seenAs: /data race/ },
  { macro: "RANGE_RECHECK", flags: ["-O1"], seenAs: /look\(unit\)\.state == Ring::State::empty/ },
  { macro: "TAKE_RECHECK", flags: ["-O1"], seenAs: /not so: hasContent/ },
  {
    macro: "WAITING_LOOK",
    flags: ["-O1"],
    seenAs: /not so: (status != ReadStatus::waiting|isWoken)/,
    needsWindows: true,
  },
  { macro: "UNREF", flags: THREAD_SANITIZER, seenAs: /data race/, isOnlyWithAll: true },
  { macro: "TRY_REF", flags: ["-O1"], seenAs: /not so: (hasContent|pool\.figures)/, isOnlyWithAll: true },
  { macro: "RANGE", flags: ["-O2"], seenAs: /Ring::State::empty/, isOnlyWithAll: true },
  { macro: "WAITING", flags: ["-O2"], seenAs: /isSeen\[i\] \|\| isWoken\[i\]/, isOnlyWithAll: true },
];

describe("the tests of the native core fail with one ordering weakened", () => {
  for (const { macro, flags, seenAs, isOnlyWithAll, needsWindows } of weakenings) {
    test.skipIf(isOnlyWithAll === true && !IS_ALL)(
      macro,
      async () => {
        const sources = needsWindows === true ? [...WINDOW_SOURCES, ...RING_SOURCES] : RING_SOURCES;
        const program = await compile(macro, sources, [...flags, `-DTORRX_WEAKEN_${macro}`]);
        const { exitCode, output } = await runTests(program, isOnlyWithAll === true ? MINUTE_MS : 5_000);
        expect(exitCode).not.toBe(0);
        expect(output).toMatch(seenAs);
      },
      10 * MINUTE_MS,
    );
  }
});
