import { afterEach, describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../../src/base/address.ts";
import { tryInfoHash } from "../../../../src/base/brand.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import { asBytes, asDict, decodeBencode, encodeBencode } from "../../../../src/metainfo/index.ts";
import { createDht, type DhtNode, type DhtOptions } from "../../../../src/swarm/dht/dht-node.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FakeUdp } from "./fake-udp.ts";

const HASH = tryInfoHash("ab".repeat(20))!;
const forever = new AbortController().signal;

describe("DHT node", () => {
  const opened: DhtNode[] = [];
  const udp = new FakeUdp();
  let seed = 1;

  async function open(host: string, changes: Partial<DhtOptions> = {}): Promise<DhtNode> {
    const node = await createDht({
      udp,
      host,
      port: 6881,
      bootstrap: [],
      savedNodes: [],
      clock: new FakeClock(),
      random: seededRandom(seed++),
      log: silentLog,
      ...changes,
    });
    opened.push(node);
    return node;
  }

  /** Runs what is due now; answers over FakeUdp come within a few turns. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await Bun.sleep(0);
  }

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((node) => node.close()));
    udp.sent.length = 0;
  });

  test("two nodes meet, one announces, the other finds it, also when it asked before joining", async () => {
    await open("8.8.0.1");
    const b = await open("8.8.0.2", { bootstrap: ["8.8.0.1:6881"] });
    b.announce(HASH, 7_000);
    await settle();
    const found: PeerAddress[] = [];
    const c = await open("8.8.0.3", { savedNodes: [{ host: "8.8.0.1", port: 6881 }] });
    c.lookup(HASH, (peer) => found.push(peer), forever);
    await settle();
    expect(found).toEqual([{ host: "8.8.0.2", port: 7_000 }]);
    expect(
      c
        .nodes()
        .map((node) => node.host)
        .sort(),
    ).toEqual(["8.8.0.1", "8.8.0.2"]);
  });

  test("alone, it knocks again after 5 s, then less and less often, resolving names each time", async () => {
    const clock = new FakeClock();
    let resolved = 0;
    await open("8.8.1.2", {
      clock,
      bootstrap: ["router.example:6881"],
      dns: {
        resolve: () =>
          ++resolved < 3 ? Promise.reject(new Error("no network")) : Promise.resolve(["8.8.1.1"]),
      },
    });
    await settle();
    expect([resolved, udp.sent.length]).toEqual([1, 0]);
    clock.advance(4_999);
    expect(resolved).toBe(1);
    clock.advance(1);
    expect(resolved).toBe(2);
    clock.advance(10_000);
    await settle();
    expect(resolved).toBe(3);
    expect(udp.sent.map((packet) => packet.to.host)).toEqual(["8.8.1.1"]);
    clock.advance(3_600_000);
    expect(resolved).toBeLessThan(20);
  });

  test("an aborted lookup tells nothing more, also when it had not begun", async () => {
    const a = await open("8.8.2.1");
    const b = await open("8.8.2.2", { savedNodes: [{ host: "8.8.2.1", port: 6881 }] });
    a.announce(HASH, 7_000);
    b.announce(HASH, 7_000);
    await settle();
    const c = await open("8.8.2.3", { savedNodes: [{ host: "8.8.2.1", port: 6881 }] });
    const abort = new AbortController();
    let told = 0;
    c.lookup(HASH, () => told++, abort.signal);
    abort.abort();
    c.lookup(HASH, () => told++, abort.signal);
    await settle();
    expect(told).toBe(0);
  });

  test("a lookup tells each peer once", async () => {
    // A scripted node that answers every question with many peers, the same ones twice.
    const id = new Uint8Array(20).fill(1);
    const many = Array.from({ length: 300 }, (_, i) => new Uint8Array([9, 9, i >> 8, i & 255, 27, 88]));
    const router = { host: "8.8.3.1", port: 6881 };
    const socket = await udp.bind(router, (bytes, from) => {
      const query = asDict(decodeBencode(bytes))!;
      const values = [...many.slice(0, 150), ...many.slice(0, 50)];
      socket.send(
        encodeBencode({ t: asBytes(query.get("t"))!, y: "r", r: { id, token: "t", values } }),
        from,
      );
    });
    const node = await open("8.8.3.2", { bootstrap: ["8.8.3.1:6881"] });
    const found: string[] = [];
    node.lookup(HASH, (peer) => found.push(peer.host), forever);
    await settle();
    expect(found.length).toBeGreaterThan(100);
    expect(new Set(found).size).toBe(found.length);
    socket.close();
  });

  test("nodes told by peers are pinged at a bounded rate, and only where a node can be", async () => {
    const node = await open("8.8.4.2");
    node.addNode({ host: "8.8.4.3", port: 53 });
    node.addNode({ host: "224.0.0.1", port: 6881 });
    node.addNode({ host: "example.com", port: 6881 });
    expect(udp.sent).toHaveLength(0);
    for (let i = 0; i < 1_000; i++) node.addNode({ host: `8.9.${i >> 8}.${i & 255}`, port: 6881 });
    expect(udp.sent.length).toBeLessThanOrEqual(20);
  });

  test("after close nothing is sent and the timers are gone", async () => {
    const clock = new FakeClock();
    const node = await open("8.8.5.2", { clock, bootstrap: ["8.8.5.1:6881"] });
    await settle();
    node.lookup(HASH, () => undefined, forever);
    await node.close();
    expect(clock.pendingTimers).toBe(0);
    udp.sent.length = 0;
    node.lookup(HASH, () => undefined, forever);
    node.announce(HASH, 1_000);
    node.addNode({ host: "8.8.5.1", port: 6881 });
    clock.advance(600_000);
    expect([udp.sent.length, node.nodeCount, node.nodes()]).toEqual([0, 0, []]);
  });
});
