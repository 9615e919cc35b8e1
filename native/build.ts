// Builds the addon. `--check` only tells whether that is due: 0 it is there, 1 it is to be built, 3 it is to be built and
// there is no compiler. The check reads and never writes, and asks for no compiler when the addon is there.
// `--sanitize=thread|address|undefined --output FILE` builds a variant; in the addon's own place it stays until the next
// build.

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
} from "./compile.ts";

const NATIVE = join(ROOT, "native");
const ADDON = join(ROOT, ".setup", "native", "torrx.node");
const STAMP = `${ADDON}.stamp`;
const EXIT = { built: 0, due: 1, failed: 2, noCompiler: 3 } as const;

export function addonSources(): readonly string[] {
  return filesIn(NATIVE, /\.cc$/);
}

/** Hash of everything that goes in. The compiler counts only where the user names one: another version is no reason. */
function stampOf(): string {
  const dependencies = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).dependencies ?? {};
  const flags = [...compileFlags({ kind: "addon" }), ...linkFlags({ kind: "addon" })];
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
  for (const path of filesIn(NATIVE, /\.(cc|hh)$/)) {
    const content = readFileSync(path);
    hash.update(`${path.slice(ROOT.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function isBuilt(stamp: string): boolean {
  return existsSync(ADDON) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === stamp;
}

async function buildAddon(stamp: string): Promise<void> {
  say("building the native addon");
  // The stamp goes first and comes last: a crash in between means "build again".
  rmSync(STAMP, { force: true });
  process.stderr.write(await compile({ kind: "addon", sources: addonSources(), output: ADDON }));
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
  await (output === undefined ? buildAddon(stamp) : buildVariant(output, sanitize));
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
