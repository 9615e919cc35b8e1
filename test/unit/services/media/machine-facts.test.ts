// What is kept of the trial of encoders, and when it is made anew. The trial itself is a fake program's.

import { beforeEach, describe, expect, test } from "bun:test";
import { silentLog } from "../../../../src/base/log.ts";
import type { MediaProcess, MediaPrograms } from "../../../../src/media/index.ts";
import { MachineFacts } from "../../../../src/services/media/machine-facts.ts";
import { ProgramsCheck } from "../../../../src/services/media/programs-check.ts";
import { WarningBoard } from "../../../../src/services/warnings.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

/** Says what lists x264 and the filters, and encodes nothing. */
class Programs implements MediaPrograms {
  started = 0;
  failure: Error | null = null;

  start(): Promise<MediaProcess> {
    this.started++;
    if (this.failure !== null) return Promise.reject(this.failure);
    const stdout = new Response(" V....D libx264 x\n .SC zscale x\n ... tonemap x\n").body!;
    const exited = Promise.resolve({ code: 0, signal: null, isKilled: false, stderr: "" });
    return Promise.resolve({ pid: 1, stdout, exited, kill: () => Promise.resolve() });
  }
}

let programs: Programs;
let version: string | null;
let kept: Map<string, unknown>;

beforeEach(() => {
  programs = new Programs();
  version = "5.1.9";
  kept = new Map();
});

const start = () =>
  new MachineFacts({
    programs,
    version: () => Promise.resolve(version),
    state: { get: (key) => kept.get(key), put: (key, value) => void kept.set(key, value) },
    writes: { put: (_, work) => work() },
    clock: new FakeClock(),
    log: silentLog,
  });

describe("what this machine can encode with", () => {
  test("is found out once, and not again at the next start", async () => {
    const facts = start();
    expect(facts.atHand.encoders).toEqual([{ kind: "x264" }]);
    const [one, two] = await Promise.all([facts.get(), facts.get()]);
    expect(one).toBe(two);
    expect(one.canToneMap).toBe(true);
    const { started } = programs;
    expect(started).toBeGreaterThan(0);
    expect((await start().get()).canToneMap).toBe(true);
    expect(programs.started).toBe(started);
  });

  test("is found out anew for another build of ffmpeg", async () => {
    await start().get();
    const { started } = programs;
    version = "7.0";
    await start().get();
    expect(programs.started).toBe(started * 2);
  });

  test("is nothing while ffmpeg does not run, until it does", async () => {
    version = null;
    const facts = start();
    expect((await facts.get()).encoders).toEqual([]);
    expect(programs.started).toBe(0);
    version = "5.1.9";
    expect((await facts.get()).canToneMap).toBe(true);
    programs.failure = new Error("no room");
    version = "6.0";
    const other = start();
    expect((await other.get()).encoders).toEqual([]);
    programs.failure = null;
    expect((await other.get()).canToneMap).toBe(true);
  });

  test("leaves out what failed while it ran, for this process alone", async () => {
    kept.clear();
    const facts = start();
    await facts.get();
    expect(facts.failed({ kind: "x264" })).toBe(false);
    expect((await facts.get()).canToneMap).toBe(true);
  });
});

describe("the trial of programs", () => {
  test("tells the user what is wrong, and takes it back when it is right", async () => {
    const warnings = new WarningBoard();
    let answer: { version: string | null; warnings: string[] } = { version: null, warnings: ["A.", "B."] };
    const check = new ProgramsCheck({
      warnings,
      log: silentLog,
      programs: { check: () => Promise.resolve(answer) },
    });
    expect(check.isMissing).toBe(false);
    expect(await check.version).toBeNull();
    expect(check.isMissing).toBe(true);
    expect(warnings.list()).toEqual([{ code: "ffmpeg", message: "A. B." }]);
    answer = { version: "5.1.9", warnings: [] };
    expect(await check.version).toBe("5.1.9");
    expect([check.isMissing, warnings.list().length]).toEqual([false, 0]);
    answer = { version: null, warnings: ["C."] };
    expect(await check.version).toBe("5.1.9");
  });
});
