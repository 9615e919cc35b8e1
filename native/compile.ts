// Calls the C++ compiler: units to objects, some at a time, then the link. An object is kept under the hash of all that
// went into it; the output appears whole (written beside its place, then renamed), so a run that dies leaves the old one.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, extname, join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dir, "..");
const OBJECTS = join(ROOT, ".setup", "native", "objects");
/** Of an object, and of what a killed run left. */
const LIFE_MS = 24 * 3_600_000;

export const SANITIZERS = ["thread", "address", "undefined"] as const;
export type Sanitizer = (typeof SANITIZERS)[number];

export interface Target {
  /** "addon": a .node for Bun; "program": an executable of its own, for tests without JavaScript. */
  readonly kind: "addon" | "program";
  readonly sources: readonly string[];
  readonly output: string;
  readonly sanitize?: readonly Sanitizer[];
  /** Behind our own flags, so that they win. */
  readonly flags?: readonly string[];
}

/** What the compiler said, or that there is none; `message` is for the user as it is. */
export class CompileError extends Error {
  readonly kind: "no compiler" | "compiler failed";

  constructor(kind: CompileError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Words of the command. $CXX may name a wrapper with its arguments ("ccache g++"). */
export function findCompiler(): readonly string[] {
  const wanted = process.env["CXX"]?.trim();
  const names = wanted ? [wanted] : ["g++", "c++", "clang++"];
  for (const name of names) {
    const [program = "", ...rest] = name.split(/\s+/);
    const path = Bun.which(program);
    if (path !== null) return [path, ...rest];
  }
  const what = wanted ? `there is no C++ compiler "${wanted}" ($CXX)` : "a C++ compiler is missing";
  throw new CompileError("no compiler", `${what}; fix: apt-get install -y --no-install-recommends g++`);
}

export function compileFlags(target: Pick<Target, "kind" | "sanitize" | "flags">): readonly string[] {
  const sanitize = target.sanitize ?? [];
  return [
    "-std=c++20",
    ...(sanitize.length > 0 ? ["-O1", "-g", "-fno-omit-frame-pointer"] : ["-O2"]),
    ...sanitize.map((name) => `-fsanitize=${name}`),
    "-Wall",
    "-Wextra",
    "-pthread",
    ...(target.kind === "addon"
      ? ["-fPIC", "-fvisibility=hidden", "-DNAPI_VERSION=8", "-DNAPI_DISABLE_CPP_EXCEPTIONS"]
      : []),
    ...(target.flags ?? []),
  ];
}

export function linkFlags(target: Pick<Target, "kind" | "sanitize">): readonly string[] {
  const ours = (target.sanitize ?? []).map((name) => `-fsanitize=${name}`);
  // A sanitizer replaces operators of the library, which must then be the one that the whole process shares.
  if (ours.length === 0) ours.push("-static-libstdc++", "-static-libgcc");
  // Bound at load: a function that nobody defined is an error of the start, not of its first call.
  return target.kind === "addon" ? ["-shared", "-Wl,-z,now", ...ours] : ours;
}

/** Relative to ROOT, where the compiler runs: an object is the same in every clone. */
const INCLUDES = [
  ...["-I", "native"],
  ...["-isystem", "node_modules/node-addon-api"],
  ...["-isystem", "node_modules/node-api-headers/include"],
];

/**
 * @returns what the compiler had to say (warnings) about what it compiled now, "" when nothing.
 * @throws CompileError
 */
export async function compile(target: Target): Promise<string> {
  const compiler = findCompiler();
  const output = resolve(target.output);
  const remarks: string[] = [];
  const units = await objectsOf(target, compiler, remarks);
  const fresh = join(dirname(output), `new-${unique()}-${basename(output)}`);
  mkdirSync(dirname(output), { recursive: true });
  forgetOld(dirname(output), /^new-[0-9a-f]{8}-/);
  try {
    const flags = [...compileFlags(target), ...linkFlags(target)];
    remarks.push(await call([...compiler, ...flags, ...units, "-o", fresh]));
    if (target.kind === "addon" && target.sanitize === undefined) await mustLoad(fresh);
    renameSync(fresh, output);
  } finally {
    rmSync(fresh, { force: true });
  }
  return remarks.join("");
}

async function objectsOf(
  target: Target,
  compiler: readonly string[],
  remarks: string[],
): Promise<readonly string[]> {
  mkdirSync(OBJECTS, { recursive: true });
  forgetOld(OBJECTS, /\.o/);
  const command = [...compiler, ...compileFlags(target), ...INCLUDES];
  const common = createHash("sha256")
    .update(`${command.join(" ")}\0${await call([...compiler, "--version"])}`)
    .update(headersBeside(target.sources))
    .digest("hex");
  const units = target.sources.map((source) => ({ source, object: objectPath(source, common) }));
  await someAtATime(units, async ({ source, object }) => {
    if (existsSync(object)) return;
    const fresh = `${object}.${unique()}`;
    remarks.push(await call([...command, "-c", nameOf(source), "-o", fresh]));
    renameSync(fresh, object);
  });
  return units.map((unit) => unit.object);
}

/** As many as there are cores. The first failure is thrown once those that run have ended; no more are begun. */
async function someAtATime<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = all.toReversed();
  const worker = async () => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      await work(one).catch((error: unknown) => {
        left.length = 0;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: availableParallelism() }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function objectPath(source: string, common: string): string {
  const hash = createHash("sha256").update(common).update(readFileSync(source)).digest("hex");
  return join(OBJECTS, `${basename(source, extname(source))}-${hash.slice(0, 32)}.o`);
}

/** Contents of every header that a unit could include: those of native/ and of the units' own folders. */
function headersBeside(sources: readonly string[]): string {
  const folders = new Set([join(ROOT, "native"), ...sources.map((source) => dirname(resolve(source)))]);
  return [...folders]
    .flatMap((folder) => filesIn(folder, /\.(hh|h|inc)$/))
    .map((path) => `${nameOf(path)}\0${readFileSync(path, "utf8")}\0`)
    .join("");
}

/** Relative where it lies in the repository. */
function nameOf(path: string): string {
  return resolve(path).replace(`${ROOT}/`, "");
}

export function filesIn(folder: string, pattern: RegExp): readonly string[] {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Two may build the same at the same moment, also within one process. */
function unique(): string {
  return crypto.randomUUID().slice(0, 8);
}

function forgetOld(folder: string, pattern: RegExp): void {
  for (const path of filesIn(folder, pattern)) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > LIFE_MS) rmSync(path, { force: true });
  }
}

/** In a process of its own: an addon that takes the process down must not take this one. */
async function mustLoad(path: string): Promise<void> {
  await call([process.execPath, "--no-env-file", "-e", `require(${JSON.stringify(path)})`]);
}

/** What it printed; throws that as a CompileError unless it ends with 0. */
async function call(words: readonly string[]): Promise<string> {
  const child = Bun.spawn([...words], { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return out + errors;
  throw new CompileError("compiler failed", `${out}${errors}${words[0]} ended with ${code}`);
}
