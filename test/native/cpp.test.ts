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
import { compile, filesIn, ROOT, type Sanitizer } from "../../native/compile.ts";

const NATIVE = join(ROOT, "native");
const IS_ALL = process.env["TORRX_TEST_ALL"] === "1";
const SEED = process.env["TORRX_TEST_SEED"] ?? "1";
const inNative = (names: readonly string[]) => names.map((name) => join(NATIVE, name));
const RING_SOURCES = inNative(["slab_pool.cc", "ring.cc", "test/main.cc", "test/ring_stress.cc"]);
const WINDOW_SOURCES = inNative(["window.cc", "torrent.cc", "pin_table.cc", "test/window_stress.cc"]);
/** All of the addon but what speaks to JavaScript. */
const SOURCES = [
  ...filesIn(NATIVE, /\.cc$/).filter((path) => !/\/(bind_\w+|addon|js_thread)\.cc$/.test(path)),
  ...filesIn(join(NATIVE, "test"), /\.cc$/),
];
const MINUTE_MS = 60_000;

const directory = mkdtempSync(join(tmpdir(), "torrx-cpp-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Build {
  readonly sanitize?: readonly Sanitizer[];
  readonly flags?: readonly string[];
}

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

async function build(name: string, sources: readonly string[], how: Build): Promise<string> {
  const output = join(directory, name);
  expect(await compile({ kind: "program", sources, output, ...how })).toBe("");
  return output;
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

const builds: readonly ({ name: string } & Build)[] = [
  { name: "plain" },
  { name: "ThreadSanitizer", sanitize: ["thread"] },
  {
    name: "AddressSanitizer and UndefinedBehaviorSanitizer",
    sanitize: ["address", "undefined"],
    flags: ["-fno-sanitize-recover=all"],
  },
];

describe("the native core keeps its word", () => {
  for (const { name, ...how } of builds) {
    test(
      name,
      async () => {
        const program = await build(name.replaceAll(" ", "-"), SOURCES, how);
        await expectPass(program, IS_ALL ? MINUTE_MS : 300);
      },
      10 * MINUTE_MS,
    );
  }

  if (!IS_ALL) return;
  test(
    "over 10^9 ring operations",
    async () => {
      const program = await build("billion", RING_SOURCES, {});
      await expectPass(program, 1_000, { TORRX_STRESS_OPS: "1000000000" });
    },
    60 * MINUTE_MS,
  );
});

interface Weakening extends Build {
  readonly macro: string;
  readonly seenAs: RegExp;
  readonly isOnlyWithAll?: boolean;
  readonly needsWindows?: boolean;
}

const weakenings: readonly Weakening[] = [
  { macro: "PUBLISH", sanitize: ["thread"], seenAs: /data race/ },
  { macro: "RANGE_RECHECK", seenAs: /look\(unit\)\.state == Ring::State::empty/ },
  { macro: "TAKE_RECHECK", seenAs: /not so: hasContent/ },
  {
    macro: "WAITING_LOOK",
    seenAs: /not so: (status != ReadStatus::waiting|isWoken)/,
    needsWindows: true,
  },
  { macro: "UNREF", sanitize: ["thread"], seenAs: /data race/, isOnlyWithAll: true },
  { macro: "TRY_REF", seenAs: /not so: (hasContent|pool\.figures)/, isOnlyWithAll: true },
  { macro: "RANGE", seenAs: /Ring::State::empty/, isOnlyWithAll: true },
  { macro: "WAITING", seenAs: /isSeen\[i\] \|\| isWoken\[i\]/, isOnlyWithAll: true },
];

describe("the tests of the native core fail with one ordering weakened", () => {
  for (const { macro, sanitize = [], seenAs, isOnlyWithAll, needsWindows } of weakenings) {
    if (isOnlyWithAll === true && !IS_ALL) continue;
    test(
      macro,
      async () => {
        const sources = needsWindows === true ? [...WINDOW_SOURCES, ...RING_SOURCES] : RING_SOURCES;
        const program = await build(macro, sources, { sanitize, flags: [`-DTORRX_WEAKEN_${macro}`] });
        const { exitCode, output } = await runTests(program, isOnlyWithAll === true ? MINUTE_MS : 5_000);
        expect(exitCode).not.toBe(0);
        expect(output).toMatch(seenAs);
      },
      10 * MINUTE_MS,
    );
  }
});
