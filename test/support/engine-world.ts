// Engines that share a clock and a network in memory, each with a disk of its own, and torrents for them.

import type { PeerAddress } from "../../src/base/address.ts";
import type { InfoHash } from "../../src/base/brand.ts";
import { silentLog } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import { createEngine, type EnginePort } from "../../src/engine/index.ts";
import type { EngineEvent, TorrentSpec } from "../../src/engine/port.ts";
import { encodeBencode, parseInfoDict } from "../../src/metainfo/index.ts";
import type { DhtNode, TrackerClient } from "../../src/swarm/index.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { MemoryNet } from "./memory-net.ts";
import { PlainMemory } from "./plain-memory.ts";

export interface TestTorrent {
  readonly id: InfoHash;
  readonly infoBytes: Uint8Array;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export function testTorrent(
  lengths: readonly number[],
  options: { seed?: number; pieceBytes?: number; isPrivate?: boolean } = {},
): TestTorrent {
  const { seed = 1, pieceBytes = 32 * 1024 } = options;
  const random = seededRandom(seed);
  const files = lengths.map((length, index) => ({ name: `${index}.mkv`, bytes: random.bytes(length) }));
  const all = Buffer.concat(files.map((file) => file.bytes));
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += pieceBytes) {
    hashes.push(new Bun.CryptoHasher("sha1").update(all.subarray(at, at + pieceBytes)).digest());
  }
  const infoBytes = encodeBencode({
    files: files.map((file) => ({ length: file.bytes.length, path: [file.name] })),
    name: `Show ${seed}`,
    "piece length": pieceBytes,
    pieces: new Uint8Array(Buffer.concat(hashes)),
    private: options.isPrivate ? 1 : undefined,
  });
  return { id: parseInfoDict(infoBytes).infoHash, infoBytes, files };
}

export function specOf(torrent: TestTorrent, changes: Partial<TorrentSpec> = {}): TorrentSpec {
  return {
    id: torrent.id,
    infoBytes: torrent.infoBytes,
    trackers: [],
    peers: [],
    saveDirectory: "/data",
    diskName: "Show",
    isPaused: false,
    priority: "normal",
    download: "all",
    files: [],
    maxDownloadSpeed: 0,
    maxUploadSpeed: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    addedAtMs: 0,
    completedAtMs: null,
    resume: null,
    ...changes,
  };
}

/** A DHT that finds what it is told to and keeps what it was asked. */
export class TestDht implements DhtNode {
  readonly port = 1;
  readonly nodeCount = 1;
  readonly lookups: InfoHash[] = [];
  readonly announces: InfoHash[] = [];
  readonly told: PeerAddress[] = [];
  peers: readonly PeerAddress[] = [];
  isClosed = false;

  lookup(infoHash: InfoHash, onPeer: (peer: PeerAddress) => void, signal: AbortSignal): void {
    this.lookups.push(infoHash);
    queueMicrotask(() => {
      for (const peer of this.peers) if (!signal.aborted) onPeer(peer);
    });
  }

  announce(infoHash: InfoHash): void {
    this.announces.push(infoHash);
  }

  addNode(address: PeerAddress): void {
    this.told.push(address);
  }

  nodes(): PeerAddress[] {
    return this.isClosed ? [] : [{ host: "203.0.113.5", port: 6881 }];
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

export interface TestEngine {
  readonly engine: EnginePort;
  readonly disk: MemoryDisk;
  readonly memory: PlainMemory;
  readonly dht: TestDht;
  readonly events: EngineEvent[];
  readonly address: PeerAddress;
}

export class EngineWorld {
  readonly clock = new FakeClock();
  readonly net = new MemoryNet();
  readonly #engines: EnginePort[] = [];

  async engine(ip: string): Promise<TestEngine> {
    const disk = new MemoryDisk(seededRandom(7), ["/data", "/data/Show", "/parts"]);
    const memory = new PlainMemory();
    const dht = new TestDht();
    const port = 40_001;
    const engine = await createEngine({
      clock: this.clock,
      random: seededRandom(ip.length + Number(ip.split(".")[3])),
      log: silentLog,
      net: this.net.host(ip),
      disk,
      memory,
      trackers: silentTrackers,
      openDht: () => Promise.resolve(dht),
      ownAddresses: (listenPort) => [{ host: ip, port: listenPort }],
      options: {
        host: ip,
        port,
        allowLoopbackPeers: false,
        partsDirectory: "/parts",
        clientName: "TorrX test",
        assemblyBytes: 16 * 1024 * 1024,
      },
    });
    const events: EngineEvent[] = [];
    engine.subscribe((event) => events.push(event));
    this.#engines.push(engine);
    return { engine, disk, memory, dht, events, address: { host: ip, port } };
  }

  /** An engine that has the torrent's files and serves them. */
  async seeder(ip: string, torrent: TestTorrent, changes: Partial<TorrentSpec> = {}): Promise<TestEngine> {
    const seeder = await this.engine(ip);
    for (const file of torrent.files) {
      const onDisk = await seeder.disk.open(`/data/Show/${file.name}`, { create: true });
      await onDisk.write(file.bytes, 0);
      await onDisk.close();
    }
    await seeder.engine.add(specOf(torrent, changes));
    await this.until(async () => (await seeder.engine.stats(torrent.id)).status === "seeding", "seeding");
    return seeder;
  }

  /** Lets time pass until it is so; throws after `limitMs` of it. */
  async until(isReached: () => boolean | Promise<boolean>, what: string, limitMs = 60_000): Promise<void> {
    const endMs = this.clock.nowMs() + limitMs;
    while (!(await isReached())) {
      if (this.clock.nowMs() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.clock.advanceSettled(20);
    }
  }

  async stop(): Promise<void> {
    for (const engine of this.#engines) {
      let isDone = false;
      const stopped = engine.stop().then(() => {
        isDone = true;
      });
      await this.until(() => isDone, "stopped");
      await stopped;
    }
    this.#engines.length = 0;
  }
}

const silentTrackers: TrackerClient = {
  announce: () => Promise.reject(new Error("no tracker here")),
  close: () => undefined,
};
