import { describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../src/base/brand.ts";
import { chooseActive, type QueueEntry } from "../../../src/engine/queue.ts";

function entry(name: string, over: Partial<QueueEntry> = {}): QueueEntry {
  return {
    id: name as InfoHash,
    wantsDownload: true,
    isStreamed: false,
    priority: "normal",
    addedAtMs: 0,
    ...over,
  };
}

const names = (active: ReadonlySet<InfoHash>) => [...active].sort().join("");

describe("the queue", () => {
  test("priority comes before age, age before the rest", () => {
    const entries = [
      entry("a", { priority: "low", addedAtMs: 1 }),
      entry("b", { addedAtMs: 9 }),
      entry("c", { addedAtMs: 3 }),
      entry("d", { priority: "high", addedAtMs: 99 }),
    ];
    expect(names(chooseActive(entries, 1))).toBe("d");
    expect(names(chooseActive(entries, 2))).toBe("cd");
    expect(names(chooseActive(entries, 3))).toBe("bcd");
    expect(names(chooseActive(entries, 9))).toBe("abcd");
  });

  test("a stream never queues and takes a place from the others", () => {
    const entries = [
      entry("a", { addedAtMs: 1 }),
      entry("b", { addedAtMs: 2 }),
      entry("s", { isStreamed: true, addedAtMs: 3 }),
    ];
    expect(names(chooseActive(entries, 2))).toBe("as");
    expect(names(chooseActive(entries, 0))).toBe("s");
  });

  test("what has nothing to download takes no place, unless it is streamed", () => {
    const entries = [
      entry("a", { wantsDownload: false }),
      entry("b"),
      entry("c", { wantsDownload: false, isStreamed: true }),
    ];
    expect(names(chooseActive(entries, 2))).toBe("bc");
  });
});
