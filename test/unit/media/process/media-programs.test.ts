// Which programs are started and which are refused, with real files, real processes and the real sandbox.

import { describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../../../native/compile.ts";
import { createLog } from "../../../../src/base/log.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { fakeFfmpeg, outputOf, type TestPrograms, testPrograms } from "../../../support/fake-ffmpeg.ts";
import { isReaped, isRunning } from "../../../support/process-state.ts";
import { tmpFolder } from "../../../support/tmp.ts";

const FFMPEG = { program: "ffmpeg", argv: ["-version"] } as const;
/** Two cores that others use too. */
const COMPILE_WITHIN_MS = 60_000;
const COPY = { isEncode: false } as const;

/** A file in a folder of its own, and one like it beside it as ffprobe. */
function program(content: string | Uint8Array): string {
  const folder = realpathSync(tmpFolder("program"));
  for (const name of ["ffmpeg", "ffprobe"]) {
    writeFileSync(join(folder, name), content);
    chmodSync(join(folder, name), 0o755);
  }
  return join(folder, "ffmpeg");
}

const script = (...lines: string[]) => program(`#!/bin/sh\n${lines.join("\n")}\n`);
const ANSWER = '[ "$1" = -version ] && echo "ffmpeg version 7.1" && exit';

async function refusal(programs: TestPrograms): Promise<unknown> {
  return await programs.start(FFMPEG, COPY).then(
    () => "no refusal",
    (error: { code: string; message: string }) => [error.code, error.message],
  );
}

async function refusalOf(ffmpegPath: string): Promise<unknown> {
  await using programs = await testPrograms({ ffmpegPath });
  return await refusal(programs);
}

/** Of a process that may just have ended. */
function nameOf(pid: number): string {
  return isReaped(pid) ? "" : readFileSync(`/proc/${pid}/comm`, "utf8").trim();
}

/** An ELF header of another machine. */
function foreignProgram(): Uint8Array {
  const bytes = new Uint8Array(256);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const header = new DataView(bytes.buffer);
  header.setUint16(16, 2, true);
  header.setUint16(18, 0xf3, true);
  return bytes;
}

describe("a program is refused, and said why,", () => {
  test("where there is none", async () => {
    expect(await refusalOf("/none/ffmpeg")).toEqual([
      "unsupported_media",
      "ffmpeg was not found at /none/ffmpeg",
    ]);
  });

  test("where it is none for this machine", async () => {
    for (const content of [foreignProgram(), "just text\n", new Uint8Array(0)]) {
      const path = program(content);
      expect(await refusalOf(path)).toEqual([
        "unsupported_media",
        `ffmpeg at ${path} cannot be started: it is no program for this kind of machine`,
      ]);
    }
  });

  test("where what loads it is not here", async () => {
    const path = program("#!/none/interpreter\n");
    expect(await refusalOf(path)).toEqual([
      "unsupported_media",
      `ffmpeg at ${path} cannot be started: it was made for another system, whose loader is not here`,
    ]);
  });

  test("where it ends at once, with the last that it said", async () => {
    const path = script("echo one >&2; echo 'libx.so: cannot open shared object file' >&2; exit 127");
    expect(await refusalOf(path)).toEqual([
      "unsupported_media",
      `ffmpeg at ${path} ends at once (code 127): libx.so: cannot open shared object file`,
    ]);
    const crashing = script("kill -SEGV $$");
    expect(await refusalOf(crashing)).toEqual([
      "unsupported_media",
      `ffmpeg at ${crashing} ends at once (SIGSEGV)`,
    ]);
  });

  test("where it never answers", async () => {
    const clock = new FakeClock();
    const path = script("exec sleep 1000");
    await using programs = await testPrograms({ ffmpegPath: path, clock });
    const refused = refusal(programs);
    // The interpreter is asked for its libraries before.
    const sleeping = () => programs.pids.find((pid) => nameOf(pid) === "sleep");
    while (sleeping() === undefined) await Bun.sleep(5);
    const pid = sleeping() ?? 0;
    clock.advance(10_000);
    expect(await refused).toEqual(["unsupported_media", `ffmpeg at ${path} does not answer`]);
    expect(isReaped(pid)).toBe(true);
  });

  test("where it answers without end", async () => {
    const path = script("while :; do echo ffmpeg version 7 ffmpeg version 7; done");
    expect(await refusalOf(path)).toEqual(["unsupported_media", expect.stringContaining("ends at once")]);
  });

  test("where the program that starts it is missing", async () => {
    await using programs = await testPrograms({ execPath: "/none/torrx-exec" });
    expect(await refusal(programs)).toEqual([
      "unsupported_media",
      "the program that starts ffmpeg is missing at /none/torrx-exec; fix: ./torrx build",
    ]);
  });
});

describe("a program is tried", () => {
  test("once, and again when its file is another one", async () => {
    const lines: string[] = [];
    const ffmpegPath = script(ANSWER);
    await using programs = await testPrograms({
      ffmpegPath,
      log: createLog("info", (line) => lines.push(line)),
    });
    const tries = () => lines.filter((line) => line.includes("program found")).length;
    await Promise.all([outputOf(programs, ["-version"]), outputOf(programs, ["-version"])]);
    await outputOf(programs, ["-version"]);
    expect(tries()).toBe(1);
    writeFileSync(ffmpegPath, `#!/bin/sh\n# another one\n${ANSWER}\n`);
    await outputOf(programs, ["-version"]);
    expect(tries()).toBe(2);
  });

  test("again after it was refused, so that what the user mends works", async () => {
    const ffmpegPath = script("exit 1");
    await using programs = await testPrograms({ ffmpegPath });
    expect(await refusal(programs)).toEqual(["unsupported_media", expect.any(String)]);
    rmSync(ffmpegPath);
    expect(await refusal(programs)).toEqual(["unsupported_media", `ffmpeg was not found at ${ffmpegPath}`]);
    copyFileSync(await fakeFfmpeg(), ffmpegPath);
    expect(await outputOf(programs, ["arguments", "it", "runs"])).toBe("[it]\n[runs]\n");
  });
});

describe("whatever ffmpeg is made of, it runs:", () => {
  const source = join(import.meta.dir, "../../../support/fake-ffmpeg.cc");

  async function expectItRuns(ffmpegPath: string): Promise<void> {
    await using programs = await testPrograms({ ffmpegPath });
    expect(await outputOf(programs, ["arguments", "it", "runs"])).toBe("[it]\n[runs]\n");
  }

  test(
    "a static program",
    async () => {
      const output = join(tmpFolder("static"), "ffmpeg");
      await compile({ kind: "program", sources: [source], output, flags: ["-static"] });
      await expectItRuns(output);
    },
    COMPILE_WITHIN_MS,
  );

  test(
    "a static program that leaves another behind, which would hold its output open",
    async () => {
      const folder = tmpFolder("static");
      const [part, output] = [join(folder, "part.cc"), join(folder, "ffmpeg")];
      const leaving = "if (fork() == 0) { setsid(); sleep(20); }";
      writeFileSync(
        part,
        `#include <cstdio>\n#include <unistd.h>\nint main() { ${leaving} std::puts("ffmpeg version 7.1"); }`,
      );
      await compile({ kind: "program", sources: [part], output, flags: ["-static"] });
      await using programs = await testPrograms({ ffmpegPath: output });
      const begun = performance.now();
      expect(await outputOf(programs, [])).toBe("ffmpeg version 7.1\n");
      expect(performance.now() - begun).toBeLessThan(5_000);
    },
    COMPILE_WITHIN_MS,
  );

  test(
    "a program with libraries of its own",
    async () => {
      const folder = tmpFolder("own");
      const library = join(folder, "lib/libown.so");
      const [part, output] = [join(folder, "part.cc"), join(folder, "bin/ffmpeg")];
      writeFileSync(part, "int own() { return 0; }");
      await compile({ kind: "program", sources: [part], output: library, flags: ["-fPIC", "-shared"] });
      const flags = ["-Wl,--no-as-needed", library, `-Wl,-rpath,${join(folder, "lib")}`];
      await compile({ kind: "program", sources: [source], output, flags });
      await expectItRuns(output);
    },
    COMPILE_WITHIN_MS,
  );

  test("a script that becomes it", async () => {
    await using programs = await testPrograms({ ffmpegPath: script('exec /usr/bin/ffmpeg "$@"') });
    expect(await outputOf(programs, ["-version"])).toStartWith("ffmpeg version ");
  });

  test("with hardware, which it may use", async () => {
    await using programs = await testPrograms();
    const open = async (devices: readonly string[], lines: readonly string[]) => {
      const program = { program: "ffmpeg", argv: ["try", ...lines] } as const;
      const running = await programs.start(program, { isEncode: true, devices });
      const text = await new Response(running.stdout).text();
      return Object.fromEntries(
        text
          .trim()
          .split("\n")
          .map((line) => line.split(": ")),
      );
    };
    const device = "write /dev/zero";
    const system = ["cpuinfo", "meminfo", "devices", "sys/vm/overcommit_memory", "self/maps", "self/task"];
    const facts = system.map((name) => `read /proc/${name}`);
    const others = [
      "list /proc",
      ...[process.pid, 1].map((pid) => `read /proc/${pid}/cmdline`),
      "read /etc/passwd",
    ];
    const lines = [device, ...facts, ...others];
    const answers = (names: readonly string[], answer: string) => names.map((name) => [name, answer]);
    expect(await open([], lines)).toEqual(Object.fromEntries(answers(lines, "EACCES")));
    expect(await open(["/dev/zero", "/dev/no-such"], lines)).toEqual(
      Object.fromEntries([...answers([device, ...facts], "ok"), ...answers(others, "EACCES")]),
    );
  });
});

describe("the check at the start of the server", () => {
  test("finds nothing to say about this machine's ffmpeg", async () => {
    await using programs = await testPrograms({ ffmpegPath: "ffmpeg" });
    expect(await programs.check()).toEqual({ version: expect.stringMatching(/^\d/), warnings: [] });
  });

  test("tells that there is none, in one sentence and in the log", async () => {
    const lines: string[] = [];
    const log = createLog("warn", (line) => lines.push(line));
    await using programs = await testPrograms({ ffmpegPath: "/none/ffmpeg", log });
    const warnings = ["ffmpeg was not found at /none/ffmpeg"];
    expect(await programs.check()).toEqual({ version: null, warnings });
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(warnings);
  });

  test("tells that ffprobe is missing", async () => {
    const ffmpegPath = script(ANSWER);
    rmSync(join(ffmpegPath, "../ffprobe"));
    await using programs = await testPrograms({ ffmpegPath });
    const warnings = [`ffprobe was not found at ${join(ffmpegPath, "../ffprobe")}`];
    expect(await programs.check()).toEqual({ version: "7.1", warnings });
  });

  test("tells of a version that is too old", async () => {
    const ffmpegPath = script("echo ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright");
    await using programs = await testPrograms({ ffmpegPath });
    expect((await programs.check()).warnings).toEqual([
      `ffmpeg at ${ffmpegPath} is version 4.4.2-0ubuntu0.22.04.1; TorrX needs 5 or newer`,
    ]);
  });

  test("takes a build without a number for a new one", async () => {
    for (const version of ["N-118000-g1a2b3c4d5e", "2025-01-01-git-abc", "n7.1"]) {
      await using programs = await testPrograms({
        ffmpegPath: script(`echo ffmpeg version ${version} Copyright`),
      });
      expect(await programs.check()).toEqual({ version, warnings: [] });
    }
  });

  test("waits no longer for torrx-exec than for a program", async () => {
    const clock = new FakeClock();
    const execPath = script('[ "$1" = --check ] && exec sleep 1000');
    await using programs = await testPrograms({ execPath, clock });
    const checked = programs.check();
    while (!programs.pids.some((pid) => nameOf(pid) === "sleep")) await Bun.sleep(5);
    clock.advance(10_000);
    expect((await checked).warnings[0]).toBe(`${execPath} does not answer`);
  });

  test("tells what the kernel lacks", async () => {
    const execPath = script('[ "$1" = --check ] && printf "landlock 0\\ncall_filter 1\\n"');
    await using programs = await testPrograms({ execPath });
    expect((await programs.check()).warnings[0]).toContain("Landlock");
  });
});

describe("programs", () => {
  test("are counted while they run", async () => {
    await using programs = await testPrograms();
    const all = await Promise.all(
      [1, 2, 3].map(() => programs.start({ program: "ffmpeg", argv: ["wait"] }, COPY)),
    );
    expect([...programs.pids].sort()).toEqual(all.map((one) => one.pid).sort());
    await all[0]?.kill();
    expect(programs.pids).toHaveLength(2);
  });

  test("are all gone after killAll, and none is started any more", async () => {
    await using programs = await testPrograms();
    const all = await Promise.all(
      ["wait", "write", "ignore-term", "stop"].map((argv) =>
        programs.start({ program: "ffmpeg", argv: [argv] }, COPY),
      ),
    );
    const late = refusal(programs);
    await programs.killAll();
    expect(all.map((one) => isReaped(one.pid))).toEqual([true, true, true, true]);
    expect(await late).toEqual(["busy", "TorrX is stopping"]);
    expect(await refusal(programs)).toEqual(["busy", "TorrX is stopping"]);
  });

  test("take with them what they have started, however they end", async () => {
    const background = "sleep 1000 >/dev/null 2>&1 </dev/null & echo $!";
    for (const last of ["wait", "exit 0"]) {
      await using programs = await testPrograms({ ffmpegPath: script(ANSWER, background, last) });
      const running = await programs.start({ program: "ffmpeg", argv: [] }, COPY);
      const { value } = await running.stdout.getReader().read();
      const pid = Number(new TextDecoder().decode(value));
      expect(pid).toBeGreaterThan(1);
      if (last === "wait") await running.kill();
      await running.exited;
      while (isRunning(pid)) await Bun.sleep(5);
    }
  });
});
