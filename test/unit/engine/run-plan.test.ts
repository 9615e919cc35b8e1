import { describe, expect, test } from "bun:test";
import { type PlanFacts, planOf } from "../../../src/engine/run-plan.ts";

function plan(over: Partial<PlanFacts>) {
  return planOf({
    isPaused: false,
    isStreamed: false,
    hasFault: false,
    isRechecking: false,
    hasMetadata: true,
    isDataOpen: true,
    hasSession: false,
    isComplete: false,
    hasReachedRatio: false,
    isActive: true,
    ...over,
  });
}

describe("the run plan", () => {
  test("an active download has data and peers; a queued one only data", () => {
    expect(plan({})).toEqual({ needsData: true, needsPeers: true });
    expect(plan({ isActive: false })).toEqual({ needsData: true, needsPeers: false });
  });

  test("a paused torrent has nothing, a watched one everything even then", () => {
    expect(plan({ isPaused: true })).toEqual({ needsData: false, needsPeers: false });
    expect(plan({ isPaused: true, isStreamed: true })).toEqual({ needsData: true, needsPeers: true });
  });

  test("a fault ends both, a check the peers, whatever else is the case", () => {
    expect(plan({ hasFault: true, isStreamed: true })).toEqual({ needsData: false, needsPeers: false });
    expect(plan({ isRechecking: true, isStreamed: true })).toEqual({ needsData: true, needsPeers: false });
  });

  test("a magnet needs peers without a place in the queue", () => {
    expect(plan({ hasMetadata: false, isDataOpen: false, isActive: false }).needsPeers).toBe(true);
  });

  test("while the data is being opened, peers are kept but not looked for", () => {
    expect(plan({ isDataOpen: false }).needsPeers).toBe(false);
    expect(plan({ isDataOpen: false, hasSession: true }).needsPeers).toBe(true);
  });

  test("a complete torrent seeds without a place in the queue until its ratio is reached", () => {
    expect(plan({ isComplete: true, isActive: false }).needsPeers).toBe(true);
    expect(plan({ isComplete: true, hasReachedRatio: true }).needsPeers).toBe(false);
    expect(plan({ isComplete: true, hasReachedRatio: true, isStreamed: true }).needsPeers).toBe(true);
  });
});
