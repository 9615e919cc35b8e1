// QUALITY B4 #11: a torrent's author names the trackers and may own their DNS and their servers. Whatever they
// answer, the victim, a service of our own machine, is not asked.

import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { systemRandom } from "../../src/base/random.ts";
import { nodeHttpGet } from "../../src/swarm/egress/node-http-get.ts";
import type { Dns, HttpGet } from "../../src/swarm/ports.ts";
import { createTrackerClient, type TrackerClient } from "../../src/swarm/trackers/tracker-client.ts";
import { someFacts } from "../support/announce-facts.ts";
import { always, type HttpVictim, httpVictim, redirectTo } from "../support/http-victim.ts";
import { loopbackUdp } from "../support/loopback-udp.ts";
import { errorOf } from "../support/stepped-clock.ts";
import { udpTrackerServer } from "../support/udp-tracker-server.ts";

const PUBLIC = "1.2.3.4";
const open: TrackerClient[] = [];

afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

/** Public addresses lead to the hostile server on loopback; every other address is connected to as it is. */
function httpWithPublic(): HttpGet {
  return {
    get: (request) =>
      nodeHttpGet.get({
        ...request,
        pinnedAddress: request.pinnedAddress === PUBLIC ? "127.0.0.1" : request.pinnedAddress,
      }),
  };
}

function announce(url: string, dns: Dns = { resolve: () => Promise.resolve([PUBLIC]) }) {
  const client = createTrackerClient({
    http: httpWithPublic(),
    udp: loopbackUdp,
    dns,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    key: 1,
  });
  open.push(client);
  return errorOf(client.announce(url, someFacts, "started", new AbortController().signal));
}

const victimServer = () => httpVictim(always("d8:intervali1800ee"));

describe("SSRF by trackers (#11)", () => {
  test("a private or loopback tracker is asked below /announce only", async () => {
    await using victim = await victimServer();
    const paths = [
      "/",
      "/admin",
      "/admin/announce",
      "/x?/announce",
      "/announce/..%2fadmin",
      "/announce/../admin",
      "/announce%5c..%5cadmin",
      "/%61nnounce",
      "/Announce",
    ];
    for (const host of [
      "127.0.0.1",
      "127.1",
      "0x7f000001",
      "2130706433",
      "[::ffff:127.0.0.1]",
      "[::1]",
      "0.0.0.0",
    ]) {
      for (const path of paths) await announce(`http://${host}:${victim.port}${path}`);
    }
    expect(victim.connections()).toBe(0);
  });

  test("names that resolve to this machine, in whatever spelling, are no way round", async () => {
    await using victim = await victimServer();
    const answers = [
      "127.0.0.1",
      "::1",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "0.0.0.0",
      "::",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "169.254.169.254",
      "fe80::1",
      "localhost",
      "127.1",
    ];
    for (const answer of answers) {
      const error = await announce(`http://evil.test:${victim.port}/admin`, {
        resolve: () => Promise.resolve([answer]),
      });
      expect(error.message).toContain("may not be contacted");
    }
    expect(victim.connections()).toBe(0);
  });

  test("an answer with a public and a private address (rebinding) leads to the public one or nowhere", async () => {
    await using victim = await victimServer();
    const { port } = victim;
    const dns: Dns = { resolve: () => Promise.resolve(["127.0.0.1", "5.6.7.8"]) };
    const asked: string[] = [];
    const client = createTrackerClient({
      http: {
        get: ({ pinnedAddress }) => {
          asked.push(pinnedAddress);
          return Promise.resolve({ status: 200, location: null, body: Buffer.from("de") });
        },
      },
      udp: loopbackUdp,
      dns,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      key: 1,
    });
    const reply = await client.announce(
      `http://evil.test:${port}/announce`,
      someFacts,
      null,
      new AbortController().signal,
    );
    expect(asked).toEqual(["5.6.7.8"]);
    expect(reply.isPrivateTracker).toBe(false);
    await announce(`http://evil.test:${port}/admin`, dns);
    expect(victim.connections()).toBe(0);
  });

  test("a name is resolved once per hop: the address that was checked is the one that is asked", async () => {
    await using victim = await victimServer();
    await using hostile = await httpVictim(always("garbage"));
    let lookups = 0;
    await announce(`http://evil.test:${hostile.port}/announce`, {
      resolve: () => Promise.resolve([lookups++ === 0 ? PUBLIC : "127.0.0.1"]),
    });
    expect(lookups).toBe(1);
    expect([hostile.connections(), victim.connections()]).toEqual([1, 0]);
  });

  test("a public tracker cannot redirect to a private place, /announce or not", async () => {
    await using victim = await victimServer();
    const places = [
      `http://127.0.0.1:${victim.port}/announce`,
      `//127.0.0.1:${victim.port}/announce`,
      `http://[::ffff:127.0.0.1]:${victim.port}/announce`,
      `http://inner.test:${victim.port}/announce`,
      "http://169.254.169.254/latest/meta-data/",
      "http://169.254.169.254/announce",
      "file:///etc/passwd",
      `gopher://127.0.0.1:${victim.port}/`,
      `udp://127.0.0.1:${victim.port}/announce`,
    ];
    for (const place of places) {
      await using hostile: HttpVictim = await httpVictim(redirectTo(place));
      await announce(`http://evil.test:${hostile.port}/announce`, {
        resolve: (host) => Promise.resolve([host === "inner.test" ? "127.0.0.1" : PUBLIC]),
      });
      expect(hostile.connections(), place).toBe(1);
    }
    expect(victim.connections()).toBe(0);
  });

  test("a private tracker cannot redirect out of /announce on private hosts", async () => {
    await using victim = await victimServer();
    await using tracker = await httpVictim(redirectTo(`http://127.0.0.1:${victim.port}/admin`));
    await announce(`http://127.0.0.1:${tracker.port}/announce`);
    expect([tracker.connections(), victim.connections()]).toEqual([1, 0]);
  });

  test("a redirect loop ends after three hops", async () => {
    await using hostile = await httpVictim((socket) => redirectTo("/announce")(socket));
    const error = await announce(`http://evil.test:${hostile.port}/announce`);
    expect(error.message).toBe("redirected too often");
    expect(hostile.connections()).toBe(4);
  });

  test("a UDP tracker on this machine is asked below /announce or without a path only", async () => {
    using victim = await udpTrackerServer(() => []);
    for (const host of ["127.0.0.1", "evil.test", "0x7f.1", "[::ffff:127.0.0.1]"]) {
      await announce(`udp://${host}:${victim.port}/admin`, { resolve: () => Promise.resolve(["127.0.0.1"]) });
    }
    expect(victim.requests).toHaveLength(0);
  });
});
