// A repository as ./torrx finds it after a clone, and a PATH on which nothing is but what the launcher is allowed to use.
// npm is a stand-in that delivers the Bun of this test run (or misbehaves): the registry is the only thing faked.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { runProcess, type SpawnOptions, startProcess, type TestProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";

export const REPO = resolve(import.meta.dir, "../..");

const REPO_PACKAGE = JSON.parse(readFileSync(join(REPO, "package.json"), "utf8")) as {
  dependencies: { yaml: string };
};

/** An addon that compiles in no time: without the headers of Node-API. */
const SMALL_ADDON = `extern "C" __attribute__((visibility("default")))
void* napi_register_module_v1(void*, void* exports) { return exports; }
`;
/** A compiler with the programs that it calls. */
const COMPILER = ["g++", "as", "ld"];

/** What the launcher may take from a system; everything but npm, Bun and a compiler. */
const TOOLS =
  "sh cat cksum cp dirname flock head id mkdir mktemp mv readlink rm sed sleep tail uname env setpriv".split(
    " ",
  );

export type FakeNpm = "delivers" | "fails" | "delivers an old Bun" | "hangs half way" | "is missing";

const NPM_BODY: Readonly<Record<Exclude<FakeNpm, "is missing">, string>> = {
  delivers: `cp -L "$BUN" "$place/bun"`,
  fails: `echo "npm error network" >&2; echo half >"$place/bun"; exit 1`,
  "delivers an old Bun": `printf '#!/bin/sh\\necho 1.3.9\\n' >"$place/bun"; ${Bun.which("chmod")} +x "$place/bun"`,
  "hangs half way": `echo half >"$place/bun"; echo "hanging $$" >>"$NPM_LOG"; exec sleep 60`,
};

export class LauncherFixture {
  readonly root: string;
  readonly #bin = tmpFolder("bin");
  readonly #npmLog = join(this.#bin, "npm.log");

  private constructor(label: string) {
    this.root = tmpFolder(label);
    chmodSync(this.root, 0o755);
    for (const tool of [...TOOLS, ...COMPILER]) {
      const path = Bun.which(tool);
      if (path !== null) this.linkTool(tool, path);
    }
    this.setNpm("delivers");
  }

  /** The launcher with a program that only tells how it was started, and no dependencies. */
  static small(): LauncherFixture {
    const fixture = new LauncherFixture("small");
    for (const name of ["torrx", "scripts", "bunfig.toml"]) {
      cpSync(join(REPO, name), join(fixture.root, name), { recursive: true });
    }
    for (const name of ["build.ts", "compile.ts", "exec-path.ts"]) {
      cpSync(join(REPO, "native", name), join(fixture.root, "native", name));
    }
    fixture.write("native/addon.cc", SMALL_ADDON);
    fixture.write("native/exec/main.cc", "int main() {}\n");
    fixture.setVersion("9.8.7");
    fixture.write("bun.lock", smallLock());
    fixture.write("src/main.ts", `console.log(process.argv.slice(2).join(" "), process.cwd(), Bun.version);`);
    mkdirSync(join(fixture.root, "web"));
    return fixture;
  }

  /** Every tracked file of this repository; the compiler's part is taken from here where it was done already. */
  static async clone(): Promise<LauncherFixture> {
    const fixture = new LauncherFixture("clone");
    const list = await runProcess(["git", "ls-files", "--cached", "--others", "--exclude-standard"], {
      cwd: REPO,
    });
    for (const name of list.stdoutLines.filter((line) => existsSync(join(REPO, line)))) {
      mkdirSync(join(fixture.root, dirname(name)), { recursive: true });
      cpSync(join(REPO, name), join(fixture.root, name));
    }
    const objects = ".setup/native/objects";
    if (existsSync(join(REPO, objects))) {
      cpSync(join(REPO, objects), join(fixture.root, objects), { recursive: true });
    }
    return fixture;
  }

  setNpm(kind: FakeNpm): void {
    const path = join(this.#bin, "npm");
    if (kind === "is missing") {
      writeFileSync(path, "");
      chmodSync(path, 0o644);
      return;
    }
    const script = `#!/bin/sh
BUN='${process.execPath}' NPM_LOG='${this.#npmLog}'
echo "$*" >>"$NPM_LOG"
while [ "$1" != --prefix ]; do shift; done
place=$2/node_modules/@oven/bun-linux-x64/bin
mkdir -p "$place"
${NPM_BODY[kind]}
`;
    writeFileSync(path, script);
    chmodSync(path, 0o755);
  }

  /** A program on the PATH of the launcher. */
  addTool(name: string, script: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.#bin, name), 0o755);
  }

  linkTool(name: string, target: string): void {
    symlinkSync(target, join(this.#bin, name));
  }

  removeTool(name: string): void {
    rmSync(join(this.#bin, name));
  }

  /** Lines that npm wrote about its runs. */
  get npmRuns(): readonly string[] {
    return existsSync(this.#npmLog) ? readFileSync(this.#npmLog, "utf8").trim().split("\n") : [];
  }

  /** Its package.json, with one dependency. */
  setVersion(version: string): void {
    const dependencies = { yaml: REPO_PACKAGE.dependencies.yaml };
    this.write("package.json", JSON.stringify({ name: "torrx", version, dependencies }, null, 2));
  }

  write(name: string, content: string): void {
    mkdirSync(join(this.root, dirname(name)), { recursive: true });
    writeFileSync(join(this.root, name), content);
  }

  start(words: readonly string[], options: SpawnOptions = {}): TestProcess {
    return startProcess([join(this.root, "torrx"), ...words], this.#options(options));
  }

  async run(words: readonly string[], options: SpawnOptions = {}): Promise<TestProcess> {
    return await runProcess([join(this.root, "torrx"), ...words], this.#options(options));
  }

  #options(options: SpawnOptions): SpawnOptions {
    const home = process.env["HOME"] ?? "/";
    return { cwd: this.root, ...options, onlyEnv: { PATH: this.#bin, HOME: home, ...options.onlyEnv } };
  }
}

/** The repository's lock file, cut down to one package that depends on none: it comes out of Bun's cache. */
function smallLock(): string {
  const entry = /^ *"yaml": \[.*\],$/m.exec(readFileSync(join(REPO, "bun.lock"), "utf8"))?.[0] ?? "";
  const { yaml } = REPO_PACKAGE.dependencies;
  return `{
  "lockfileVersion": 2,
  "configVersion": 1,
  "workspaces": { "": { "name": "torrx", "dependencies": { "yaml": "${yaml}" } } },
  "packages": {
${entry}
  }
}
`;
}
