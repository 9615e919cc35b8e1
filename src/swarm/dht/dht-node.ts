// Our node in the mainline DHT (BEP 5, IPv4): bittorrent-dht behind GuardedSocket. Owns the UDP socket and the joining:
// the package itself is started without contacts and asks nobody; this module pings routers and saved nodes until one
// answers, looks for its own neighbourhood, then runs what was asked meanwhile. Alone again, it joins again.
// The package keeps timers and a clock of its own; everything else comes in from outside.

import DHT from "bittorrent-dht";
import type { PeerAddress } from "../../base/address.ts";
import { type InfoHash, tryInfoHash } from "../../base/brand.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { toHex } from "../../base/hex.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { TokenBucket } from "../../base/token-bucket.ts";
import type { Dns, UdpNet } from "../ports.ts";
import { Bootstrap } from "./bootstrap.ts";
import { GuardedSocket } from "./guarded-socket.ts";
import { LookupQueue } from "./lookup-queue.ts";
import { isNodeAddress } from "./node-address.ts";

const ID_BYTES = 20;
const JOIN_FIRST_MS = 5_000;
const JOIN_MAX_MS = 5 * 60_000;
const JOINED_CHECK_MS = 60_000;
/** With this many contacts lookups find their way, whether the joining is over or not. */
const ENOUGH_NODES = 8;
const TOLD_NODES_PER_SEC = 5;

export interface DhtOptions {
  readonly udp: UdpNet;
  readonly host: string;
  readonly port: number;
  /** "host:port"; empty = nobody is contacted but saved and told nodes. */
  readonly bootstrap: readonly string[];
  /** What nodes() gave in an earlier run. */
  readonly savedNodes: readonly PeerAddress[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For names in `bootstrap`; without it only addresses count. */
  readonly dns?: Dns;
}

export interface DhtNode {
  /** The UDP port it is bound to. */
  readonly port: number;
  readonly nodeCount: number;
  /**
   * One search; waits for the DHT to be joined and for its turn. Each peer is told once, at most
   * LIMITS.dht.peersPerLookup. Addresses are well-formed and believable for who told them, nothing more: the
   * candidate rules still apply.
   */
  lookup(infoHash: InfoHash, onPeer: (peer: PeerAddress) => void, signal: AbortSignal): void;
  /**
   * Tells the nodes near `infoHash` that we take peers on TCP `port`, after a search of its own or at the end of one
   * that is asked for. Lasts about half an hour there.
   */
  announce(infoHash: InfoHash, port: number): void;
  /** A node that somebody told of (BEP 5 PORT message); pinged first, dropped silently when too many come. */
  addNode(address: PeerAddress): void;
  /** Contacts worth saving, at most LIMITS.dht.nodesKept. */
  nodes(): PeerAddress[];
  /** Ends every lookup and frees the socket. */
  close(): Promise<void>;
}

/** Binds and starts to join; does not wait for that. Rejects where the port cannot be bound. */
export async function createDht(options: DhtOptions): Promise<DhtNode> {
  const socket = new GuardedSocket(options);
  const udp = await options.udp.bind({ host: options.host, port: options.port }, (bytes, from) =>
    socket.receive(bytes, from),
  );
  socket.attach(udp);
  return new PackagedDht(options, socket, udp.port);
}

class PackagedDht implements DhtNode {
  readonly port: number;
  readonly #options: DhtOptions;
  readonly #dht: DHT;
  readonly #bootstrap: Bootstrap;
  readonly #told: TokenBucket;
  readonly #queue: LookupQueue;
  #joinTimer: Timer | null = null;
  #joinDelayMs = JOIN_FIRST_MS;
  #isSearchingSelf = false;
  #isClosed = false;

  constructor(options: DhtOptions, socket: GuardedSocket, port: number) {
    this.port = port;
    this.#options = options;
    this.#bootstrap = new Bootstrap({ ...options, routers: options.bootstrap, dns: options.dns });
    this.#told = new TokenBucket({
      ratePerSec: TOLD_NODES_PER_SEC,
      burst: 4 * TOLD_NODES_PER_SEC,
      nowMs: options.clock.nowMs(),
    });
    this.#queue = new LookupQueue({
      clock: options.clock,
      isReady: () => this.#canLookUp(),
      lookup: (infoHash, onDone) => this.#dht.lookup(Buffer.from(infoHash, "hex"), onDone),
      announce: (infoHash, announcePort) => this.#announceNow(infoHash, announcePort),
    });
    this.#dht = new DHT({
      nodeId: Buffer.from(options.random.bytes(ID_BYTES)),
      bootstrap: false,
      socket,
      maxAge: LIMITS.dht.peerStoredMs,
      maxPeers: LIMITS.dht.peersStored,
    });
    this.#dht.on("peer", (peer: PeerAddress, infoHash: Buffer) => this.#onPeer(peer, infoHash));
    this.#dht.on("node", () => this.#onNode());
    this.#dht.on("warning", (error) => options.log.debug("DHT", { error: describeError(error) }));
    this.#dht.on("error", (error) => options.log.warn("DHT", { error: describeError(error) }));
    this.#dht.listen(port);
    this.#join();
  }

  get nodeCount(): number {
    return this.#isClosed ? 0 : this.#dht.nodes.count();
  }

  lookup(infoHash: InfoHash, onPeer: (peer: PeerAddress) => void, signal: AbortSignal): void {
    if (!this.#isClosed) this.#queue.find(infoHash, onPeer, signal);
  }

  announce(infoHash: InfoHash, port: number): void {
    if (!this.#isClosed) this.#queue.announce(infoHash, port);
  }

  addNode(address: PeerAddress): void {
    if (this.#isClosed || !isNodeAddress(address)) return;
    if (this.#told.tryTake(1, this.#options.clock.nowMs())) this.#ping(address);
  }

  nodes(): PeerAddress[] {
    const known = this.#isClosed ? [] : this.#dht.toJSON().nodes;
    return known.slice(0, LIMITS.dht.nodesKept).map(({ host, port }) => ({ host, port }));
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#joinTimer?.cancel();
    this.#queue.close();
    return new Promise((resolve) => this.#dht.destroy(resolve));
  }

  #ping(address: PeerAddress): void {
    this.#dht.addNode({ host: address.host, port: address.port });
  }

  /** Asks routers and saved nodes while nobody answers, and for neighbours while there are few. */
  #join(): void {
    if (this.#isClosed) return;
    const count = this.#dht.nodes.count();
    if (count >= ENOUGH_NODES) {
      this.#joinDelayMs = JOIN_FIRST_MS;
      this.#joinTimer = this.#options.clock.after(JOINED_CHECK_MS, () => this.#join());
      return;
    }
    if (count > 0) this.#searchSelf();
    else this.#knock();
    this.#joinTimer = this.#options.clock.after(this.#joinDelayMs, () => this.#join());
    this.#joinDelayMs = Math.min(JOIN_MAX_MS, this.#joinDelayMs * 2);
  }

  #knock(): void {
    for (const node of this.#bootstrap.nextSaved()) this.#ping(node);
    this.#askRouters().catch((error) => {
      this.#options.log.warn("DHT routers", { error: describeError(error) });
    });
  }

  async #askRouters(): Promise<void> {
    const routers = await this.#bootstrap.routers();
    if (!this.#isClosed) for (const router of routers) this.#ping(router);
  }

  #onNode(): void {
    if (this.#isClosed) return;
    const count = this.#dht.nodes.count();
    if (count >= ENOUGH_NODES) this.#queue.run();
    if (count === 1) this.#searchSelf();
  }

  /** Asks for the nodes nearest to ourselves, which fills the routing table on the way. */
  #searchSelf(): void {
    if (this.#isSearchingSelf) return;
    this.#isSearchingSelf = true;
    this.#dht.lookup(this.#dht.nodeId, () => {
      this.#isSearchingSelf = false;
      if (!this.#isClosed) this.#queue.run();
    });
  }

  #canLookUp(): boolean {
    const count = this.nodeCount;
    return count >= ENOUGH_NODES || (count > 0 && !this.#isSearchingSelf);
  }

  #announceNow(infoHash: InfoHash, port: number): void {
    if (this.#isClosed) return;
    this.#dht.announce(Buffer.from(infoHash, "hex"), port, (error) => {
      if (error) this.#options.log.debug("DHT announce", { error: describeError(error) });
    });
  }

  #onPeer(peer: PeerAddress, infoHashBytes: Buffer): void {
    const infoHash = tryInfoHash(toHex(infoHashBytes));
    if (infoHash === null || !isNodeAddress(peer)) return;
    this.#queue.onPeer(infoHash, { host: peer.host, port: peer.port });
  }
}
