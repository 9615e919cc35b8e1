import { describe, expect, test } from "bun:test";
import { KeyedQueue } from "../../../src/services/keyed-queue.ts";

function gate(): { readonly promise: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

describe("KeyedQueue", () => {
  test("runs tasks of one key in turn and of other keys beside them", async () => {
    const queue = new KeyedQueue<string>();
    const log: string[] = [];
    const first = gate();
    const a1 = queue.run("a", async () => {
      log.push("a1 in");
      await first.promise;
      log.push("a1 out");
    });
    const a2 = queue.run("a", async () => void log.push("a2"));
    await queue.run("b", async () => void log.push("b"));
    expect(log).toEqual(["a1 in", "b"]);
    first.open();
    await Promise.all([a1, a2]);
    expect(log).toEqual(["a1 in", "b", "a1 out", "a2"]);
  });

  test("a task that fails fails alone", async () => {
    const queue = new KeyedQueue<string>();
    const failing = queue.run("a", () => Promise.reject(new Error("no")));
    const after = queue.run("a", () => Promise.resolve("yes"));
    await expect(failing).rejects.toThrow("no");
    expect(await after).toBe("yes");
  });

  test("idle waits for everything queued", async () => {
    const queue = new KeyedQueue<number>();
    const hold = gate();
    let done = 0;
    for (let key = 0; key < 3; key++) {
      void queue.run(key, async () => {
        await hold.promise;
        done++;
      });
    }
    queueMicrotask(hold.open);
    await queue.idle();
    expect(done).toBe(3);
  });
});
