// Our DHT node among real libtorrent nodes. Only in a network that is loopback alone, so that nobody else is asked:
// unshare -n sh -c 'ip link set lo up; exec bun test test/e2e/dht'

import { afterEach, beforeEach, expect, test } from "bun:test";
import { addressKey, type PeerAddress } from "../../../src/base/address.ts";
import { tryInfoHash } from "../../../src/base/brand.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { seededRandom, systemRandom } from "../../../src/base/random.ts";
import { encodeBencode } from "../../../src/metainfo/index.ts";
import { createDht, type DhtNode, type DhtOptions } from "../../../src/swarm/dht/dht-node.ts";
import { bunUdpNet } from "../../../src/swarm/udp-net.ts";
import { describeIsolated } from "../../support/namespace.ts";
import { LibtorrentNode } from "./libtorrent-node.ts";

const opened: DhtNode[] = [];

async function open(changes: Partial<DhtOptions> = {}): Promise<DhtNode> {
  const node = await createDht({
    udp: bunUdpNet,
    host: "127.0.0.1",
    port: 0,
    bootstrap: [],
    savedNodes: [],
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...changes,
  });
  opened.push(node);
  return node;
}

const randomHash = () => tryInfoHash(Buffer.from(systemRandom.bytes(20)).toString("hex"))!;

async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("did not come true in time");
    await Bun.sleep(10);
  }
}

/** Lookups fill the routing table, once theirs know one another. */
async function joined(node: DhtNode, count: number): Promise<void> {
  const ended = new AbortController();
  const timer = setInterval(() => node.lookup(randomHash(), () => undefined, ended.signal), 100);
  await until(() => node.nodeCount >= count).finally(() => {
    clearInterval(timer);
    ended.abort();
  });
}

/** Looks again and again, as the engine does, until a peer matches. */
async function find(node: DhtNode, hash: string, matches: (peer: PeerAddress) => boolean): Promise<void> {
  const ended = new AbortController();
  const deadlineMs = performance.now() + 15_000;
  let isFound = false;
  while (!isFound && performance.now() < deadlineMs) {
    node.lookup(tryInfoHash(hash)!, (peer) => (isFound ||= matches(peer)), ended.signal);
    await Bun.sleep(100);
  }
  ended.abort();
  expect(isFound).toBe(true);
}

describeIsolated("DHT among libtorrent nodes", () => {
  const theirs: LibtorrentNode[] = [];

  // New ones for each test: contacts that a test leaves behind would slow every later lookup down by their time-outs.
  beforeEach(async () => {
    const hosts = ["127.0.0.11", "127.0.0.12", "127.0.0.13"];
    theirs.push(...(await Promise.all(hosts.map((host) => LibtorrentNode.start(host)))));
    for (const node of theirs) {
      for (const other of theirs) if (other !== node) node.tell({ do: "add_node", ...other.address });
    }
  }, 20_000);

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((node) => node.close()));
    await Promise.all(theirs.splice(0).map((node) => node.stop()));
  });

  const routers = () => [`${theirs[0]!.host}:${theirs[0]!.address.port}`];

  test("a lookup begun before joining finds a peer that libtorrent announced", async () => {
    const hash = randomHash();
    const ours = await open({ bootstrap: routers() });
    ours.lookup(hash, () => undefined, new AbortController().signal);
    const announcing = setInterval(() => theirs[1]!.tell({ do: "announce", hash }), 200);
    await find(ours, hash, (peer) => addressKey(peer) === addressKey(theirs[1]!.address)).finally(() =>
      clearInterval(announcing),
    );
    expect(ours.nodeCount).toBeGreaterThanOrEqual(1);
  }, 30_000);

  test("libtorrent finds what we announced", async () => {
    const hash = randomHash();
    const ours = await open({ bootstrap: routers() });
    await joined(ours, 1);
    let isFound = false;
    for (let i = 0; i < 40 && !isFound; i++) {
      ours.announce(hash, 7_002);
      theirs[2]!.tell({ do: "get_peers", hash });
      isFound = await theirs[2]!
        .next(
          (said) =>
            said.event === "peers" &&
            said["hash"] === hash &&
            JSON.stringify(said["peers"]).includes('["127.0.0.1",7002]'),
          500,
        )
        .then(
          () => true,
          () => false,
        );
    }
    expect(isFound).toBe(true);
  }, 30_000);

  test("two of our nodes find each other through libtorrent, and through one another", async () => {
    const hash = randomHash();
    const a = await open({ bootstrap: routers() });
    const b = await open({ host: "127.0.0.3", savedNodes: theirs.map((node) => node.address) });
    await Promise.all([joined(a, 1), joined(b, 1)]);
    a.announce(hash, 7_003);
    await find(b, hash, (peer) => peer.host === "127.0.0.1" && peer.port === 7_003);
  }, 30_000);

  test("the nodes of one run are the entry of the next", async () => {
    const first = await open({ bootstrap: routers() });
    await joined(first, 3);
    const saved = first.nodes();
    await first.close();
    expect(first.nodes()).toEqual([]);
    expect(saved.map((node) => node.host).sort()).toContain("127.0.0.13");
    const second = await open({ savedNodes: saved });
    await joined(second, 3);
  }, 30_000);

  test("a node that a peer told of is enough to join", async () => {
    const ours = await open();
    expect(ours.nodeCount).toBe(0);
    ours.addNode(theirs[0]!.address);
    await joined(ours, 2);
  }, 30_000);

  test("libtorrent takes us into its routing table and stores its announces with us", async () => {
    let isAnnounced = false;
    const ours = await open({
      host: "127.0.0.4",
      bootstrap: routers(),
      udp: {
        bind: (options, onPacket) =>
          bunUdpNet.bind(options, (bytes, from) => {
            isAnnounced ||= Buffer.from(bytes).includes("announce_peer");
            onPacket(bytes, from);
          }),
      },
    });
    await joined(ours, 3);
    const hash = randomHash();
    const [announcer] = theirs;
    const address = announcer!.address;
    announcer!.tell({ do: "add_node", host: "127.0.0.4", port: ours.port });
    const announcing = setInterval(() => announcer!.tell({ do: "announce", hash }), 500);
    await until(() => isAnnounced, 20_000).finally(() => clearInterval(announcing));
    // With everybody else gone, only what is stored here can be found.
    await Promise.all(theirs.splice(0).map((node) => node.stop()));
    const peers: PeerAddress[] = [];
    ours.lookup(hash, (peer) => peers.push(peer), new AbortController().signal);
    await until(() => peers.length > 0);
    expect(peers).toEqual([address]);
  }, 40_000);

  test("without bootstrap and saved nodes no packet is sent", async () => {
    let sent = 0;
    const ours = await open({
      udp: {
        bind: async (options, onPacket) => {
          const socket = await bunUdpNet.bind(options, onPacket);
          return { port: socket.port, send: () => void sent++, close: () => socket.close() };
        },
      },
    });
    ours.lookup(randomHash(), () => undefined, new AbortController().signal);
    ours.announce(randomHash(), 1_234);
    await Bun.sleep(300);
    expect(sent).toBe(0);
  });

  test("100,000 hostile packets leave the node alive, its memory flat and its loop free", async () => {
    const ours = await open({ bootstrap: routers() });
    await joined(ours, 3);
    const random = seededRandom(1);
    const id = random.bytes(20);
    const seeds = [
      encodeBencode({ t: "aa", y: "q", q: "get_peers", a: { id, info_hash: 5 } }),
      encodeBencode({ t: "aa", y: "q", q: "find_node", a: { id, target: 9 } }),
      encodeBencode({ t: "aa", y: "q", q: "announce_peer", a: { id, info_hash: id, token: 7, port: 1 } }),
      encodeBencode({ t: "aa", y: "q", q: "announce_peer", a: { id, info_hash: id, token: "x", port: -1 } }),
      encodeBencode({
        t: "aa",
        y: "q",
        q: "put",
        a: { id, token: "x", v: new Uint8Array(1_000), k: 1, sig: 2 },
      }),
      encodeBencode({ t: "aa", y: "r", r: { id, nodes: new Uint8Array(1_001), values: [1, "x"] } }),
      encodeBencode({ t: 1, y: "q", q: "ping", a: { id } }),
      encodeBencode({ t: "aa", y: "q", q: "ping", a: "x" }),
      encodeBencode({ y: "e", t: "aa", e: [] }),
      new Uint8Array(Buffer.from("l".repeat(1_500))),
      new Uint8Array(Buffer.from("-9:")),
    ];
    const attacker = await bunUdpNet.bind({ host: "127.0.0.66", port: 0 }, () => undefined);
    Bun.gc(true);
    const before = process.memoryUsage().heapUsed;
    let worstMs = 0;
    for (let i = 0; i < 100_000; i++) {
      const bytes = seeds[i % seeds.length]!.slice();
      if (i >= seeds.length) bytes[random.below(bytes.length)] = random.below(256);
      attacker.send(bytes, { host: "127.0.0.1", port: ours.port });
      if (i % 500 === 0) {
        const started = performance.now();
        await Bun.sleep(0);
        worstMs = Math.max(worstMs, performance.now() - started);
      }
    }
    attacker.close();
    const hash = randomHash();
    const announcing = setInterval(() => theirs[1]!.tell({ do: "announce", hash }), 200);
    await find(ours, hash, (peer) => addressKey(peer) === addressKey(theirs[1]!.address)).finally(() =>
      clearInterval(announcing),
    );
    expect(worstMs).toBeLessThan(500);
    Bun.gc(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024);
  }, 60_000);

  test("closing twice, and in the middle of lookups, is fine", async () => {
    const ours = await open({ bootstrap: routers(), savedNodes: [{ host: "127.0.0.99", port: 6_881 }] });
    ours.lookup(randomHash(), () => undefined, new AbortController().signal);
    await joined(ours, 1);
    ours.lookup(randomHash(), () => undefined, new AbortController().signal);
    ours.announce(randomHash(), 5_000);
    await Promise.all([ours.close(), ours.close()]);
    ours.lookup(randomHash(), () => undefined, new AbortController().signal);
    ours.announce(randomHash(), 5_000);
    ours.addNode(theirs[0]!.address);
    expect(ours.nodeCount).toBe(0);
  }, 30_000);

  test("a port that is taken is an error with the system's code", async () => {
    const ours = await open();
    expect(
      await open({ port: ours.port }).then(
        () => null,
        (error) => error.code,
      ),
    ).toBe("EADDRINUSE");
  });
});
