// Builds the web page into web/dist. `--check` only tells (exit code 1) whether that is due; `--work DIR` is where to
// build before the result is moved into place. The stamp is a hash of everything that goes in, written last.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const ROOT = resolve(import.meta.dir, "..");
const WEB = join(ROOT, "web");
const DIST = join(WEB, "dist");
const STAMP = join(ROOT, ".setup", "web.stamp");

function inputs(): string[] {
  const sources = readdirSync(WEB, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(`${DIST}/`) && !path.includes("/node_modules/"));
  const outside = ["bun.lock", "package.json", "tsconfig.json", "scripts/build.ts"];
  return [...sources.sort(), ...outside.map((name) => join(ROOT, name)).filter((path) => existsSync(path))];
}

function inputHash(): string {
  const hash = createHash("sha256");
  for (const path of inputs()) {
    const content = readFileSync(path);
    hash.update(`${path.slice(ROOT.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function isBuilt(stamp: string): boolean {
  if (!existsSync(join(DIST, "index.html")) || !existsSync(STAMP)) return false;
  return readFileSync(STAMP, "utf8") === stamp;
}

async function build(workDir: string): Promise<void> {
  const fresh = join(workDir, "dist");
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const child = Bun.spawn([process.execPath, "--bun", vite, "build", "--outDir", fresh, "--emptyOutDir"], {
    cwd: WEB,
    env: { ...process.env, NODE_ENV: "production" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0 || !existsSync(join(fresh, "index.html"))) {
    process.stderr.write(`${out}${errors}`);
    throw new Error(`vite ended with ${code}`);
  }
  // The stamp goes first and comes last: a crash in between means "build again", never "half a page".
  rmSync(STAMP, { force: true });
  if (existsSync(DIST)) renameSync(DIST, join(workDir, "old-dist"));
  renameSync(fresh, DIST);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: "boolean" }, work: { type: "string" } } });
  if (!existsSync(join(WEB, "vite.config.ts"))) return 0;
  const stamp = inputHash();
  if (isBuilt(stamp)) return 0;
  if (values.check) return 1;
  mkdirSync(join(ROOT, ".setup"), { recursive: true });
  const workDir = values.work ?? mkdtempSync(join(ROOT, ".setup", "tmp."));
  process.stderr.write("torrx: building the web page\n");
  try {
    await build(workDir);
    writeFileSync(STAMP, stamp);
  } catch (error) {
    process.stderr.write(`torrx: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  } finally {
    if (values.work === undefined) rmSync(workDir, { recursive: true, force: true });
  }
  return 0;
}

process.exitCode = await main();
