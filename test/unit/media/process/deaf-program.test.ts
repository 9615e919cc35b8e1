import { expect, test } from "bun:test";
import { type ProgramChild, RunningProgram } from "../../../../src/media/process/running-program.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

test("a pipe that fails while it is given up does not keep a program from being ended", async () => {
  const child = Bun.spawn(["true"], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  await child.exited;
  const stdout = new ReadableStream({ cancel: () => Promise.reject(new Error("EIO")) });
  const broken = new Proxy(child, {
    get: (target, name) => (name === "stdout" ? stdout : Reflect.get(target, name, target)),
  }) as ProgramChild;
  await new RunningProgram(broken, new FakeClock()).kill();
  expect(child.exitCode).toBe(0);
});
