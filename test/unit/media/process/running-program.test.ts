// Real processes in the real sandbox: what they do to us, and what we do to them.

import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { LIMITS } from "../../../../src/base/limits.ts";
import type { MediaProcess } from "../../../../src/media/ports.ts";
import { testPrograms } from "../../../support/fake-ffmpeg.ts";
import { isReaped } from "../../../support/process-state.ts";

const MIB = 1024 * 1024;
/** What lies in the sockets between us and a program, and in the chunk that Bun has read. */
const IN_BETWEEN_BYTES = 2 * MIB;

const programs = await testPrograms();
afterAll(() => programs.killAll());

function start(...argv: string[]): Promise<MediaProcess> {
  return programs.start({ program: "ffmpeg", argv }, { isEncode: false });
}

const openDescriptors = () => readdirSync("/proc/self/fd").length;

function writtenBytes(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

/** Until it has written nothing for a while, or `limitBytes`. */
async function stalled(pid: number, limitBytes = Number.POSITIVE_INFINITY): Promise<number> {
  for (let last = -1; ; ) {
    const now = writtenBytes(pid);
    if ((now === last && now > 0) || now > limitBytes) return now;
    last = now;
    await Bun.sleep(50);
  }
}

async function firstLine(program: MediaProcess): Promise<string> {
  const reader = program.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value);
}

describe("stdout", () => {
  test("comes whole, and the exit tells that all is well", async () => {
    const program = await start("write-bytes", "20000000");
    const bytes = await new Response(program.stdout).bytes();
    expect(bytes.length).toBe(20_000_000);
    expect(await program.exited).toEqual({ code: 0, signal: null, isKilled: false, stderr: "" });
  });

  test("that nobody reads stops the program", async () => {
    const program = await start("write");
    expect(await stalled(program.pid, 100 * MIB)).toBeLessThan(IN_BETWEEN_BYTES);
    await program.kill();
  });

  test("that is no longer read stops the program, and goes on when it is", async () => {
    const program = await start("write");
    const reader = program.stdout.getReader();
    let readBytes = 0;
    const readOn = async (toBytes: number) => {
      while (readBytes < toBytes) readBytes += (await reader.read()).value?.length ?? Number.NaN;
    };
    await readOn(50 * MIB);
    expect((await stalled(program.pid, 500 * MIB)) - readBytes).toBeLessThan(IN_BETWEEN_BYTES);
    await readOn(100 * MIB);
    expect((await stalled(program.pid, 500 * MIB)) - readBytes).toBeLessThan(IN_BETWEEN_BYTES);
    await program.kill();
    expect((await reader.read()).done).toBe(true);
  });

  test("that is cancelled ends a program that writes", async () => {
    const program = await start("write");
    await program.stdout.cancel();
    expect(await program.exited).toMatchObject({ isKilled: false });
  });
});

describe("stderr", () => {
  test("is told with the exit", async () => {
    const program = await start("say", "http://127.0.0.1:1/SECRET: 404", "the last line");
    expect(await program.exited).toEqual({
      code: 1,
      signal: null,
      isKilled: false,
      stderr: "http://… 404\nthe last line",
    });
  });

  test("that floods costs neither memory nor time", async () => {
    const program = await start("flood", "x".repeat(100));
    const before = process.memoryUsage.rss();
    const cpu = process.cpuUsage();
    await Bun.sleep(1_000);
    const { user, system } = process.cpuUsage(cpu);
    // Unthrottled it would be a whole core; what else this process does counts too.
    expect(user + system).toBeLessThan(600_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(16 * MIB);
    const killed = performance.now();
    await program.kill();
    expect(performance.now() - killed).toBeLessThan(LIMITS.program.termMs);
    const { stderr } = await program.exited;
    expect(stderr.length).toBeGreaterThan(LIMITS.program.stderrBytes / 2);
    expect(stderr.length).toBeLessThanOrEqual(LIMITS.program.stderrBytes);
  });
});

describe("kill", () => {
  test("ends a program that waits, one that nobody reads and one that is stopped", async () => {
    for (const behaviour of ["wait", "write", "stop"]) {
      const program = await start(behaviour);
      if (behaviour === "wait") await firstLine(program);
      await program.kill();
      expect(isReaped(program.pid)).toBe(true);
      expect(await program.exited).toMatchObject({ code: null, isKilled: true });
    }
  });

  test("waits for a program that ignores TERM no longer than promised", async () => {
    for (const behaviour of ["ignore-term", "ignore-term-and-write"]) {
      const program = await start(behaviour);
      await firstLine(program);
      const begun = performance.now();
      await program.kill();
      expect(performance.now() - begun).toBeWithin(
        behaviour === "ignore-term" ? LIMITS.program.termMs - 5 : 0,
        LIMITS.program.termMs + 500,
      );
      expect(await program.exited).toMatchObject({ isKilled: true });
      expect(isReaped(program.pid)).toBe(true);
    }
  });

  test("right behind the start, and many times, is one end", async () => {
    const program = await start("wait");
    await Promise.all([program.kill(), program.kill(), program.kill()]);
    await program.kill();
    expect(isReaped(program.pid)).toBe(true);
  });

  test("of a program that has ended is nothing but giving up what it wrote", async () => {
    const program = await start("write-bytes", "1000");
    await program.exited;
    await program.kill();
    expect(await program.exited).toMatchObject({ code: 0, isKilled: false });
    expect((await program.stdout.getReader().read()).done).toBe(true);
  });

  test("leaves no descriptor behind, whether read, half read or never read", async () => {
    const once = async () => {
      for (const behaviour of ["write", "wait", "exit"]) {
        const [read, halfRead, unread] = await Promise.all([
          start(behaviour),
          start(behaviour),
          start(behaviour),
        ]);
        const reading = new Response(read.stdout).bytes();
        const reader = halfRead.stdout.getReader();
        const half = reader.read();
        if (behaviour === "write") await half;
        await Promise.all([read.kill(), halfRead.kill(), unread.kill()]);
        await Promise.all([reading, half]);
      }
    };
    await once();
    const before = openDescriptors();
    for (let round = 0; round < 5; round++) await once();
    // Some are closed a turn later.
    while (openDescriptors() > before) await Bun.sleep(5);
    expect(programs.pids).toEqual([]);
  });
});

describe("a program that ends by itself", () => {
  test("says how: its code, or the signal of its crash", async () => {
    const exitOf = async (...argv: string[]) => await (await start(...argv)).exited;
    expect(await exitOf("exit", "0")).toMatchObject({ code: 0, signal: null, isKilled: false });
    expect(await exitOf("exit", "187")).toMatchObject({ code: 187, signal: null, isKilled: false });
    expect(await exitOf("crash")).toMatchObject({ code: null, signal: "SIGSEGV", isKilled: false });
    expect(await exitOf("abort")).toMatchObject({ code: null, signal: "SIGABRT", isKilled: false });
  });

  test("gets its arguments as they are", async () => {
    const program = await start("arguments", "--", "", "a b", "$(id)", "-i", "--run", "'\"\\");
    expect(await new Response(program.stdout).text()).toBe(
      "[--]\n[]\n[a b]\n[$(id)]\n[-i]\n[--run]\n['\"\\]\n",
    );
  });
});
