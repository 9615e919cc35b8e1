// Builds the addon, and the program that starts ffmpeg in a sandbox. `--check` only tells whether that is due: 0 they are
// there, 1 they are to be built, 3 they are to be built and there is no compiler. The check reads and never writes, and
// asks for no compiler when they are there.
// `--sanitize=thread|address|undefined --output FILE` builds a variant of the addon; in the addon's own place it stays
// until the next build.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  CompileError,
  compile,
  compileFlags,
  filesIn,
  findCompiler,
  linkFlags,
  ROOT,
  SANITIZERS,
  type Sanitizer,
  type Target,
} from "./compile.ts";
import { EXEC_PATH } from "./exec-path.ts";

const NATIVE = join(ROOT, "native");
const ADDON = join(ROOT, ".setup", "native", "torrx.node");
const STAMP = `${ADDON}.stamp`;
const EXIT = { built: 0, due: 1, failed: 2, noCompiler: 3 } as const;

export function addonSources(): readonly string[] {
  return filesIn(NATIVE, /\.cc$/);
}

export function execSources(): readonly string[] {
  return filesIn(join(NATIVE, "exec"), /\.cc$/);
}

function products(): readonly Target[] {
  return [
    { kind: "addon", sources: addonSources(), output: ADDON },
    { kind: "program", sources: execSources(), output: EXEC_PATH },
  ];
}

/** Hash of everything that goes in. The compiler counts only where the user names one: another version is no reason. */
function stampOf(): string {
  const dependencies = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).dependencies ?? {};
  const flags = products().map((target) => [...compileFlags(target), ...linkFlags(target)]);
  const hash = createHash("sha256").update(
    JSON.stringify([
      process.platform,
      process.arch,
      process.env["CXX"] ?? "",
      flags,
      dependencies["node-addon-api"],
      dependencies["node-api-headers"],
    ]),
  );
  for (const path of [NATIVE, join(NATIVE, "exec")].flatMap((folder) => filesIn(folder, /\.(cc|hh)$/))) {
    const content = readFileSync(path);
    hash.update(`${path.slice(ROOT.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function isBuilt(stamp: string): boolean {
  const isThere = [ADDON, EXEC_PATH, STAMP].every((path) => existsSync(path));
  return isThere && readFileSync(STAMP, "utf8") === stamp;
}

async function buildAll(stamp: string): Promise<void> {
  say("building the native addon");
  // The stamp goes first and comes last: a crash in between means "build again".
  rmSync(STAMP, { force: true });
  for (const target of products()) process.stderr.write(await compile(target));
  writeFileSync(`${STAMP}.new`, stamp);
  renameSync(`${STAMP}.new`, STAMP);
}

async function buildVariant(output: string, sanitize: readonly Sanitizer[]): Promise<void> {
  const target = { kind: "addon", sources: addonSources(), output: resolve(output) } as const;
  if (target.output === ADDON) rmSync(STAMP, { force: true });
  process.stderr.write(await compile(sanitize.length > 0 ? { ...target, sanitize } : target));
}

/** Why it is not there. */
function check(): number {
  try {
    findCompiler();
    return EXIT.due;
  } catch (error) {
    if (error instanceof CompileError) return EXIT.noCompiler;
    throw error;
  }
}

function say(line: string): void {
  process.stderr.write(`torrx: ${line}\n`);
}

function readArguments() {
  const { values } = parseArgs({
    options: { check: { type: "boolean" }, sanitize: { type: "string" }, output: { type: "string" } },
  });
  const named = values.sanitize?.split(",") ?? [];
  const sanitize = SANITIZERS.filter((name) => named.includes(name));
  if (sanitize.length !== named.length) throw new Error(`--sanitize takes ${SANITIZERS.join(", ")}`);
  if (sanitize.length > 0 && values.output === undefined) throw new Error("--sanitize needs --output FILE");
  return { ...values, sanitize };
}

async function main(): Promise<number> {
  const { check: isCheck, output, sanitize } = readArguments();
  const stamp = stampOf();
  if (output === undefined && isBuilt(stamp)) return EXIT.built;
  if (isCheck) return check();
  await (output === undefined ? buildAll(stamp) : buildVariant(output, sanitize));
  return EXIT.built;
}

/** @returns the exit code. */
function tell(error: unknown): number {
  if (!(error instanceof CompileError)) {
    say(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
  if (error.kind === "no compiler") {
    say(error.message);
    return EXIT.noCompiler;
  }
  process.stderr.write(`${error.message}\n`);
  say(
    "building the native addon failed; it needs a compiler of C++20, such as g++ 12 (CXX=… names another one)",
  );
  return EXIT.failed;
}

if (import.meta.main) process.exitCode = await main().catch(tell);
