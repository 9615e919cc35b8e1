// The compiler is called as it should be: toys in a temporary folder, compiled for real.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CompileError, compile, type Target } from "../../../native/compile.ts";
import { runProcess } from "../../support/process.ts";
import { tmpFolder } from "../../support/tmp.ts";

const RACE = `#include <thread>
int count = 0;
int main() { std::thread other([] { count++; }); count++; other.join(); }
`;
const OVERFLOW = `#include <cstdio>
#include <limits>
int main(int argc, char**) { std::printf("%d", std::numeric_limits<int>::max() + argc); }
`;
const OUT_OF_BOUNDS = `int main(int argc, char**) { int* a = new int[4]; int b = a[argc + 3]; delete[] a; return b; }
`;

/** A program of one unit, main.cc. */
function toy(source: string, more: Partial<Target> = {}): Target {
  const folder = tmpFolder("toy");
  const path = join(folder, "main.cc");
  // No object of an earlier run may serve.
  writeFileSync(path, `${source}\n// ${folder}\n`);
  return { kind: "program", sources: [path], output: join(folder, "out", "toy"), ...more };
}

async function failureOf(target: Target): Promise<CompileError> {
  return await compile(target).then(
    () => {
      throw new Error("it compiled");
    },
    (error) => error,
  );
}

describe("compile", () => {
  test("makes a program of C++20, and says what the compiler warned of", async () => {
    const target = toy(
      `#include <span>\nint main(int argc, char**) { int unused; return std::span(&argc, 1)[0] - 1; }`,
    );
    expect(await compile(target)).toContain("unused");
    expect((await runProcess([target.output])).exitCode).toBe(0);
    expect(await failureOf({ ...target, flags: ["-Werror"] })).toBeInstanceOf(CompileError);
  });

  test("leaves the old program in place, and nothing beside it, when a unit is broken", async () => {
    const target = toy("int main() { return 0; }");
    await compile(target);
    writeFileSync(target.sources[0]!, "int main() { return nowhere; }");
    const failure = await failureOf(target);
    expect([failure.kind, failure.message]).toEqual([
      "compiler failed",
      expect.stringContaining("main.cc:1:"),
    ]);
    expect((await runProcess([target.output])).exitCode).toBe(0);
    expect(readdirSync(join(target.output, ".."))).toEqual(["toy"]);
  });

  test("compiles a unit again when a header beside it changes", async () => {
    const target = toy(`#include "answer.hh"\nint main() { return ANSWER; }`);
    const header = join(target.sources[0]!, "../answer.hh");
    for (const answer of [1, 2]) {
      writeFileSync(header, `#define ANSWER ${answer}\n`);
      await compile(target);
      expect((await runProcess([target.output])).exitCode).toBe(answer);
    }
  });

  test("two at the same moment to one place leave one whole program", async () => {
    const target = toy("int main() { return 0; }");
    await Promise.all([compile(target), compile(target)]);
    expect(readdirSync(join(target.output, ".."))).toEqual(["toy"]);
    expect(readFileSync(target.output).subarray(1, 4).toString()).toBe("ELF");
  });

  test.each([
    ["thread", RACE, "data race"],
    ["address", OUT_OF_BOUNDS, "heap-buffer-overflow"],
    ["undefined", OVERFLOW, "signed integer overflow"],
  ] as const)("a program made with the %s sanitizer finds what it is for", async (name, source, finding) => {
    const target = toy(source, { sanitize: [name] });
    await compile(target);
    expect((await runProcess([target.output])).stderr).toContain(finding);
  });

  test("names a compiler that is not there", async () => {
    const folder = tmpFolder("script");
    const script = `import { compile } from ${JSON.stringify(join(import.meta.dir, "../../../native/compile.ts"))};
      await compile({ kind: "program", sources: [], output: "${folder}/out" }).catch((error) => console.log(error.kind, error.message));`;
    const run = (env: Record<string, string>) =>
      runProcess([process.execPath, "--no-env-file", "-e", script], { onlyEnv: { PATH: folder, ...env } });
    expect((await run({})).stdout).toBe(
      "no compiler a C++ compiler is missing; fix: apt-get install -y --no-install-recommends g++",
    );
    expect((await run({ CXX: "nothing -O3" })).stdout).toContain(
      'there is no C++ compiler "nothing -O3" ($CXX)',
    );
    expect(existsSync(join(folder, "out"))).toBe(false);
  });
});
