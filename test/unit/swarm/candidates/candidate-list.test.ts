import { describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../../src/base/address.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import { isDialable } from "../../../../src/swarm/candidates/address-rules.ts";
import { BanList } from "../../../../src/swarm/candidates/ban-list.ts";
import { CandidateList } from "../../../../src/swarm/candidates/candidate-list.ts";
import { SteppedClock } from "../../../support/stepped-clock.ts";

const MINUTE = 60_000;
const at = (host: string, port = 6881): PeerAddress => ({ host, port });
const hosts = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) =>
    at(`20.${(from + n) >> 16}.${((from + n) >> 8) & 255}.${(from + n) & 255}`),
  );

function world(options: { allowLoopback?: boolean; max?: number } = {}) {
  const clock = new SteppedClock();
  const bans = new BanList();
  const list = new CandidateList({
    clock,
    random: seededRandom(99),
    bans,
    mayDial: (address, source) =>
      isDialable(address, source, { allowLoopback: options.allowLoopback ?? false, ownAddresses: new Set() }),
    ...(options.max === undefined ? {} : { maxCandidates: options.max }),
  });
  return { clock, bans, list, next: () => list.next(clock.nowMs()) };
}

describe("the candidates of a torrent", () => {
  test("an address is taken once, in one spelling, if it may be dialled", () => {
    const { list } = world();
    const added = list.add(
      [at("8.8.8.8"), at("::ffff:8.8.8.8"), at("10.0.0.1"), at("8.8.8.8", 25), at("name")],
      "dht",
    );
    expect([added, list.size]).toEqual([1, 1]);
  });

  test("the better source goes first; a better word of the same address counts", () => {
    const { list, next } = world();
    list.add([at("8.0.0.1")], "dht");
    list.add([at("8.0.0.2")], "tracker");
    list.add([at("8.0.0.3")], "manual");
    list.add([at("8.0.0.4")], "dht");
    list.add([at("8.0.0.4")], "magnet");
    expect([next(), next(), next(), next(), next()].map((address) => address?.host)).toEqual([
      "8.0.0.3",
      "8.0.0.4",
      "8.0.0.2",
      "8.0.0.1",
      undefined,
    ]);
  });

  test("each address is given out once until its end is told", () => {
    const { list, next } = world();
    list.add(hosts(500), "tracker");
    const given = new Set<string>();
    for (let address = next(); address !== null; address = next()) given.add(address.host);
    expect(given.size).toBe(500);
    expect(list.waitingCount(0)).toBe(0);
  });

  test("one connection per IP for strangers, several for our own network", () => {
    const { list, next } = world();
    list.add([at("8.8.8.8", 1001), at("8.8.8.8", 1002)], "tracker");
    const first = next();
    expect(next()).toBeNull();
    expect(list.isHostTaken("::ffff:8.8.8.8")).toBe(true);
    list.failed(first!, "refused");
    expect(next()).not.toBeNull();
    list.add([at("10.0.0.1", 1001), at("10.0.0.1", 1002)], "manual");
    expect([next()?.host, next()?.host]).toEqual(["10.0.0.1", "10.0.0.1"]);
  });

  test("an incoming connection takes its IP's place until it ends", () => {
    const { list, next } = world();
    list.connected(at("8.8.8.8", 40_000));
    list.add([at("8.8.8.8", 6881)], "tracker");
    expect(next()).toBeNull();
    list.disconnected(at("8.8.8.8", 40_000), { wasUseful: false, reason: "closed" });
    expect(next()?.port).toBe(6881);
  });

  test("a failure waits 15 s, then 30 s; after three it is tried only when nothing fresh is left", async () => {
    const { clock, list, next } = world();
    list.add([at("8.0.0.1")], "tracker");
    const tries: number[] = [];
    for (let second = 0; second < 3600; second++) {
      const address = next();
      if (address !== null) {
        tries.push(second);
        list.failed(address, "timed_out");
      }
      await clock.advance(1000);
    }
    expect(tries[1]).toBeWithin(11, 21);
    expect((tries[2] ?? 0) - (tries[1] ?? 0)).toBeWithin(22, 40);
    expect(tries.slice(1).every((second, index) => second - (tries[index] ?? 0) <= 601)).toBe(true);
    expect(tries.length).toBeWithin(8, 14);

    await clock.advance(20 * MINUTE);
    list.add([at("8.0.0.2")], "dht");
    expect(next()?.host).toBe("8.0.0.2");
    list.failed(at("8.0.0.2"), "refused");
    expect(next()).toBeNull();
    list.ban("8.0.0.2", "misbehaviour");
    expect(next()?.host).toBe("8.0.0.1");
  });

  test("failures of many do not come back all at once", async () => {
    const { clock, list, next } = world();
    list.add(hosts(200), "tracker");
    for (let address = next(); address !== null; address = next()) list.failed(address, "refused");
    await clock.advance(15_000);
    expect(list.waitingCount(clock.nowMs())).toBeWithin(60, 140);
  });

  test("a useful peer that left is first again after 15 s; one that we closed keeps its rank", async () => {
    const { clock, list, next } = world();
    list.add([at("8.0.0.1"), at("8.0.0.2")], "dht");
    const first = next()!;
    const second = next()!;
    for (const address of [first, second]) list.connected(address);
    list.disconnected(second, { wasUseful: true, reason: "closed" });
    list.disconnected(first, { wasUseful: false, reason: "local" });
    expect(next()).toBeNull();
    await clock.advance(20_000);
    list.add([at("8.0.0.3")], "manual");
    expect(next()).toEqual(second);
    expect(next()?.host).toBe("8.0.0.3");
    expect(next()).toEqual(first);
  });

  test("we are not dialled twice, nor added again", () => {
    const { list, next } = world();
    list.add([at("8.0.0.1"), at("8.0.0.2")], "dht");
    list.failed(next()!, "self");
    const second = next()!;
    list.connected(second);
    list.disconnected(second, { wasUseful: false, reason: "self_connection" });
    expect(list.add([at("8.0.0.1"), at("8.0.0.2")], "tracker")).toBe(0);
    expect([list.size, next()]).toEqual([0, null]);
  });

  test("a banned host is gone here, not given out elsewhere, and not taken again", () => {
    const one = world();
    const other = new CandidateList({
      clock: one.clock,
      random: seededRandom(1),
      bans: one.bans,
      mayDial: () => true,
    });
    one.list.add([at("8.0.0.1"), at("8.0.0.1", 7000), at("8.0.0.2")], "dht");
    other.add([at("8.0.0.1")], "dht");
    const dialed = one.next()!;
    one.list.connected(dialed);
    one.list.ban("8.0.0.1", "corrupt_data");
    one.list.disconnected(dialed, { wasUseful: true, reason: "corrupt_data" });
    expect(one.list.size).toBe(1);
    expect(other.next(one.clock.nowMs())).toBeNull();
    expect(one.list.add([at("8.0.0.1", 7001)], "manual")).toBe(0);
    one.list.add([at("10.0.0.1")], "manual");
    one.list.ban("10.0.0.1", "misbehaviour");
    expect(one.list.size).toBe(2);
  });

  test("10^5 addresses of one source stay within its share, and the cap holds for all (#17)", () => {
    const { list } = world({ max: 1000 });
    list.add(hosts(100_000), "dht");
    expect(list.size).toBe(600);
    list.add(hosts(5_000, 200_000), "tracker");
    expect(list.size).toBe(1000);
    expect(list.add([at("8.8.8.8")], "manual")).toBe(1);
    expect(list.size).toBe(1000);
    list.add(hosts(5_000, 400_000), "dht");
    expect(list.size).toBe(1000);
  });

  test("only addresses that may be dialled come out of a poisoned reply (#17)", () => {
    const { list, next } = world();
    const random = seededRandom(5);
    const poisoned = Array.from({ length: 100_000 }, () => ({
      host: Array.from(random.bytes(4)).join("."),
      port: random.below(3) === 0 ? random.below(200) : random.below(65_536),
    }));
    list.add(poisoned, "tracker");
    expect(list.size).toBe(1200);
    const policy = { allowLoopback: false, ownAddresses: new Set<string>() };
    for (let address = next(); address !== null; address = next())
      expect(isDialable(address, "dht", policy)).toBe(true);
  });

  test("a torrent that turns out private forgets strangers' words", () => {
    const { list } = world();
    list.add(hosts(5), "dht");
    list.add(hosts(5, 10), "tracker");
    list.forget(new Set(["dht", "magnet"]));
    expect(list.size).toBe(5);
  });

  test("an address that the caller cannot dial now is passed over or given back", () => {
    const { clock, list, next } = world();
    list.add([at("8.0.0.1"), at("8.0.0.2")], "dht");
    const first = list.next(clock.nowMs(), ({ host }) => host === "8.0.0.2");
    expect(first?.host).toBe("8.0.0.2");
    list.released(first!);
    expect(list.waitingCount(clock.nowMs())).toBe(2);
    expect([next(), next(), next()].filter((address) => address !== null)).toHaveLength(2);
  });
});
