import { beforeEach, describe, expect, test } from "bun:test";
import type { PeerAddress } from "../../../src/base/address.ts";
import { silentLog } from "../../../src/base/log.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { RateMeter } from "../../../src/base/rate-meter.ts";
import { Dialer } from "../../../src/engine/dialer.ts";
import { Peer, type PeerHost } from "../../../src/engine/peer.ts";
import type { Shared } from "../../../src/engine/shared.ts";
import { BanList, DialGate } from "../../../src/swarm/index.ts";
import type { OpenSocket, PeerNet } from "../../../src/wire/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryNet } from "../../support/memory-net.ts";
import { frames, identity } from "../wire/links.ts";
import { fakePeer } from "./fake-peer.ts";

/** A public address, for the rules of strangers; all sockets here are in memory. */
const REMOTE: PeerAddress = { host: "45.33.1.9", port: 40_001 };
let clock: FakeClock;
let net: MemoryNet;
let gate: DialGate;
let bans: BanList;
let peers: Peer[];
let gone: string[];

function dialerOn(peerNet: PeerNet = net.host("10.0.0.2")): Dialer {
  const random = seededRandom(4);
  const deps = {
    clock,
    random,
    net: peerNet,
    ownAddresses: () => [],
    options: { allowLoopbackPeers: false },
  };
  let key = 0;
  const host = {
    peerReady: (peer: Peer) => dialer.connected(peer),
    peerGone: (peer: Peer, reason: string) => {
      gone.push(reason);
      dialer.disconnected(peer, reason);
    },
  } as unknown as PeerHost;
  const dialer: Dialer = new Dialer({
    shared: { deps, gate, bans, listenPort: 1 } as unknown as Shared,
    log: silentLog,
    identity: () => identity(),
    admit: (link, address, source) => {
      const meter = () => new RateMeter({ tauMs: 4_000, nowMs: 0 });
      const peer = new Peer({
        key: ++key,
        link,
        address,
        source,
        host,
        nowMs: 0,
        downMeter: meter(),
        upMeter: meter(),
      });
      peers.push(peer);
      return peer;
    },
  });
  return dialer;
}

/** Listens as the remote; what arrives is kept, the handshake is answered where asked. */
async function listen(at: PeerAddress, answers = true): Promise<OpenSocket[]> {
  const sockets: OpenSocket[] = [];
  await net.host(at.host).listen(at, (socket) => {
    sockets.push(socket);
    socket.start({ onData: () => undefined, onDrain: () => undefined, onClose: () => undefined });
    if (answers) socket.write(frames.handshake());
  });
  return sockets;
}

beforeEach(() => {
  clock = new FakeClock();
  net = new MemoryNet();
  gate = new DialGate({ clock });
  bans = new BanList();
  peers = [];
  gone = [];
});

describe("the dialer", () => {
  test("dials what is offered, names its source, and gives the place back at the end", async () => {
    await listen(REMOTE);
    const dialer = dialerOn();
    dialer.offer([REMOTE], "tracker");
    expect(dialer.dial(5)).toBe(true);
    expect([gate.halfOpen, gate.total]).toEqual([1, 1]);
    await clock.advanceSettled(10);
    expect(peers.map((peer) => [peer.source, peer.isReady])).toEqual([["tracker", true]]);
    expect([gate.halfOpen, gate.total]).toEqual([0, 1]);
    expect(dialer.dial(5)).toBe(false);
    peers[0]!.link.close("stopped");
    expect(gone).toEqual(["stopped"]);
    expect(gate.total).toBe(0);
  });

  test("a refused dial gives its place back and is tried again later, not at once", async () => {
    const dialer = dialerOn();
    dialer.offer([REMOTE], "tracker");
    dialer.dial(5);
    await clock.advanceSettled(10);
    expect(gate.total).toBe(0);
    dialer.dial(5);
    await clock.advanceSettled(10);
    expect(net.dials).toHaveLength(1);
    await clock.advanceSettled(30_000);
    dialer.dial(5);
    await clock.advanceSettled(10);
    expect(net.dials).toHaveLength(2);
  });

  test("a peer that never shakes hands is a failure, and its address can be dialled again", async () => {
    await listen(REMOTE, false);
    const dialer = dialerOn();
    dialer.offer([REMOTE], "tracker");
    dialer.dial(5);
    await clock.advanceSettled(60_000);
    expect(gone).toHaveLength(1);
    expect(gate.total).toBe(0);
    dialer.dial(5);
    expect(net.dials).toHaveLength(2);
    dialer.stop();
  });

  test("no more dials than there is room for", async () => {
    const dialer = dialerOn();
    dialer.offer(
      Array.from({ length: 20 }, (_, index) => ({ host: `45.33.1.${index + 1}`, port: 40_001 })),
      "tracker",
    );
    dialer.dial(3);
    expect(gate.halfOpen).toBe(3);
    await clock.advanceSettled(10);
    expect(gate.halfOpen).toBe(0);
  });

  test("a socket that opens as the dialer stops is closed and owned by nobody", async () => {
    const opened = Promise.withResolvers<OpenSocket>();
    await listen(REMOTE);
    const real = net.host("10.0.0.2");
    const dialer = dialerOn({ ...real, dial: () => opened.promise });
    dialer.offer([REMOTE], "tracker");
    dialer.dial(1);
    opened.resolve(await real.dial(REMOTE, { timeoutMs: 1, signal: new AbortController().signal }));
    dialer.stop();
    await clock.advanceSettled(10);
    expect(peers).toEqual([]);
    expect(gate.total).toBe(0);
    expect(net.openSockets).toBe(0);
  });

  test("an incoming peer takes a place; a banned host and a second one of the same host do not", async () => {
    const dialer = dialerOn();
    const first = fakePeer("45.33.1.50").link;
    const peer = dialer.accept(first);
    expect(peer?.source).toBe("incoming");
    expect(gate.total).toBe(1);
    dialer.connected(peer!);
    expect(dialer.accept(fakePeer("45.33.1.50").link)).toBeNull();
    dialer.ban("45.33.1.51", "corrupt_data");
    expect(dialer.accept(fakePeer("45.33.1.51").link)).toBeNull();
    dialer.disconnected(peer!, "remote");
    expect(gate.total).toBe(0);
    await clock.settle();
  });

  test("once private, it forgets what magnets and the DHT named and takes no more of it", async () => {
    const dialer = dialerOn();
    const at = (last: number) => ({ host: `45.33.1.${last}`, port: 40_001 });
    dialer.offer([at(1)], "dht");
    dialer.offer([at(2)], "magnet");
    dialer.offer([at(3)], "tracker");
    dialer.forgetPublicSources();
    dialer.offer([at(4)], "dht");
    dialer.dial(9);
    await clock.advanceSettled(10);
    expect(net.dials).toEqual([at(3)]);
    expect(dialer.knownPeers).toBe(1);
    expect(dialer.dial(9)).toBe(false);
  });
});
