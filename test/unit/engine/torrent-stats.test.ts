import { describe, expect, test } from "bun:test";
import type { Torrent } from "../../../src/engine/torrent.ts";
import { isWaitable, statsOf, statusOf } from "../../../src/engine/torrent-stats.ts";

interface Facts {
  readonly fault: { code: string; detail: string } | null;
  readonly checkProgress: number | null;
  readonly isPaused: boolean;
  readonly isStreamed: boolean;
  readonly isComplete: boolean;
  readonly hasReachedRatio: boolean;
  readonly isActive: boolean;
  readonly hasData: boolean;
  readonly selectedBytes: number;
  readonly haveBytes: number;
  readonly speed: number;
}

/** What the figures are made of, without the machinery behind it. */
function torrent(over: Partial<Facts> = {}): Torrent {
  const facts: Facts = {
    fault: null,
    checkProgress: null,
    isPaused: false,
    isStreamed: false,
    isComplete: false,
    hasReachedRatio: false,
    isActive: true,
    hasData: true,
    selectedBytes: 1_000,
    haveBytes: 250,
    speed: 0,
    ...over,
  };
  return {
    ...facts,
    spec: { isPaused: facts.isPaused },
    data: facts.hasData ? { fileBytes: [250] } : null,
    progress: facts.hasData ? { selectedBytes: facts.selectedBytes, haveBytes: facts.haveBytes } : null,
    session: null,
    traffic: {
      down: { rate: () => facts.speed },
      up: { rate: () => 0 },
      totals: { downloadedBytes: 300, uploadedBytes: 20 },
    },
  } as unknown as Torrent;
}

describe("the status of a torrent", () => {
  test.each([
    ["error", { fault: { code: "disk_error", detail: "" }, checkProgress: 0.5, isPaused: true }],
    ["checking", { checkProgress: 0, isPaused: true }],
    ["paused", { isPaused: true, hasData: false }],
    ["completed", { isPaused: true, isComplete: true }],
    ["downloading", { isPaused: true, isStreamed: true, isActive: false }],
    ["metadata", { hasData: false }],
    ["seeding", { isComplete: true }],
    ["completed", { isComplete: true, hasReachedRatio: true }],
    ["downloading", {}],
    ["queued", { isActive: false }],
  ] as const)("%s: %j", (status, facts) => {
    expect(statusOf(torrent(facts))).toBe(status);
  });
});

describe("the figures of a torrent", () => {
  test("progress and remaining time follow from the selected bytes and the speed", () => {
    const stats = statsOf(torrent({ speed: 100 }), 0, null);
    expect(stats).toMatchObject({
      progress: 0.25,
      etaSec: 8,
      downloadSpeed: 100,
      downloadedBytes: 300,
      uploadedBytes: 20,
    });
  });

  test("without speed, or with nothing left, there is no remaining time", () => {
    expect(statsOf(torrent(), 0, null).etaSec).toBeNull();
    expect(statsOf(torrent({ speed: 100, haveBytes: 1_000, isComplete: true }), 0, null).etaSec).toBeNull();
  });

  test("with nothing selected it is complete, before metadata it has no progress", () => {
    expect(statsOf(torrent({ selectedBytes: 0, haveBytes: 0 }), 0, null).progress).toBe(1);
    expect(statsOf(torrent({ hasData: false }), 0, null)).toMatchObject({
      progress: 0,
      fileBytes: [],
      etaSec: null,
    });
  });

  test("why nothing comes is a question while it should come", () => {
    expect(isWaitable(torrent(), 0)).toBe(true);
    expect(isWaitable(torrent({ speed: 50 }), 0)).toBe(false);
    expect(isWaitable(torrent({ hasData: false }), 0)).toBe(true);
    expect(isWaitable(torrent({ isPaused: true }), 0)).toBe(false);
    expect(isWaitable(torrent({ isComplete: true }), 0)).toBe(false);
    expect(isWaitable(torrent({ fault: { code: "disk_full", detail: "" } }), 0)).toBe(true);
    expect(isWaitable(torrent({ fault: { code: "disk_error", detail: "" } }), 0)).toBe(false);
  });
});
