import { describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../../src/base/address.ts";
import { type InfoHash, tryInfoHash } from "../../../../src/base/brand.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { LookupQueue } from "../../../../src/swarm/dht/lookup-queue.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const hashOf = (i: number): InfoHash => tryInfoHash(i.toString(16).padStart(40, "0"))!;
const peer = (i: number): PeerAddress => ({ host: `9.9.${i >> 8}.${i & 255}`, port: 6881 });
const forever = new AbortController().signal;

function scene() {
  const clock = new FakeClock();
  const started: InfoHash[] = [];
  const done = new Map<InfoHash, () => void>();
  const aborted: InfoHash[] = [];
  const announced: [InfoHash, number][] = [];
  const state = { isReady: true };
  const queue = new LookupQueue({
    clock,
    isReady: () => state.isReady,
    lookup(infoHash, onDone) {
      started.push(infoHash);
      done.set(infoHash, onDone);
      return () => void aborted.push(infoHash);
    },
    announce: (infoHash, port) => void announced.push([infoHash, port]),
  });
  return { clock, started, done, aborted, announced, state, queue };
}

describe("lookup queue", () => {
  test("few run at once; then the newest goes first", () => {
    const { queue, started, done } = scene();
    for (let i = 0; i < 20; i++) queue.find(hashOf(i), () => undefined, forever);
    expect(started).toEqual(Array.from({ length: LIMITS.dht.lookupsAtOnce }, (_, i) => hashOf(i)));
    done.get(hashOf(0))?.();
    expect(started.at(-1)).toBe(hashOf(19));
    for (let i = 0; i < 20; i++) for (const end of [...done.values()]) end();
    expect(new Set(started).size).toBe(20);
  });

  test("nothing runs until it is ready", () => {
    const { queue, started, state } = scene();
    state.isReady = false;
    queue.find(hashOf(1), () => undefined, forever);
    expect(started).toEqual([]);
    state.isReady = true;
    queue.run();
    expect(started).toEqual([hashOf(1)]);
  });

  test("who asks for the same shares one lookup and is told what it found before", () => {
    const { queue, started } = scene();
    const first: PeerAddress[] = [];
    const second: PeerAddress[] = [];
    queue.find(hashOf(1), (found) => first.push(found), forever);
    queue.onPeer(hashOf(1), peer(1));
    queue.find(hashOf(1), (found) => second.push(found), forever);
    queue.onPeer(hashOf(1), peer(2));
    queue.onPeer(hashOf(1), peer(2));
    queue.onPeer(hashOf(2), peer(3));
    expect([first, second]).toEqual([
      [peer(1), peer(2)],
      [peer(1), peer(2)],
    ]);
    expect(started).toHaveLength(1);
  });

  test("a lookup tells at most its limit of peers", () => {
    const { queue } = scene();
    let told = 0;
    queue.find(hashOf(1), () => told++, forever);
    for (let i = 0; i < 2 * LIMITS.dht.peersPerLookup; i++) queue.onPeer(hashOf(1), peer(i));
    expect(told).toBe(LIMITS.dht.peersPerLookup);
  });

  test("an announce follows the lookup of its hash, whoever asked for that", () => {
    const { queue, started, done, announced } = scene();
    queue.find(hashOf(1), () => undefined, forever);
    queue.announce(hashOf(1), 5_000);
    queue.announce(hashOf(2), 6_000);
    expect([started.length, announced]).toEqual([2, []]);
    done.get(hashOf(1))?.();
    done.get(hashOf(2))?.();
    expect(announced).toEqual([
      [hashOf(1), 5_000],
      [hashOf(2), 6_000],
    ]);
  });

  test("announces that wait for the network are remembered once each", () => {
    const { queue, state, started, done, announced } = scene();
    state.isReady = false;
    for (let i = 0; i < 1_000; i++) queue.announce(hashOf(1), 5_000 + i);
    state.isReady = true;
    queue.run();
    done.get(hashOf(1))?.();
    expect([started.length, announced]).toEqual([1, [[hashOf(1), 5_999]]]);
  });

  test("who aborts is told nothing more; the last to leave ends the lookup and makes room", () => {
    const { queue, started, aborted, clock } = scene();
    const [a, b] = [new AbortController(), new AbortController()];
    let told = 0;
    queue.find(hashOf(1), () => told++, a.signal);
    queue.find(hashOf(1), () => undefined, b.signal);
    for (let i = 2; i < 20; i++) queue.find(hashOf(i), () => undefined, forever);
    a.abort();
    queue.onPeer(hashOf(1), peer(1));
    expect([told, aborted]).toEqual([0, []]);
    b.abort();
    expect(aborted).toEqual([hashOf(1)]);
    expect(started).toHaveLength(LIMITS.dht.lookupsAtOnce + 1);
    expect(clock.pendingTimers).toBe(LIMITS.dht.lookupsAtOnce);
  });

  test("who aborts before the turn leaves the line", () => {
    const { queue, started, state } = scene();
    state.isReady = false;
    const abort = new AbortController();
    queue.find(hashOf(1), () => undefined, abort.signal);
    abort.abort();
    queue.find(hashOf(2), () => undefined, abort.signal);
    state.isReady = true;
    queue.run();
    expect(started).toEqual([]);
  });

  test("an announce is not lost when the seeker leaves", () => {
    const { queue, done, announced } = scene();
    const abort = new AbortController();
    queue.find(hashOf(1), () => undefined, abort.signal);
    queue.announce(hashOf(1), 5_000);
    abort.abort();
    done.get(hashOf(1))?.();
    expect(announced).toEqual([[hashOf(1), 5_000]]);
  });

  test("a lookup that never ends makes room after a minute, and its late end harms no later one", () => {
    const { queue, started, done, clock } = scene();
    queue.find(hashOf(1), () => undefined, forever);
    const late = done.get(hashOf(1));
    clock.advance(60_000);
    queue.find(hashOf(1), () => undefined, forever);
    expect(started).toHaveLength(2);
    late?.();
    let told = 0;
    queue.find(hashOf(1), () => told++, forever);
    queue.onPeer(hashOf(1), peer(1));
    expect([told, started.length]).toEqual([1, 2]);
  });

  test("after close nothing runs, nothing is announced, no timer is left", () => {
    const { queue, aborted, announced, clock, state } = scene();
    queue.find(hashOf(1), () => undefined, forever);
    queue.announce(hashOf(1), 5_000);
    state.isReady = false;
    queue.close();
    expect([aborted, announced, clock.pendingTimers]).toEqual([[hashOf(1)], [], 0]);
  });
});
