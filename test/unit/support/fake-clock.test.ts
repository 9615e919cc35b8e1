import { describe, expect, test } from "bun:test";
import { FakeClock } from "../../support/fake-clock.ts";

describe("fake clock", () => {
  test("timers run in order of their due time, each at its own time", () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push(`b@${clock.nowMs()}`));
    clock.after(10, () => seen.push(`a@${clock.nowMs()}`));
    clock.every(15, () => seen.push(`p@${clock.nowMs()}`));
    clock.advance(30);
    expect(seen).toEqual(["a@10", "p@15", "b@20", "p@30"]);
    expect(clock.nowMs()).toBe(30);
  });

  test("a timer that a timer arms runs in the same advance when it falls due", () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    clock.after(5, () => clock.after(5, () => seen.push(clock.nowMs())));
    clock.advance(9);
    expect(seen).toEqual([]);
    clock.advance(1);
    expect(seen).toEqual([10]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("a cancelled timer does not run, also when cancelled by an earlier one of the same time", () => {
    const clock = new FakeClock();
    let ran = false;
    clock.after(5, () => later.cancel());
    const later = clock.after(5, () => {
      ran = true;
    });
    clock.advance(100);
    expect(ran).toBe(false);
  });

  test("advanceSettled lets promises between two timers run", async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const wait = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
    const loop = async () => {
      for (let round = 0; round < 3; round++) {
        await wait(10);
        seen.push(clock.nowMs());
      }
    };
    const done = loop();
    await clock.advanceSettled(30);
    await done;
    expect(seen).toEqual([10, 20, 30]);
  });

  test("the wall clock can jump on its own", () => {
    const clock = new FakeClock({ wallMs: 1_000 });
    clock.jumpWall(500);
    clock.advance(1);
    expect([clock.nowMs(), clock.wallMs()]).toEqual([1, 1_501]);
  });
});
