import { describe, expect, test } from "bun:test";
import { AnnounceGate } from "../../../../src/swarm/trackers/announce-gate.ts";
import { settle } from "../../../support/stepped-clock.ts";

const never = new AbortController().signal;

function held(gate: AnnounceGate, host: string, signal = never) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { hasEntered: false, leave: resolve, done: Promise.resolve() };
  state.done = gate.run(host, signal, () => {
    state.hasEntered = true;
    return promise;
  });
  return state;
}

describe("the gate of announces", () => {
  test("a host that hangs keeps its own places busy and nobody else's", async () => {
    const gate = new AnnounceGate({ total: 4, perHost: 2 });
    const slow = [held(gate, "a"), held(gate, "a"), held(gate, "a")];
    const other = held(gate, "b");
    await settle();
    expect(slow.map((one) => one.hasEntered)).toEqual([true, true, false]);
    expect(other.hasEntered).toBe(true);
    slow[0]?.leave();
    await settle();
    expect(slow[2]?.hasEntered).toBe(true);
  });

  test("the total holds, whoever waits longest goes first, failures give their place back", async () => {
    const gate = new AnnounceGate({ total: 1, perHost: 1 });
    const first = gate.run("a", never, () => Promise.reject(new Error("no")));
    const second = held(gate, "b");
    const third = held(gate, "a");
    await expect(first).rejects.toThrow("no");
    await settle();
    expect([second.hasEntered, third.hasEntered]).toEqual([true, false]);
    second.leave();
    await settle();
    expect(third.hasEntered).toBe(true);
  });

  test("an abort while waiting leaves the queue", async () => {
    const gate = new AnnounceGate({ total: 1, perHost: 1 });
    const first = held(gate, "a");
    const controller = new AbortController();
    const second = held(gate, "a", controller.signal);
    const third = held(gate, "a");
    controller.abort();
    await expect(second.done).rejects.toThrow("stopped");
    first.leave();
    await settle();
    expect([second.hasEntered, third.hasEntered]).toEqual([false, true]);
  });
});
