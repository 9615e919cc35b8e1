import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../src/base/limits.ts";
import { Choking } from "../../../src/engine/choking.ts";
import type { Peer } from "../../../src/engine/peer.ts";
import type { Uploader } from "../../../src/engine/uploader.ts";
import { fakePeer } from "./fake-peer.ts";

class Voided {
  readonly choked = (peer: Peer) => void this.lines.push(`choked ${peer.key}`);
  readonly unchoked = (peer: Peer) => void this.lines.push(`unchoked ${peer.key}`);
  readonly lines: string[] = [];
}

function interestedPeer() {
  const made = fakePeer();
  made.peer.remote = { peerId: new Uint8Array(20), hasFast: true, hasExtended: true, hasDht: false };
  made.peer.isInterested = true;
  return made;
}

function rig() {
  const uploader = new Voided();
  return { uploader, choking: new Choking(uploader as unknown as Uploader, 16 * 1024) };
}

describe("choking", () => {
  test("a peer that becomes interested while a slot is free is unchoked at once, one that is not is left", () => {
    const { choking } = rig();
    const [one, other] = [interestedPeer(), interestedPeer()];
    other.peer.isInterested = false;
    choking.interested(one.peer, 5);
    choking.interested(other.peer, 5);
    expect(one.link.take()).toEqual(["unchoke"]);
    expect(one.link.flushes).toBe(1);
    expect(other.link.take()).toEqual([]);
  });

  test("never more peers than slots are unchoked, and rounds come no faster than their time", () => {
    const { choking } = rig();
    const peers = Array.from({ length: 20 }, interestedPeer);
    choking.tick(
      peers.map(({ peer }) => peer),
      0,
      true,
    );
    const unchoked = () => peers.filter(({ peer }) => !peer.amChoking).length;
    expect(unchoked()).toBe(LIMITS.choker.slots);
    for (const { peer } of peers) peer.isInterested = false;
    choking.tick(
      peers.map(({ peer }) => peer),
      LIMITS.choker.roundMs - 1,
      true,
    );
    expect(unchoked()).toBe(LIMITS.choker.slots);
    choking.tick(
      peers.map(({ peer }) => peer),
      LIMITS.choker.roundMs,
      true,
    );
    expect(unchoked()).toBe(0);
  });

  test("who loses its slot is told once, and the uploader with it", () => {
    const { choking, uploader } = rig();
    const one = interestedPeer();
    choking.interested(one.peer, 0);
    one.peer.isInterested = false;
    choking.tick([one.peer], 20_000, false);
    choking.tick([one.peer], 40_000, false);
    expect(one.link.take()).toEqual(["unchoke", "choke"]);
    expect(uploader.lines).toEqual([`unchoked ${one.peer.key}`, `choked ${one.peer.key}`]);
  });

  test("the slot of a peer that is gone is free at once", () => {
    const { choking } = rig();
    const peers = Array.from({ length: LIMITS.choker.slots }, interestedPeer);
    for (const { peer } of peers) choking.interested(peer, 0);
    const late = interestedPeer();
    choking.interested(late.peer, 1);
    expect(late.peer.amChoking).toBe(true);
    choking.gone(peers[0]!.peer);
    choking.interested(late.peer, 2);
    expect(late.peer.amChoking).toBe(false);
  });

  test("a connection without a handshake takes no slot", () => {
    const { choking } = rig();
    const one = fakePeer();
    one.peer.isInterested = true;
    choking.tick([one.peer], 0, true);
    expect(one.link.take()).toEqual([]);
  });
});
