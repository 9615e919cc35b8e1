// Real files, programs and libraries; what a user may have configured.

import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compile } from "../../../../native/compile.ts";
import { EXEC_PATH } from "../../../../native/exec-path.ts";
import { type FoundProgram, findProgram, withNeeds } from "../../../../src/media/process/program-file.ts";
import { listingWords } from "../../../../src/media/process/sandbox.ts";
import { runToEnd } from "../../../support/exec-rig.ts";
import { tmpFolder } from "../../../support/tmp.ts";

function program(folder: string, name: string, content = "#!/bin/sh\n", mode = 0o755): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => "no refusal",
    (error: { code: string; message: string }) => [error.code, error.message],
  );
}

describe("ffmpeg is found", () => {
  test("at the path that is configured, links followed", async () => {
    const folder = tmpFolder("program");
    const real = program(folder, "opt/ffmpeg");
    symlinkSync(real, join(folder, "link"));
    expect((await findProgram("ffmpeg", join(folder, "link"))).path).toBe(realpathSync(real));
  });

  test("by its name on the PATH", async () => {
    expect((await findProgram("ffmpeg", "ffmpeg")).path).toBe(realpathSync(Bun.which("ffmpeg") ?? ""));
  });

  test("as another one once the file is another one", async () => {
    const path = program(tmpFolder("program"), "ffmpeg");
    const before = await findProgram("ffmpeg", path);
    expect((await findProgram("ffmpeg", path)).identity).toBe(before.identity);
    writeFileSync(path, "#!/bin/sh\nexit 1\n");
    expect((await findProgram("ffmpeg", path)).identity).not.toBe(before.identity);
  });
});

describe("ffprobe is found", () => {
  test("beside ffmpeg", async () => {
    const folder = tmpFolder("program");
    const probe = program(folder, "ffprobe");
    expect((await findProgram("ffprobe", program(folder, "ffmpeg"))).path).toBe(realpathSync(probe));
    expect((await findProgram("ffprobe", program(folder, "my-build"))).path).toBe(realpathSync(probe));
  });

  test("beside what a link leads to, when there is none beside the link", async () => {
    const folder = tmpFolder("program");
    const probe = program(folder, "opt/ffprobe");
    mkdirSync(join(folder, "bin"));
    symlinkSync(program(folder, "opt/ffmpeg"), join(folder, "bin/ffmpeg"));
    expect((await findProgram("ffprobe", join(folder, "bin/ffmpeg"))).path).toBe(realpathSync(probe));
  });

  test("under a name like ffmpeg's before the plain one", async () => {
    const folder = tmpFolder("program");
    program(folder, "ffprobe");
    const probe = program(folder, "ffprobe7");
    expect((await findProgram("ffprobe", program(folder, "ffmpeg7"))).path).toBe(realpathSync(probe));
  });
});

describe("what is no program is refused in words", () => {
  test("a name that is not on the PATH", async () => {
    expect(await refusal(findProgram("ffmpeg", "no-such-ffmpeg"))).toEqual([
      "unsupported_media",
      'ffmpeg was not found: there is no program "no-such-ffmpeg"',
    ]);
  });

  test("a path with nothing there, or below a file", async () => {
    const file = program(tmpFolder("program"), "file");
    for (const path of ["/none/ffmpeg", join(file, "ffmpeg")]) {
      expect(await refusal(findProgram("ffmpeg", path))).toEqual([
        "unsupported_media",
        `ffmpeg was not found at ${path}`,
      ]);
    }
  });

  test("a path that leads nowhere", async () => {
    const loop = join(tmpFolder("program"), "loop");
    symlinkSync(loop, loop);
    expect(await refusal(findProgram("ffmpeg", loop))).toEqual([
      "unsupported_media",
      expect.stringMatching(/^ffmpeg at .*loop cannot be reached: .*ELOOP/),
    ]);
  });

  test("a missing ffprobe is named where it should be", async () => {
    const path = program(tmpFolder("program"), "ffmpeg");
    expect(await refusal(findProgram("ffprobe", path))).toEqual([
      "unsupported_media",
      `ffprobe was not found at ${join(dirname(path), "ffprobe")}`,
    ]);
  });

  test("a folder, and a file that is not executable", async () => {
    const folder = realpathSync(tmpFolder("program"));
    expect(await refusal(findProgram("ffmpeg", folder))).toEqual([
      "unsupported_media",
      `ffmpeg at ${folder} is not a file`,
    ]);
    const path = program(folder, "ffmpeg", "", 0o644);
    expect(await refusal(findProgram("ffmpeg", path))).toEqual([
      "unsupported_media",
      `ffmpeg at ${path} cannot be started: it is not executable for this user`,
    ]);
  });
});

/** The system's own loader, asked through torrx-exec. */
const list = async ({ path, name }: FoundProgram) =>
  (await runToEnd([EXEC_PATH, ...listingWords(path, name, process.pid)])).stdout;

describe("what a program needs", () => {
  test("is the file itself and nothing of its folder", async () => {
    const file = await withNeeds(await findProgram("ffmpeg", "ffmpeg"), list);
    expect(file.isScript).toBe(false);
    expect(file.runnable).toEqual([file.path]);
  });

  test("is the interpreter of a script, and the folders of programs", async () => {
    const path = program(tmpFolder("program"), "ffmpeg", "#! /bin/sh -e\necho\n");
    const file = await withNeeds(await findProgram("ffmpeg", path), list);
    expect(file.isScript).toBe(true);
    expect(file.runnable).toEqual(expect.arrayContaining([file.path, realpathSync("/bin/sh"), "/usr/bin"]));
  });

  test("is each library that lies outside of the system's folders", async () => {
    const folder = realpathSync(tmpFolder("program"));
    const library = join(folder, "lib/libown.so");
    await build(library, "int own() { return 0; }", ["-fPIC", "-shared"]);
    const output = join(folder, "bin/ffmpeg");
    await build(output, "int own(); int main() { return own(); }", [
      "-Wl,--no-as-needed",
      library,
      `-Wl,-rpath,${dirname(library)}`,
    ]);
    const file = await withNeeds(await findProgram("ffmpeg", output), list);
    expect(file.runnable).toEqual([output, library]);
  });

  test("is itself alone when it is static", async () => {
    const output = join(realpathSync(tmpFolder("program")), "ffmpeg");
    await build(output, "int main() { return 0; }", ["-static"]);
    expect((await withNeeds(await findProgram("ffmpeg", output), list)).runnable).toEqual([output]);
  });
});

async function build(output: string, source: string, flags: readonly string[]): Promise<void> {
  const path = join(tmpFolder("source"), "source.cc");
  writeFileSync(path, source);
  await compile({ kind: "program", sources: [path], output, flags });
}
