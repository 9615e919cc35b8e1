import { describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../../src/base/address.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import type { AnnounceEvent, AnnounceReply, PeerSource } from "../../../../src/swarm/ports.ts";
import type { TrackerClient } from "../../../../src/swarm/trackers/tracker-client.ts";
import { TrackerList } from "../../../../src/swarm/trackers/tracker-list.ts";
import { someFacts } from "../../../support/announce-facts.ts";
import { SteppedClock } from "../../../support/stepped-clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Behaviour = Partial<AnnounceReply> | "fail" | "hang";

/** A torrent's trackers against a scripted client: which are asked, when, with which event. */
class World {
  readonly clock = new SteppedClock();
  readonly asked: { atSec: number; url: string; event: AnnounceEvent }[] = [];
  readonly behaviour: Record<string, Behaviour> = {};
  readonly peers: [readonly PeerAddress[], PeerSource][] = [];
  inFlight = 0;
  maxInFlight = 0;

  readonly client: TrackerClient = {
    announce: async (url, _facts, event, signal) => {
      this.asked.push({ atSec: Math.round(this.clock.nowMs() / 1000) - 1, url, event });
      this.inFlight++;
      this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
      try {
        return await this.#answer(url, signal);
      } finally {
        this.inFlight--;
      }
    },
    close: () => undefined,
  };

  list(tiers: string[][], random = seededRandom(1)): TrackerList {
    return new TrackerList({
      tiers,
      client: this.client,
      facts: () => someFacts,
      clock: this.clock,
      random,
      log: silentLog,
      onPeers: (peers, source) => this.peers.push([peers, source]),
    });
  }

  urls(): string[] {
    return this.asked.map(({ url }) => url);
  }

  #answer(url: string, signal: AbortSignal): Promise<AnnounceReply> {
    const behaviour = this.behaviour[url] ?? {};
    if (behaviour === "fail") return Promise.reject(new Error(`${url} is down`));
    if (behaviour === "hang") {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    }
    return Promise.resolve({
      intervalSec: 1800,
      minIntervalSec: 60,
      peers: [],
      seeders: 3,
      leechers: 4,
      warning: null,
      isPrivateTracker: false,
      ...behaviour,
    });
  }
}

describe("the trackers of a torrent", () => {
  test("each tier announces at once, to one tracker of it, and keeps to it while it works", async () => {
    const world = new World();
    const list = world.list([["http://a", "http://b", "http://c"], ["http://d"]]);
    list.start();
    await world.clock.advance(0);
    expect(world.asked).toHaveLength(2);
    expect(world.urls()).toContain("http://d");
    await world.clock.advance(10 * HOUR);
    expect(new Set(world.urls()).size).toBe(2);
  });

  test("the order inside a tier differs from run to run", async () => {
    const firsts = new Set<string | undefined>();
    for (let seed = 1; seed <= 20; seed++) {
      const world = new World();
      world.list([["http://a", "http://b", "http://c"]], seededRandom(seed * 7919)).start();
      await world.clock.advance(0);
      firsts.add(world.urls()[0]);
    }
    expect(firsts.size).toBe(3);
  });

  test("a failing tracker gives way at once to the next, which moves to the front", async () => {
    const world = new World();
    world.behaviour["http://a"] = "fail";
    world.behaviour["http://b"] = "fail";
    const list = world.list([["http://a", "http://b", "http://c"]]);
    list.start();
    await world.clock.advance(0);
    expect(world.urls().at(-1)).toBe("http://c");
    expect(list.states()[0]).toMatchObject({ url: "http://c", tier: 0, status: "working", seeders: 3 });
    await world.clock.advance(3 * HOUR);
    expect(new Set(world.urls().slice(3))).toEqual(new Set(["http://c"]));
  });

  test("when all fail each is left alone for 5, 10, 20 … s up to an hour", async () => {
    const world = new World();
    world.behaviour["http://a"] = "fail";
    const list = world.list([["http://a"]]);
    list.start();
    await world.clock.advance(24 * HOUR);
    const gaps = world.asked.slice(1).map(({ atSec }, index) => atSec - (world.asked[index]?.atSec ?? 0));
    expect(gaps[0]).toBeWithin(3, 8);
    expect(gaps[3]).toBeWithin(29, 52);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(3601);
    expect(world.asked.length).toBeLessThan(45);
    expect(list.states()[0]).toMatchObject({ status: "failed", message: "http://a is down" });
    expect(list.states()[0]?.nextAnnounceSec).toBeWithin(0, 3601);
  });

  test.each([60, 1800, 14_400])(
    "a tracker that wants an announce every %i s gets no more, and at least 300 s",
    async (intervalSec) => {
      const world = new World();
      world.behaviour["http://a"] = { intervalSec };
      world.list([["http://a"]]).start();
      await world.clock.advance(24 * HOUR);
      const least = 86_400 / (Math.max(300, intervalSec) * 1.06);
      expect(world.asked.length).toBeWithin(Math.floor(least), 86_400 / Math.max(300, intervalSec) + 2);
    },
  );

  test("a tracker that hangs never has two announces of ours", async () => {
    const world = new World();
    world.behaviour["http://a"] = "hang";
    const list = world.list([["http://a"]]);
    list.start();
    for (let minute = 0; minute < 60; minute++) {
      list.announceNow();
      list.announceNow("out_of_peers");
      await world.clock.advance(MINUTE);
    }
    expect(world.asked).toHaveLength(1);
    expect(list.states()[0]).toMatchObject({ status: "announcing", nextAnnounceSec: null });
  });

  test("started comes first, completed once after it, then plain announces", async () => {
    const world = new World();
    const list = world.list([["http://a"]]);
    list.start();
    await world.clock.advance(MINUTE);
    list.completed();
    await world.clock.advance(2 * HOUR);
    expect(world.asked.slice(0, 3).map(({ event }) => event)).toEqual(["started", "completed", null]);
    expect(world.asked.filter(({ event }) => event === "completed")).toHaveLength(1);
    expect(world.asked[1]?.atSec).toBe(60);
  });

  test("completed while the first announce is under way follows it; without a known tracker there is none", async () => {
    const world = new World();
    world.behaviour["http://b"] = "fail";
    const list = world.list([["http://a"], ["http://b"]]);
    list.completed();
    list.start();
    await world.clock.advance(HOUR);
    expect(world.asked.some(({ event }) => event === "completed")).toBe(false);
  });

  test("by hand: failed trackers at once, working ones not within their minimum", async () => {
    const world = new World();
    world.behaviour["http://a"] = "fail";
    world.behaviour["http://b"] = { minIntervalSec: 120 };
    const list = world.list([["http://a"], ["http://b"]]);
    list.start();
    await world.clock.advance(30_000);
    const before = world.asked.filter(({ url }) => url === "http://a").length;
    world.behaviour["http://a"] = {};
    list.announceNow();
    await world.clock.advance(0);
    expect(world.asked.filter(({ url }) => url === "http://a")).toHaveLength(before + 1);
    for (let call = 0; call < 50; call++) {
      list.announceNow();
      await world.clock.advance(1000);
    }
    expect(world.asked.filter(({ url }) => url === "http://b")).toHaveLength(1);
    await world.clock.advance(41_000);
    expect(world.asked.filter(({ url }) => url === "http://b")).toHaveLength(2);
  });

  test("out of peers: sooner than the interval, never sooner than the tracker's minimum, no word to failed ones", async () => {
    const world = new World();
    world.behaviour["http://b"] = "fail";
    const list = world.list([["http://a"], ["http://b"]]);
    list.start();
    for (let second = 0; second < 600; second++) {
      list.announceNow("out_of_peers");
      await world.clock.advance(1000);
    }
    expect(world.asked.filter(({ url }) => url === "http://a")).toHaveLength(11);
    expect(world.asked.filter(({ url }) => url === "http://b").length).toBeLessThan(9);
  });

  test("stop says stopped to those that know us, cancels the rest, takes no more than a second", async () => {
    const world = new World();
    world.behaviour["http://b"] = "fail";
    world.behaviour["http://c"] = "hang";
    const list = world.list([["http://a"], ["http://b"], ["http://c"]]);
    list.start();
    await world.clock.advance(MINUTE);
    world.asked.length = 0;
    let isStopped = false;
    const stopped = list.stop().then(() => {
      isStopped = true;
    });
    await world.clock.advance(999);
    expect(world.asked).toEqual([
      { atSec: 60, url: "http://a", event: "stopped" },
      { atSec: 60, url: "http://c", event: "stopped" },
    ]);
    expect(isStopped).toBe(false);
    await world.clock.advance(1);
    await stopped;
    expect(world.clock.timerCount).toBe(0);
    expect(world.inFlight).toBe(0);
    await world.clock.advance(24 * HOUR);
    expect(world.asked).toHaveLength(2);
  });

  test("a stopped list starts again, with started", async () => {
    const world = new World();
    const list = world.list([["http://a"]]);
    list.start();
    await world.clock.advance(MINUTE);
    await list.stop();
    list.start();
    await world.clock.advance(0);
    expect(world.asked.map(({ event }) => event)).toEqual(["started", "stopped", "started"]);
  });

  test("peers come with the kind of tracker that named them", async () => {
    const world = new World();
    const peers = [{ host: "10.0.0.1", port: 5 }];
    world.behaviour["http://a"] = { peers, isPrivateTracker: true };
    world.behaviour["http://b"] = { peers: [{ host: "1.2.3.4", port: 5 }] };
    world.list([["http://a"], ["http://b"]]).start();
    await world.clock.advance(0);
    expect(world.peers).toEqual([
      [peers, "tracker_private"],
      [[{ host: "1.2.3.4", port: 5 }], "tracker"],
    ]);
  });

  test("added trackers announce at once; known ones and those past 64 are left out", async () => {
    const world = new World();
    const list = world.list([["http://a"]]);
    list.start();
    list.add(["http://a", "http://b", "http://b"]);
    await world.clock.advance(0);
    expect(world.urls().sort()).toEqual(["http://a", "http://b"]);
    list.add(Array.from({ length: 100 }, (_, index) => `http://t${index}`));
    expect(list.states()).toHaveLength(64);
  });

  test("a thousand torrents that start together spread their announces", async () => {
    const world = new World();
    const random = seededRandom(11);
    for (let torrent = 0; torrent < 1000; torrent++) {
      world.list([["http://a"]], random).start({ withinMs: 60_000 });
    }
    await world.clock.advance(MINUTE);
    expect(world.asked).toHaveLength(1000);
    const perSecond = new Map<number, number>();
    for (const { atSec } of world.asked) perSecond.set(atSec, (perSecond.get(atSec) ?? 0) + 1);
    expect(Math.max(...perSecond.values())).toBeLessThan(60);
  });

  test("states never show a passkey", () => {
    const world = new World();
    const list = world.list([["https://t.test/0123456789abcdef0123456789abcdef/announce?k=canary"]]);
    expect(JSON.stringify(list.states())).not.toMatch(/canary|0123456789abcdef/);
  });
});
