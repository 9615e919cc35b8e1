import { describe, expect, test } from "bun:test";
import { chooseLeavers, type PeerUse } from "../../../src/engine/turnover.ts";

const NOW_MS = 100_000;

function peer(name: string, use: Partial<PeerUse> = {}) {
  return {
    name,
    isReady: true,
    connectedAtMs: NOW_MS - 6_000,
    isWanted: false,
    isInterested: false,
    movedBytes: 0,
    ...use,
  };
}

function leavers(peers: readonly ReturnType<typeof peer>[], waiting = 100): string[] {
  return chooseLeavers(peers, { nowMs: NOW_MS, waiting }).map(({ name }) => name);
}

describe("who gives up its place in a full torrent", () => {
  test("a peer that has nothing for us and wants nothing, 5 s after it came", () => {
    const late = { connectedAtMs: NOW_MS - 5_000 };
    const early = { connectedAtMs: NOW_MS - 4_999 };
    expect(leavers([peer("idle", late), peer("new", early)])).toEqual(["idle"]);
  });

  test("nobody who is wanted, interested, was of use, or has not shaken hands yet", () => {
    const peers = [
      peer("wanted", { isWanted: true }),
      peer("interested", { isInterested: true }),
      peer("useful", { movedBytes: 1 }),
      peer("shaking", { isReady: false }),
    ];
    expect(leavers(peers)).toEqual([]);
  });

  test("two at a time of those that choke us for a minute, behind the useless", () => {
    const choker = (name: string) => peer(name, { isWanted: true, connectedAtMs: NOW_MS - 60_000 });
    const peers = [choker("a"), choker("b"), choker("c"), peer("idle")];
    expect(leavers(peers)).toEqual(["idle", "a", "b"]);
  });

  test("no more than wait outside, the longest connected first", () => {
    const peers = [peer("b"), peer("a", { connectedAtMs: 0 }), peer("c")];
    expect(leavers(peers, 2)).toEqual(["a", "b"]);
    expect(leavers(peers, 0)).toEqual([]);
  });
});
