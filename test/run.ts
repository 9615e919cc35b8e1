// ./torrx test: types, lint, then the groups of tests, each in a network (and process) namespace of its own and bounded
// in time; the two halves of BESIDE run side by side, because both mostly wait. The last line is always "N passed, N failed, N skipped". With arguments, only the tests below those paths.

import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { hasProgram, NETWORK_UP, systemPath } from "./support/namespace.ts";

const ROOT = resolve(import.meta.dir, "..");
const MINUTE_MS = 60_000;
/** --all runs what takes hours of patience elsewhere. */
const ALL_FACTOR = 10;

interface Group {
  readonly name: string;
  readonly paths: readonly string[];
  readonly boundMs: number;
  /** Of a single test that names no bound of its own. */
  readonly testTimeoutMs: number;
  /** Only with --all, in the machine's own network: it fetches packages. */
  readonly isOnline?: boolean;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What failed, for the end of a log whose middle is long, or cut. */
  readonly failures: readonly string[];
}

const GROUPS: readonly Group[] = [
  {
    name: "unit",
    paths: ["test/arch", "test/unit", "test/sim", "test/fuzz", "test/web"],
    boundMs: 4 * MINUTE_MS,
    testTimeoutMs: 10_000,
  },
  // Compiles the C++ tests several times over.
  { name: "native", paths: ["test/native"], boundMs: 6 * MINUTE_MS, testTimeoutMs: MINUTE_MS },
  { name: "e2e", paths: ["test/e2e"], boundMs: 10 * MINUTE_MS, testTimeoutMs: MINUTE_MS },
  { name: "hls", paths: ["test/hls"], boundMs: 8 * MINUTE_MS, testTimeoutMs: MINUTE_MS },
  { name: "fault", paths: ["test/fault"], boundMs: 8 * MINUTE_MS, testTimeoutMs: MINUTE_MS },
  { name: "security", paths: ["test/security"], boundMs: 3 * MINUTE_MS, testTimeoutMs: MINUTE_MS },
  {
    name: "install",
    paths: ["test/install"],
    boundMs: 30 * MINUTE_MS,
    testTimeoutMs: MINUTE_MS,
    isOnline: true,
  },
];

const BESIDE: readonly (readonly string[])[] = [["e2e"], ["hls", "fault", "security"]];

const { values: flags, positionals } = readArguments();
const seed =
  flags.seed ?? process.env["TORRX_TEST_SEED"] ?? String(crypto.getRandomValues(new Uint32Array(1))[0]);
const reports = mkdtempSync(join(tmpdir(), "torrx-report-"));

/** ./torrx has refused the same ones already; this is for whoever runs this file by hand. */
function readArguments() {
  try {
    return parseArgs({
      args: process.argv.slice(2),
      options: { all: { type: "boolean", default: false }, seed: { type: "string" } },
      allowPositionals: true,
    });
  } catch (error) {
    console.error(`torrx: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  }
}

function environment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("TORRX_") || name.startsWith("TORRX_TEST_"),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: systemPath(),
    TORRX_TEST_SEED: seed,
    ...(flags.all ? { TORRX_TEST_ALL: "1" } : {}),
  };
}

/** Words in front of a command that give it a private network, and processes that all end with it. */
function namespaceWords(): readonly string[] | null {
  if (!hasProgram("unshare") || !hasProgram("ip")) return null;
  const own = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const asUser = ["--user", "--map-root-user"];
  const tries = process.getuid?.() === 0 ? [own] : [[...asUser, ...own]];
  for (const words of tries) {
    const probe = Bun.spawnSync(["unshare", ...words, "sh", "-c", NETWORK_UP], { env: environment() });
    if (probe.success) return ["unshare", ...words];
  }
  return null;
}

/** The shell stays as the first process of the namespace: it reaps what loses its parent. */
function isolated(prefix: readonly string[] | null, argv: readonly string[]): string[] {
  if (prefix === null) return [...argv];
  return [...prefix, "sh", "-c", `${NETWORK_UP} && "$@"; exit $?`, "torrx-test", ...argv];
}

/** Exit code; 124 when the bound is over and the command was killed. With `output` it says there what it says. */
async function run(argv: readonly string[], boundMs: number, output?: string): Promise<number> {
  const said = output === undefined ? null : openSync(output, "w");
  const child = Bun.spawn([...argv], {
    cwd: ROOT,
    env: environment(),
    stdin: "ignore",
    stdout: said ?? "inherit",
    stderr: said ?? "inherit",
    detached: true,
  });
  if (said !== null) closeSync(said);
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    process.kill(-child.pid, "SIGKILL");
  }, boundMs);
  const forward = (signal: NodeJS.Signals) => process.kill(-child.pid, signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  const code = await child.exited;
  process.off("SIGINT", forward).off("SIGTERM", forward);
  clearTimeout(timer);
  return isOver ? 124 : code;
}

async function check(name: string, argv: readonly string[]): Promise<Counts> {
  console.log(`\n== ${name}`);
  const code = await run(argv, 2 * MINUTE_MS);
  if (code === 0) return { passed: 1, failed: 0, skipped: 0, failures: [] };
  return { passed: 0, failed: 1, skipped: 0, failures: [name] };
}

function holdsTests(path: string): boolean {
  if (/\.test\.tsx?$/.test(path)) return existsSync(join(ROOT, path));
  const folder = join(ROOT, path);
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).some((name) =>
    /\.test\.tsx?$/.test(name),
  );
}

async function runGroup(group: Group, prefix: readonly string[] | null, output?: string): Promise<Counts> {
  const paths = group.paths.filter(holdsTests);
  if (paths.length === 0) return { passed: 0, failed: 0, skipped: 0, failures: [] };
  const title = `\n== ${group.name}: ${paths.join(" ")}`;
  if (output === undefined) console.log(title);
  const report = join(reports, `${group.name}.xml`);
  const argv = [process.execPath, "--no-env-file", "test", ...paths.map((path) => `./${path}`)];
  argv.push(`--timeout=${group.testTimeoutMs}`, "--reporter=junit", `--reporter-outfile=${report}`);
  const boundMs = group.boundMs * (flags.all ? ALL_FACTOR : 1);
  const code = await run(isolated(group.isOnline ? null : prefix, argv), boundMs, output);
  if (output !== undefined) console.log(`${title}\n${readFileSync(output, "utf8")}`);
  if (code === 124) console.log(`${group.name}: not done after ${boundMs / 1000} s, ended`);
  return countsOf(group, code, report);
}

/** A run without a report, without a test, or with an exit code that its counts do not explain has failed. */
function countsOf(group: Group, code: number, report: string): Counts {
  const text = existsSync(report) ? readFileSync(report, "utf8") : "";
  const head = /<testsuites [^>]*>/.exec(text)?.[0];
  const figure = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(head ?? "")?.[1] ?? 0);
  const tests = figure("tests");
  const failed = figure("failures") + figure("errors");
  const skipped = figure("skipped");
  if (tests === 0) console.log(`${group.name}: no test ran (exit code ${code})`);
  const isUnexplained = failed === 0 && (code !== 0 || tests === 0);
  const failures = failedIn(text);
  if (isUnexplained) failures.push(`${group.name}: exit code ${code}`);
  return { passed: tests - failed - skipped, failed: failed + (isUnexplained ? 1 : 0), skipped, failures };
}

function failedIn(report: string): string[] {
  const cases = report.matchAll(/<testcase ([^>]*[^/>])>\s*<(?:failure|error)\b/g);
  return [...cases].map(([, words = ""]) => {
    const word = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(words)?.[1] ?? "";
    return [word("file"), word("classname"), word("name")].filter((part) => part !== "").join(" > ");
  });
}

function chosenGroups(): readonly Group[] {
  if (positionals.length === 0) return GROUPS.filter((group) => flags.all || !group.isOnline);
  const missing = positionals.find((path) => !holdsTests(path));
  if (missing !== undefined) console.log(`no tests at ${missing}`);
  const isOnline = positionals.every((path) => path.startsWith("test/install"));
  return [
    { name: "chosen", paths: positionals, boundMs: 30 * MINUTE_MS, testTimeoutMs: MINUTE_MS, isOnline },
  ];
}

/** Groups that go side by side are told one after the other. */
async function runGroups(groups: readonly Group[], prefix: readonly string[] | null): Promise<Counts[]> {
  const isBeside = (group: Group) => BESIDE.some((half) => half.includes(group.name));
  const results: Counts[] = [];
  for (const group of groups.filter((one) => !isBeside(one))) results.push(await runGroup(group, prefix));
  const halves = BESIDE.map(async (half) => {
    const counts: Counts[] = [];
    for (const group of groups.filter((one) => half.includes(one.name))) {
      counts.push(await runGroup(group, prefix, join(reports, `${group.name}.txt`)));
    }
    return counts;
  });
  return [...results, ...(await Promise.all(halves)).flat()];
}

async function main(): Promise<number> {
  const prefix = namespaceWords();
  console.log(
    `Bun ${Bun.version}, ${availableParallelism()} cores, TORRX_TEST_SEED=${seed}${flags.all ? ", all" : ""}`,
  );
  if (prefix === null) console.log("no private network here: tests that need one are skipped (run as root)");
  const results: Counts[] = [];
  if (positionals.length === 0) {
    const modules = join(ROOT, "node_modules");
    const bun = [process.execPath, "--bun"];
    const types = [...bun, join(modules, "typescript/bin/tsc"), "--noEmit"];
    results.push(await check("types", types));
    results.push(await check("types of the page", [...types, "-p", "web"]));
    results.push(await check("types of the page's tests", [...types, "-p", "test/web"]));
    results.push(await check("lint", [...bun, join(modules, "@biomejs/biome/bin/biome"), "check", "."]));
  }
  results.push(...(await runGroups(chosenGroups(), prefix)));
  rmSync(reports, { recursive: true, force: true });
  const total = (pick: "passed" | "failed" | "skipped") =>
    results.reduce((sum, counts) => sum + counts[pick], 0);
  for (const failure of results.flatMap((counts) => counts.failures)) console.log(`failed: ${failure}`);
  const ranNothing = total("passed") + total("skipped") === 0;
  const failed = total("failed") + (ranNothing && total("failed") === 0 ? 1 : 0);
  console.log(`\n${total("passed")} passed, ${failed} failed, ${total("skipped")} skipped`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
