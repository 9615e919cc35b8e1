import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProcess, startProcess } from "../../support/process.ts";
import { tmpFolder } from "../../support/tmp.ts";

describe("test processes", () => {
  test("a line is found whether it came before or after the wait began", async () => {
    const child = startProcess(["sh", "-c", "echo first; read answer; echo got $answer >&2; sleep 60"]);
    await child.waitForLine("first");
    child.writeLine("yes");
    expect(await child.waitForLine(/^got/)).toBe("got yes");
    expect(await child.waitForLine("first")).toBe("first");
    expect(await child.stop()).toBe(143);
    expect(() => process.kill(child.pid, 0)).toThrow();
  });

  test("the wait for a line fails when the process ends or the time is over, and shows its output", async () => {
    const ended = startProcess(["sh", "-c", "echo nothing here; exit 3"]);
    expect(ended.waitForLine("never")).rejects.toThrow(/ended with 3[\s\S]*nothing here/);
    const slow = startProcess(["sleep", "60"]);
    expect(slow.waitForLine("never", 20)).rejects.toThrow(/did not come in 20 ms/);
    await ended.waitForExit();
    await slow.stop();
  });

  test("a process that ignores SIGTERM is killed", async () => {
    const child = startProcess(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"]);
    await child.waitForLine("ready");
    expect(await child.stop("SIGTERM", 100)).toBe(137);
  });

  test("runProcess gives the whole output and the exit code", async () => {
    const child = await runProcess(["sh", "-c", "printf 'a\\nb'; exit 4"]);
    expect([child.stdout, child.exitCode]).toEqual(["a\nb", 4]);
  });

  test("a temporary folder is empty and writable", () => {
    const folder = tmpFolder();
    writeFileSync(join(folder, "x"), "1");
    expect(existsSync(join(folder, "x"))).toBe(true);
  });
});
