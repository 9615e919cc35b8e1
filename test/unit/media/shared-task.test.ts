import { expect, test } from "bun:test";
import { SharedTask } from "../../../src/media/shared-task.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const signal = new AbortController().signal;

test("work that is done stays done, and leaves no timer", async () => {
  const clock = new FakeClock();
  const task = new SharedTask(clock, () => Promise.resolve(5));
  expect(await task.wait(signal)).toBe(5);
  expect(clock.pendingTimers).toBe(0);
  clock.advance(60_000);
  expect(task.isGivenUp).toBe(false);
  expect(await task.wait(signal)).toBe(5);
  expect(clock.pendingTimers).toBe(0);
});

test("work that failed leaves no timer either", async () => {
  const clock = new FakeClock();
  const task = new SharedTask(clock, () => Promise.reject(new Error("no")));
  await expect(task.wait(signal)).rejects.toThrow("no");
  expect(clock.pendingTimers).toBe(0);
});
