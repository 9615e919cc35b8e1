import { describe, expect, test } from "bun:test";
import { inOrder, type RunningParts, stopInOrder } from "../../../src/server/stop.ts";

function running(fails: (name: string) => boolean) {
  const closed: string[] = [];
  const close = (name: string) => () => {
    closed.push(name);
    if (fails(name)) throw new Error(`${name} failed`);
  };
  const closing = (name: string) => async () => {
    await Promise.resolve();
    close(name)();
  };
  const parts: RunningParts = {
    closeEvents: close("events"),
    services: { endPlayback: closing("playback"), stop: closing("services") },
    engine: { stop: closing("engine") },
    front: { close: closing("front") },
    windows: { close: close("windows") },
    native: { close: close("native") },
    database: { close: close("database") },
  };
  return { parts, closed };
}

const NAMES = ["events", "playback", "engine", "front", "windows", "native", "services", "database"];

describe("the stop of a server", () => {
  test("what others stand on is closed after them", async () => {
    const { parts, closed } = running(() => false);
    await stopInOrder(parts);
    expect([...closed].sort()).toEqual([...NAMES].sort());
    expect(closed.indexOf("front")).toBeGreaterThan(closed.indexOf("playback"));
    expect(closed.slice(-4)).toEqual(["windows", "native", "services", "database"]);
  });

  for (const name of NAMES) {
    test(`a failure of ${name} is told, and leaves nothing open`, async () => {
      const { parts, closed } = running((one) => one === name);
      await expect(stopInOrder(parts)).rejects.toThrow(`${name} failed`);
      expect([...closed].sort()).toEqual([...NAMES].sort());
    });
  }

  test("of several failures all are told", async () => {
    const fail = (text: string) => () => Promise.reject(new Error(text));
    const failures = await inOrder([fail("a"), () => undefined, fail("b")]);
    expect(failures.map(String)).toEqual(["Error: a", "Error: b"]);
  });
});
