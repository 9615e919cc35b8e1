import { describe, expect, test } from "bun:test";
import { encodesFor, type RunHolder, RunLimits } from "../../../../src/media/runs/run-limits.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const never = new AbortController().signal;

class Holder implements RunHolder {
  idle = 0;
  yields = 0;

  idleMs(): number {
    return this.idle;
  }

  yield(): void {
    this.yields++;
  }
}

function rig(encodes = 1) {
  const clock = new FakeClock();
  return { clock, limits: new RunLimits({ clock, encodes, cheap: 2 }) };
}

describe("the places of runs", () => {
  test("are given in turn, and again when they come back", async () => {
    const { clock, limits } = rig();
    const first = await limits.acquire("encode", new Holder(), never);
    const order: number[] = [];
    const waits = [1, 2].map(async (n) => {
      const permit = await limits.acquire("encode", new Holder(), never);
      order.push(n);
      return permit;
    });
    await clock.settle();
    expect([order, limits.running("encode")]).toEqual([[], 1]);
    first.release();
    first.release();
    const second = await waits[0];
    await clock.settle();
    expect(order).toEqual([1]);
    second?.release();
    (await waits[1])?.release();
    expect([order, limits.running("encode"), clock.pendingTimers]).toEqual([[1, 2], 0, 0]);
  });

  test("that do not come free in 5 s are refused as busy", async () => {
    const { clock, limits } = rig();
    await limits.acquire("encode", new Holder(), never);
    const refused = limits.acquire("encode", new Holder(), never).catch((error: unknown) => error);
    await clock.advanceSettled(4_999);
    expect(limits.running("encode")).toBe(1);
    await clock.advanceSettled(1);
    expect(await refused).toMatchObject({ code: "busy", retryAfterSec: 2 });
    expect(String(await refused)).toContain("transcode_busy: ");
    expect(clock.pendingTimers).toBe(0);
  });

  test("one who leaves the line leaves nothing behind", async () => {
    const { clock, limits } = rig();
    const permit = await limits.acquire("encode", new Holder(), never);
    const leaving = new AbortController();
    const refused = limits.acquire("encode", new Holder(), leaving.signal).catch((error: unknown) => error);
    leaving.abort("left");
    expect(await refused).toBe("left");
    permit.release();
    expect([limits.running("encode"), clock.pendingTimers]).toEqual([0, 0]);
    await expect(limits.acquire("encode", new Holder(), leaving.signal)).rejects.toBe("left");
  });

  test("are asked back of the one that has idled longest, and of none that has not idled long", async () => {
    const { limits } = rig();
    const [a, b] = [new Holder(), new Holder()];
    await limits.acquire("cheap", a, never);
    await limits.acquire("cheap", b, never);
    a.idle = 9_999;
    const leaving = new AbortController();
    limits.acquire("cheap", new Holder(), leaving.signal).catch(() => undefined);
    expect([a.yields, b.yields]).toEqual([0, 0]);
    leaving.abort();
    [a.idle, b.idle] = [10_000, 20_000];
    limits.acquire("cheap", new Holder(), never).catch(() => undefined);
    expect([a.yields, b.yields]).toEqual([0, 1]);
    limits.close();
  });

  test("are asked of another holder for each who waits", async () => {
    const { limits } = rig();
    const holders = [new Holder(), new Holder()];
    for (const holder of holders) await limits.acquire("cheap", holder, never);
    [holders[0]!.idle, holders[1]!.idle] = [20_000, 30_000];
    for (let i = 0; i < 3; i++) limits.acquire("cheap", new Holder(), never).catch(() => undefined);
    expect(holders.map(({ yields }) => yields)).toEqual([1, 1]);
    limits.close();
  });

  test("are asked back also of one that becomes idle while another waits, once", async () => {
    const { clock, limits } = rig();
    const holder = new Holder();
    const permit = await limits.acquire("encode", holder, never);
    const waiting = limits.acquire("encode", new Holder(), never);
    await clock.advanceSettled(1_000);
    expect(holder.yields).toBe(0);
    holder.idle = 12_000;
    await clock.advanceSettled(1_000);
    expect(holder.yields).toBe(1);
    permit.release();
    await waiting;
    expect(clock.pendingTimers).toBe(0);
  });

  test("of one kind are not those of the other", async () => {
    const { limits } = rig();
    await limits.acquire("encode", new Holder(), never);
    await limits.acquire("cheap", new Holder(), never);
    expect([limits.running("encode"), limits.running("cheap"), limits.places("cheap")]).toEqual([1, 1, 2]);
  });

  test("are refused to all when it closes", async () => {
    const { clock, limits } = rig();
    await limits.acquire("encode", new Holder(), never);
    const refused = limits.acquire("encode", new Holder(), never).catch((error: unknown) => error);
    limits.close();
    expect(await refused).toMatchObject({ code: "busy" });
    await expect(limits.acquire("cheap", new Holder(), never)).rejects.toMatchObject({ code: "busy" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("of encodes are a quarter of the cores, and at least one", () => {
    expect([1, 2, 4, 7, 8, 16].map(encodesFor)).toEqual([1, 1, 1, 1, 2, 4]);
  });
});
