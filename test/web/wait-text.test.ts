import { describe, expect, test } from "bun:test";
import type { Wait } from "../../web/src/api/types.ts";
import { statusText, toneOf, waitText } from "../../web/src/lib/wait-text.ts";

const wait = (code: Wait["code"], more: Partial<Wait> = {}): Wait => ({
  code,
  since: "2026-01-01T00:00:00.000Z",
  have_bytes: null,
  need_bytes: null,
  rate: null,
  peers: { connected: 0, known: 0, unchoked: 0 },
  ...more,
});

describe("what a torrent waits for", () => {
  test("a reason comes with the number that matters for it", () => {
    const peers = { connected: 3, known: 12, unchoked: 1 };
    expect(waitText(wait("META_SEARCH", { peers }))).toBe("Looking for the torrent's details · 3 peers");
    expect(waitText(wait("META_FETCH", { peers: { ...peers, connected: 1 } }))).toBe(
      "Receiving details · 1 peer",
    );
    expect(waitText(wait("NO_PEERS", { peers }))).toBe("Nobody is sharing this right now · 12 known");
    expect(waitText(wait("CHOKED", { peers }))).toBe(
      "Connected, waiting for a turn · 1 of 3 peers let us in",
    );
    expect(waitText(wait("PART_MISSING", { peers }))).toBe("This part isn't available from anyone · 3 peers");
    expect(waitText(wait("SLOW_SWARM", { rate: 390_000 }))).toBe(
      "Download is slower than the video · 390 KB/s",
    );
    const part = { have_bytes: 100_000, need_bytes: 500_000, rate: 1 };
    expect(waitText(wait("HEAD_TAIL", part))).toBe("Reading the file's index · 400 KB left");
    expect(waitText(wait("SEEK_FETCH", part))).toBe("Loading the new position · 400 KB left");
  });

  test("no number is shown where none is known", () => {
    for (const code of ["NO_PEERS", "SLOW_SWARM", "HEAD_TAIL", "SEEK_FETCH", "DISK_FULL"] as const) {
      expect(waitText(wait(code))).not.toContain("·");
    }
    const done = wait("SEEK_FETCH", { have_bytes: 5, need_bytes: 5, rate: 2_000 });
    expect(waitText(done)).toBe("Loading the new position · 2.0 KB/s");
  });

  test("a problem comes before a reason, a reason before the state", () => {
    const error = { code: "disk_error", message: "The disk failed" } as const;
    const reason = wait("NO_PEERS");
    expect(statusText({ status: "error", error, wait: reason })).toBe("The disk failed");
    expect(statusText({ status: "downloading", error: null, wait: reason })).toBe(
      "Nobody is sharing this right now",
    );
    expect(statusText({ status: "seeding", error: null, wait: null })).toBe("Complete, sharing");
    expect(toneOf({ status: "downloading", error, wait: reason })).toBe("bad");
    expect(toneOf({ status: "downloading", error: null, wait: reason })).toBe("wait");
    expect(toneOf({ status: "completed", error: null, wait: null })).toBe("good");
    expect(toneOf({ status: "paused", error: null, wait: null })).toBe("off");
    expect(toneOf({ status: "checking", error: null, wait: null })).toBe("busy");
  });
});
