// torrx passwd and check-config as a user runs them: on a terminal, through a pipe, in the wrong folder.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runProcess, startProcess, type TestProcess } from "../support/process.ts";
import { tmpFolder } from "../support/tmp.ts";

const MAIN = resolve(import.meta.dir, "../../src/main.ts");
const WITHIN_MS = 10_000;

function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("TORRX_"));
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""]));
}

async function throughPipe(folder: string, words: readonly string[], text = ""): Promise<TestProcess> {
  const onlyEnv = plainEnvironment();
  const feed = `printf %s "$TEXT" | exec "$0" "$@"`;
  return await runProcess(["sh", "-c", feed, process.execPath, MAIN, ...words], {
    cwd: folder,
    onlyEnv: { ...onlyEnv, TEXT: text },
  });
}

/** A dialogue on a terminal: each answer is typed once its question has been shown. */
async function onTerminal(folder: string, dialogue: readonly [string, string][]) {
  let shown = "";
  let hasCome = Promise.withResolvers<void>();
  const child = Bun.spawn([process.execPath, MAIN, "passwd"], {
    cwd: folder,
    env: plainEnvironment(),
    terminal: {
      cols: 200,
      rows: 24,
      data: (_terminal, bytes) => {
        shown += Buffer.from(bytes).toString();
        hasCome.resolve();
        hasCome = Promise.withResolvers();
      },
    },
  });
  const guard = setTimeout(() => child.kill("SIGKILL"), WITHIN_MS);
  const ended = child.exited.then(() => "ended" as const);
  let at = 0;
  for (const [question, keys] of dialogue) {
    while (!shown.slice(at).includes(question)) {
      if ((await Promise.race([hasCome.promise, ended])) === "ended") throw new Error(`not asked: ${shown}`);
    }
    at = shown.length;
    child.terminal?.write(keys);
  }
  const exitCode = await child.exited;
  clearTimeout(guard);
  child.terminal?.close();
  return { exitCode, shown };
}

async function isPassword(folder: string, password: string): Promise<boolean> {
  const text = readFileSync(join(folder, "data", "credentials.json"), "utf8");
  return await Bun.password.verify(password, (JSON.parse(text) as { passwordHash: string }).passwordHash);
}

describe("passwd on a terminal", () => {
  test("asks twice, shows nothing of what is typed and takes corrections", async () => {
    const folder = tmpFolder("passwd");
    const { exitCode, shown } = await onTerminal(folder, [
      ['New password of "admin"', "wrong\u0015secret woX\u007frd\r"],
      ["The same again", "secret word\r"],
    ]);
    expect(exitCode, shown).toBe(0);
    expect(shown).toContain("holds from the next start on");
    expect(shown).not.toMatch(/secret|wrong/);
    expect(await isPassword(folder, "secret word")).toBe(true);
  });

  test("changes nothing when the two differ or the user gives up", async () => {
    const folder = tmpFolder("passwd");
    const differing = await onTerminal(folder, [
      ["New password", "one\r"],
      ["The same again", "two\r"],
    ]);
    expect([differing.exitCode, differing.shown]).toEqual([
      1,
      expect.stringContaining("two passwords differ"),
    ]);
    const left = await onTerminal(folder, [["New password", "one\u0003"]]);
    expect([left.exitCode, left.shown]).toEqual([1, expect.stringContaining("nothing was changed")]);
    expect(existsSync(join(folder, "data"))).toBe(false);
  });
});

describe("passwd through a pipe", () => {
  test("takes one line, and says that the data folder is new", async () => {
    const folder = tmpFolder("passwd");
    const first = await throughPipe(folder, ["passwd"], "my own\n");
    expect([first.exitCode, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toContain(`The folder ${join(folder, "data")} is new`);
    expect(await isPassword(folder, "my own")).toBe(true);
    const second = await throughPipe(folder, ["passwd"], "another");
    expect(second.stdoutLines).toEqual(['The new password of "admin" holds from the next start on.']);
  });

  test("tells in one line that nothing was given, or that the folder cannot be had", async () => {
    const folder = tmpFolder("passwd");
    const empty = await throughPipe(folder, ["passwd"], "");
    expect([empty.exitCode, empty.stderrLines]).toEqual([
      1,
      ["torrx: no password was given; nothing was changed"],
    ]);
    writeFileSync(join(folder, "data"), "a file");
    const refused = await throughPipe(folder, ["passwd"], "x\n");
    expect([refused.exitCode, refused.stderrLines.length]).toEqual([1, 1]);
    expect(refused.stderr).toStartWith(`torrx: cannot write ${join(folder, "data", "credentials.json")} (`);
  });
});

describe("check-config", () => {
  test("tells whose login holds, and that a configured password does not", async () => {
    const folder = tmpFolder("check");
    expect((await throughPipe(folder, ["check-config"])).stdout).not.toContain("login in force");
    await throughPipe(folder, ["passwd"], "my own\n");
    const own = await throughPipe(folder, ["check-config"]);
    expect(own.stdoutLines.at(-1)).toBe("login in force: admin, set in the settings or with torrx passwd");
    writeFileSync(
      join(folder, "torrx.yaml"),
      "auth: {password: configured}\nffmpeg: {binary_path: /none/ffmpeg}",
    );
    const both = await throughPipe(folder, ["check-config"]);
    expect(both.stdout).toContain('warning: ffmpeg.binary_path: there is no program "/none/ffmpeg"');
    expect(both.stdoutLines.at(-1)).toStartWith("warning: auth.password (TORRX_AUTH_PASSWORD) is not used");
  });

  test("wrong words end with 2, a wrong configuration with 1, each in one line", async () => {
    const folder = tmpFolder("check");
    const words = await throughPipe(folder, ["check-config", "--conf"]);
    expect([words.exitCode, words.stderrLines.length]).toEqual([2, 1]);
    writeFileSync(join(folder, "torrx.yaml"), "servr: {}");
    const wrong = await throughPipe(folder, ["check-config"]);
    expect([wrong.exitCode, wrong.stderrLines.length]).toEqual([1, 1]);
  });

  test("help wins over a missing configuration", async () => {
    const child = await throughPipe(tmpFolder("check"), ["start", "--config", "none.yaml", "--help"]);
    expect([child.exitCode, child.stdoutLines[0]]).toEqual([0, "torrx: stream torrents while they download"]);
  });
});

test("a start without the FFmpeg that was named warns once, and serves", async () => {
  const child = startProcess([process.execPath, MAIN, "start"], {
    cwd: tmpFolder("ffmpeg"),
    onlyEnv: {
      ...plainEnvironment(),
      TORRX_FFMPEG_PATH: "/none/ffmpeg",
      TORRX_SERVER_HOST: "127.0.0.1",
      TORRX_SERVER_PORT: "0",
      TORRX_TORRENT_PORT: "0",
      TORRX_TORRENT_DHT: "false",
    },
  });
  await child.waitForLine("TorrX is ready", WITHIN_MS);
  await child.waitForLine("/none/ffmpeg", WITHIN_MS);
  await child.stop("SIGTERM");
  expect(child.stderrLines.filter((line) => line.includes("/none/ffmpeg"))).toHaveLength(1);
});
