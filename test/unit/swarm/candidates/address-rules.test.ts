import { describe, expect, test } from "bun:test";
import { isDialable } from "../../../../src/swarm/candidates/address-rules.ts";
import type { PeerSource } from "../../../../src/swarm/ports.ts";

const SOURCES: PeerSource[] = ["tracker", "tracker_private", "dht", "magnet", "manual", "incoming"];
const policy = { allowLoopback: false, ownAddresses: new Set(["9.9.9.9:51414", "[2600::1]:51414"]) };

const believed = (host: string, allowLoopback = false) =>
  SOURCES.filter((source) => isDialable({ host, port: 6881 }, source, { ...policy, allowLoopback }));

describe("whether an address may be dialled", () => {
  test.each(["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])("public %s: from anybody", (host) => {
    expect(believed(host)).toEqual(SOURCES);
  });

  test.each(["10.1.2.3", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"])(
    "private %s: from those who can know",
    (host) => {
      expect(believed(host)).toEqual(["tracker_private", "magnet", "manual", "incoming"]);
    },
  );

  test.each(["127.0.0.1", "::1", "::ffff:127.0.0.1"])(
    "loopback %s: from a loopback tracker, or if allowed",
    (host) => {
      expect(believed(host)).toEqual(["tracker_private"]);
      expect(believed(host, true)).toEqual(SOURCES);
    },
  );

  test.each([
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "169.254.1.1",
    "fe80::1",
    "ff02::1",
    "::",
    "tracker.test",
    "",
  ])("%p: never", (host) => {
    expect(believed(host, true)).toEqual([]);
  });

  test.each([
    0,
    1,
    7,
    19,
    22,
    25,
    53,
    110,
    143,
    389,
    445,
    993,
    3306,
    5060,
    6379,
    11_211,
    27_017,
    -1,
    65_536,
    1.5,
    Number.NaN,
  ])("port %p: never", (port) => {
    expect(isDialable({ host: "8.8.8.8", port }, "manual", policy)).toBe(false);
  });

  test.each([2, 80, 443, 6881, 51_413, 65_535])("port %p: yes", (port) => {
    expect(isDialable({ host: "8.8.8.8", port }, "dht", policy)).toBe(true);
  });

  test("we do not dial ourselves, in any spelling", () => {
    for (const host of ["9.9.9.9", "::ffff:9.9.9.9", "2600:0:0::1"]) {
      expect(isDialable({ host, port: 51_414 }, "manual", policy)).toBe(false);
      expect(isDialable({ host, port: 51_413 }, "manual", policy)).toBe(true);
    }
  });
});
