import { describe, expect, test } from "bun:test";
import { EventHub } from "../../../src/api/event-hub.ts";
import type { InfoHash } from "../../../src/base/brand.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { TORRENT } from "../../support/api-front.ts";
import { TestLive, TestTorrents, torrentView } from "../../support/api-services.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function setUp() {
  const torrents = new TestTorrents();
  const live = new TestLive();
  const clock = new FakeClock();
  return { torrents, live, clock, hub: new EventHub({ torrents, live, clock }) };
}

/** Events that are ready, parsed. */
function listen(hub: EventHub) {
  const reader = hub.subscribe().getReader();
  const next = async () => {
    const { value, done } = await reader.read();
    if (done) return null;
    const match = /^event: (\w+)\ndata: (.*)\n\n$/.exec(new TextDecoder().decode(value));
    return { name: match?.[1], data: JSON.parse(match?.[2] ?? "null") };
  };
  return { next, cancel: () => reader.cancel() };
}

describe("the live view", () => {
  test("begins with a snapshot, then tells what changed: at once after a quiet time, else once a second", async () => {
    const { hub, live, clock } = setUp();
    const one = listen(hub);
    const snapshot = await one.next();
    expect(snapshot).toMatchObject({
      name: "snapshot",
      data: { seq: 0, torrents: [{ id: TORRENT, progress: 0.25 }] },
    });
    live.emit({ type: "torrent_changed", torrent: torrentView({ progress: 0.3 }) });
    live.emit({ type: "torrent_changed", torrent: torrentView({ progress: 0.5, wait: null }) });
    clock.advance(20);
    expect(await one.next()).toEqual({
      name: "patch",
      data: { seq: 1, torrents: [{ id: TORRENT, progress: 0.5, wait: null }], removed: [] },
    });
    live.emit({ type: "torrent_changed", torrent: torrentView({ progress: 0.5, wait: null }) });
    clock.advance(999);
    const other = "cd".repeat(20) as InfoHash;
    live.emit({ type: "torrent_added", torrent: torrentView({ id: other, name: "line\n\nevent: x" }) });
    live.emit({ type: "torrent_removed", id: TORRENT });
    clock.advance(21);
    const patch = await one.next();
    expect(patch?.data).toMatchObject({
      seq: 2,
      removed: [TORRENT],
      torrents: [{ id: other, name: "line\n\nevent: x" }],
    });
    live.emit({ type: "torrent_added", torrent: torrentView({ id: other, name: "again" }) });
    clock.advance(979);
    clock.advance(5_981);
    expect((await one.next())?.data).toMatchObject({ seq: 3, torrents: [{ id: other, name: "again" }] });
    expect((await one.next())?.name).toBe("ping");
  });

  test("what is removed and added again within a second is told whole", async () => {
    const { hub, live, clock } = setUp();
    const one = listen(hub);
    await one.next();
    live.emit({ type: "torrent_removed", id: TORRENT });
    live.emit({ type: "torrent_added", torrent: torrentView({ progress: 0 }) });
    clock.advance(1_000);
    const patch = await one.next();
    expect(patch?.data.removed).toEqual([]);
    expect(patch?.data.torrents).toMatchObject([{ id: TORRENT, progress: 0, name: torrentView({}).name }]);
  });

  test("a later subscriber gets the state as it is, and both go on with the same numbers", async () => {
    const { hub, live, clock } = setUp();
    const first = listen(hub);
    await first.next();
    live.emit({ type: "torrent_changed", torrent: torrentView({ peers: 9 }) });
    const second = listen(hub);
    expect((await second.next())?.data).toMatchObject({ seq: 1, torrents: [{ peers: 9 }] });
    expect((await first.next())?.data).toMatchObject({ seq: 1, torrents: [{ peers: 9 }] });
    live.emit({ type: "torrent_changed", torrent: torrentView({ peers: 8 }) });
    clock.advance(1_000);
    expect((await first.next())?.data.seq).toBe(2);
    expect((await second.next())?.data.seq).toBe(2);
  });

  test("nothing runs while nobody listens", async () => {
    const { hub, live, clock } = setUp();
    expect([clock.pendingTimers, live.listeners.size]).toEqual([0, 0]);
    const one = listen(hub);
    expect([clock.pendingTimers, live.listeners.size]).toEqual([1, 1]);
    await one.cancel();
    expect([clock.pendingTimers, live.listeners.size, hub.subscribers]).toEqual([0, 0, 0]);
  });

  test("who does not keep up is dropped, the others are not", async () => {
    const { hub, live, clock } = setUp();
    const slow = listen(hub);
    const quick = listen(hub);
    await quick.next();
    for (let i = 0; i < 10; i++) {
      live.emit({ type: "torrent_changed", torrent: torrentView({ name: `${i}${"x".repeat(1_500_000)}` }) });
      clock.advance(1_000);
      for (let event = await quick.next(); event?.name === "ping"; ) event = await quick.next();
    }
    expect(hub.subscribers).toBe(1);
    let last: unknown = "open";
    for (let i = 0; i < 20 && last !== null; i++) last = await slow.next();
    expect(last).toBeNull();
  });

  test("there is a limit to how many listen, and close ends them all", async () => {
    const { hub } = setUp();
    const all = Array.from({ length: LIMITS.http.eventSubscribers }, () => listen(hub));
    expect(() => hub.subscribe()).toThrow("too many");
    await all[0]?.cancel();
    all[0] = listen(hub);
    hub.close();
    for (const one of all) {
      expect((await one.next())?.name).toBe("snapshot");
      expect(await one.next()).toBeNull();
    }
    expect(hub.subscribers).toBe(0);
  });
});
