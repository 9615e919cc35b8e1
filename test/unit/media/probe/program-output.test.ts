import { describe, expect, test } from "bun:test";
import { outputOf } from "../../../../src/media/probe/program-output.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { type Script, ScriptedPrograms } from "./scripted-programs.ts";

const PROGRAM = { program: "ffprobe", argv: [] } as const;

function bounded(script: Script, more: { signal?: AbortSignal; isWaiting?: () => boolean } = {}) {
  const programs = new ScriptedPrograms(script);
  const clock = new FakeClock();
  const signal = more.signal ?? new AbortController().signal;
  const output = outputOf(PROGRAM, { programs, clock, withinMs: 15_000, outputBytes: 8, ...more, signal });
  return { programs, clock, output };
}

describe("the output of a program", () => {
  test("is what it wrote, with how it ended", async () => {
    const { output, clock } = bounded({ writes: ["ab", "cd"], code: 3, stderr: "why" });
    const { stdout, exit, cut } = await output;
    expect(Buffer.from(stdout).toString()).toBe("abcd");
    expect([exit.code, exit.stderr, cut]).toEqual([3, "why", null]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("may be as long as the bound, and one byte more ends the program", async () => {
    const atLimit = await bounded({ writes: ["12345678"] }).output;
    expect([atLimit.cut, atLimit.stdout.length]).toEqual([null, 8]);
    const { output, programs } = bounded({ writes: ["12345678", "9"], hangs: true });
    expect((await output).cut).toBe("bytes");
    expect(programs.kills).toBeGreaterThan(0);
  });

  test("is waited for as long as the bound and no longer", async () => {
    const { output, clock, programs } = bounded({ hangs: true });
    await clock.advanceSettled(14_750);
    expect(programs.kills).toBe(0);
    await clock.advanceSettled(250);
    expect((await output).cut).toBe("time");
    expect(programs.kills).toBeGreaterThan(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("time in which the torrent's bytes are waited for does not count", async () => {
    let isWaiting = true;
    const { output, clock, programs } = bounded({ hangs: true }, { isWaiting: () => isWaiting });
    await clock.advanceSettled(120_000);
    expect(programs.kills).toBe(0);
    isWaiting = false;
    await clock.advanceSettled(15_000);
    expect((await output).cut).toBe("time");
  });

  test("an abort ends the program before the promise rejects with its reason", async () => {
    const abort = new AbortController();
    const { output, clock, programs } = bounded({ hangs: true }, { signal: abort.signal });
    await clock.settle();
    abort.abort(new Error("nobody wants it"));
    await expect(output).rejects.toThrow("nobody wants it");
    expect(programs.kills).toBeGreaterThan(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("nothing is started when it is aborted already", async () => {
    const { output, programs } = bounded({}, { signal: AbortSignal.abort(new Error("too late")) });
    await expect(output).rejects.toThrow("too late");
    expect(programs.started).toEqual([]);
  });
});
