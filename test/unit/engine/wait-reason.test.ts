import { describe, expect, test } from "bun:test";
import { type WaitFacts, WaitTracker, waitCodeOf } from "../../../src/engine/wait-reason.ts";

const stream = {
  isReadingIndex: false,
  hasSeeked: false,
  isNextPieceAvailable: true,
  haveBytes: 0,
  needBytes: 100,
};

function facts(over: Partial<WaitFacts> = {}): WaitFacts {
  return {
    hasMetadata: true,
    metadataParts: null,
    isDiskFull: false,
    connectedPeers: 3,
    knownPeers: 9,
    unchokedPeers: 2,
    downloadSpeed: 0,
    stream: null,
    ...over,
  };
}

describe("the reason for a wait", () => {
  test.each([
    ["DISK_FULL", facts({ isDiskFull: true, hasMetadata: false, connectedPeers: 0 })],
    ["META_SEARCH", facts({ hasMetadata: false, connectedPeers: 0 })],
    ["META_FETCH", facts({ hasMetadata: false, metadataParts: { have: 1, total: 3 } })],
    ["NO_PEERS", facts({ connectedPeers: 0, stream })],
    ["PART_MISSING", facts({ unchokedPeers: 0, stream: { ...stream, isNextPieceAvailable: false } })],
    ["CHOKED", facts({ unchokedPeers: 0, stream })],
    ["HEAD_TAIL", facts({ stream: { ...stream, isReadingIndex: true, hasSeeked: true } })],
    ["SEEK_FETCH", facts({ stream: { ...stream, hasSeeked: true } })],
    ["SLOW_SWARM", facts({ stream })],
    [null, facts()],
  ] as const)("%s, before everything that matters less", (code, of) => {
    expect(waitCodeOf(of)).toBe(code);
  });

  test("the time is that at which the reason began, and another after a change or a pause", () => {
    const tracker = new WaitTracker();
    const none = facts({ connectedPeers: 0 });
    const choked = facts({ unchokedPeers: 0 });
    expect(tracker.update(none, 1_000)).toMatchObject({ code: "NO_PEERS", sinceMs: 1_000 });
    expect(tracker.update(none, 4_000)).toMatchObject({ code: "NO_PEERS", sinceMs: 1_000 });
    expect(tracker.update(choked, 5_000)).toMatchObject({ code: "CHOKED", sinceMs: 5_000 });
    tracker.clear();
    expect(tracker.update(choked, 9_000)).toMatchObject({ code: "CHOKED", sinceMs: 9_000 });
    expect(tracker.update(facts(), 10_000)).toBeNull();
  });
});
