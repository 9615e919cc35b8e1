import { afterEach, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../../../src/base/clock.ts";
import { createLog } from "../../../../src/base/log.ts";
import { systemRandom } from "../../../../src/base/random.ts";
import { type BencodeInput, encodeBencode } from "../../../../src/metainfo/bencode.ts";
import { nodeHttpGet } from "../../../../src/swarm/egress/node-http-get.ts";
import type { AnnounceEvent, Dns } from "../../../../src/swarm/ports.ts";
import { createTrackerClient, type TrackerClient } from "../../../../src/swarm/trackers/tracker-client.ts";
import { someFacts } from "../../../support/announce-facts.ts";
import { always, endless, httpVictim } from "../../../support/http-victim.ts";
import { loopbackUdp } from "../../../support/loopback-udp.ts";
import { errorOf } from "../../../support/stepped-clock.ts";
import { announceReply, connectReply, udpTrackerServer } from "../../../support/udp-tracker-server.ts";

const open: TrackerClient[] = [];
const lines: string[] = [];

afterEach(() => {
  for (const client of open.splice(0)) client.close();
  lines.length = 0;
});

/** `pinnedTo` sends every connection to loopback whatever was resolved, so that names may resolve to public addresses. */
function client(options: { dns?: Dns; pinnedTo?: string } = {}): TrackerClient {
  const { pinnedTo } = options;
  const made = createTrackerClient({
    http:
      pinnedTo === undefined
        ? nodeHttpGet
        : { get: (request) => nodeHttpGet.get({ ...request, pinnedAddress: pinnedTo }) },
    udp: loopbackUdp,
    dns: options.dns ?? { resolve: (host) => Promise.resolve([host]) },
    clock: systemClock,
    random: systemRandom,
    log: createLog("debug", (line) => lines.push(line)),
    key: 5,
  });
  open.push(made);
  return made;
}

function announce(made: TrackerClient, url: string, event: AnnounceEvent = "started") {
  return made.announce(url, someFacts, event, new AbortController().signal);
}

const reply = (dict: Record<string, BencodeInput>) => always(encodeBencode(dict));
const publicDns: Dns = { resolve: () => Promise.resolve(["1.2.3.4"]) };

const mixedPeers = {
  interval: 1800,
  peers: [
    { ip: "8.8.8.8", port: 1001 },
    { ip: "192.168.0.9", port: 1002 },
    { ip: "127.0.0.1", port: 1003 },
    { ip: "169.254.169.254", port: 1004 },
    { ip: "224.0.0.1", port: 1005 },
    { ip: "::ffff:10.0.0.1", port: 1006 },
    { ip: "::1", port: 1007 },
  ],
};

describe("an announce", () => {
  test("to a loopback HTTP tracker below /announce may bring private and loopback peers", async () => {
    await using server = await httpVictim(reply(mixedPeers));
    const got = await announce(client(), `http://127.0.0.1:${server.port}/announce`);
    expect(got.isPrivateTracker).toBe(true);
    expect(got.peers.map(({ port }) => port)).toEqual([1001, 1002, 1003, 1006, 1007]);
    expect(server.heads[0]).toContain("&event=started ");
  });

  test("to a public tracker brings public peers only", async () => {
    await using server = await httpVictim(reply(mixedPeers));
    const made = client({ dns: publicDns, pinnedTo: "127.0.0.1" });
    const got = await announce(made, `http://tracker.test:${server.port}/announce`);
    expect(got.isPrivateTracker).toBe(false);
    expect(got.peers.map(({ port }) => port)).toEqual([1001]);
  });

  test("gives a tracker its id back, per torrent and tracker", async () => {
    await using server = await httpVictim(reply({ interval: 900, "tracker id": "a b" }));
    const made = client();
    const url = `http://127.0.0.1:${server.port}/announce`;
    await announce(made, url);
    await announce(made, url, null);
    await announce(made, `${url}2`, null);
    expect(server.heads.map((head) => head.includes("&trackerid=a%20b "))).toEqual([false, true, false]);
  });

  test("to a UDP tracker works with and without a path", async () => {
    using server = await udpTrackerServer((asked) => [
      asked.action === 0 ? connectReply(asked) : announceReply(asked, { peers: [127, 0, 0, 1, 4, 0] }),
    ]);
    for (const path of ["", "/", "/announce", "/announce?k=1"]) {
      const got = await announce(client(), `udp://127.0.0.1:${server.port}${path}`);
      expect(got).toMatchObject({ isPrivateTracker: true, peers: [{ host: "127.0.0.1", port: 1024 }] });
    }
  });

  test("goes by the resolved name for UDP too, and never to a private one with another path", async () => {
    using server = await udpTrackerServer(() => []);
    const dns: Dns = { resolve: () => Promise.resolve(["127.0.0.1"]) };
    const error = await errorOf(announce(client({ dns }), `udp://tracker.test:${server.port}/other`));
    expect(error.message).toContain("may not be contacted");
    expect(server.requests).toHaveLength(0);
  });

  test.each(["wss://t.test/announce", "ftp://t.test/announce", "nonsense", "udp://t.test/announce", ""])(
    "to %p is refused with a plain word",
    async (url) => {
      expect((await errorOf(announce(client(), url))).message).toMatch(/supported|needs a port/);
    },
  );

  test("an HTTP error, garbage and a failure reason are told plainly", async () => {
    await using down = await httpVictim(always("secret page", "", "503 Service Unavailable"));
    expect((await errorOf(announce(client(), `http://127.0.0.1:${down.port}/announce`))).message).toBe(
      "the tracker answered with HTTP status 503",
    );
    await using page = await httpVictim(always("<html>secret</html>"));
    const message = (await errorOf(announce(client(), `http://127.0.0.1:${page.port}/announce`))).message;
    expect(message).toBe("the answer is not that of a tracker");
  });

  test("an endless body, a gzip bomb and 10^5 peers cost at most the caps (#17)", async () => {
    await using flood = await httpVictim(endless("HTTP/1.1 200 OK\r\n\r\n", Buffer.alloc(1 << 16)));
    const tooLarge = "the answer is larger than 1024 KiB";
    expect((await errorOf(announce(client(), `http://127.0.0.1:${flood.port}/announce`))).message).toBe(
      tooLarge,
    );
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    await using packed = await httpVictim(always(bomb, "Content-Encoding: gzip\r\n"));
    expect((await errorOf(announce(client(), `http://127.0.0.1:${packed.port}/announce`))).message).toBe(
      tooLarge,
    );
    await using many = await httpVictim(reply({ peers: new Uint8Array(600_000).fill(9) }));
    expect((await announce(client(), `http://127.0.0.1:${many.port}/announce`)).peers).toHaveLength(1000);
  });

  test("a passkey stands in no log line and no message, also when the tracker repeats it (#23)", async () => {
    const canary = "canary0123456789abcdef";
    await using server = await httpVictim(reply({ "failure reason": `unknown passkey ${canary}` }));
    const paths = [`/announce?passkey=${canary}`, `/announce/${canary}`, `/announce?x=${canary}&y=2`];
    for (const path of paths) {
      const error = await errorOf(announce(client(), `http://127.0.0.1:${server.port}${path}`));
      expect(error.message).toBe("unknown passkey ***");
    }
    await errorOf(announce(client(), `http://user:${canary}@127.0.0.1:${server.port}/elsewhere`));
    expect(lines.length).toBe(4);
    expect(lines.join("\n")).not.toContain(canary);
  });
});
