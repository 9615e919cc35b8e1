// The engine's world: real sockets, real disk, real time.

import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import type { NativeThread } from "../../native/index.ts";
import type { PeerAddress } from "../base/address.ts";
import { systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { Config } from "../config/index.ts";
import type { EngineDeps } from "../engine/index.ts";
import { nativeMemory, nodeDisk } from "../store/index.ts";
import { bunUdpNet, createDht, createTrackerClient, nodeHttpGet, systemDns } from "../swarm/index.ts";
import { bunPeerNet } from "../wire/index.ts";
import { VERSION } from "./program.ts";

const MIB = 1024 * 1024;

/** What of the configuration the engine needs; the rest (the password) stays with the HTTP side. */
export type EngineConfig = Pick<Config, "torrent" | "storage">;

export function engineDepsOf(options: {
  config: EngineConfig;
  log: Log;
  dhtNodes: readonly PeerAddress[];
  /** The engine's own; to be closed after the engine. */
  native: NativeThread;
}): EngineDeps {
  const { config, log, native } = options;
  const common = { clock: systemClock, random: systemRandom, log };
  const { torrent } = config;
  return {
    ...common,
    net: bunPeerNet,
    disk: nodeDisk(native),
    memory: nativeMemory(native),
    trackers: createTrackerClient({
      ...common,
      log: log.of("trackers"),
      http: nodeHttpGet,
      udp: bunUdpNet,
      dns: systemDns,
      key: systemRandom.below(2 ** 32),
    }),
    openDht: torrent.dht
      ? (port) =>
          createDht({
            ...common,
            log: log.of("dht"),
            udp: bunUdpNet,
            dns: systemDns,
            host: "0.0.0.0",
            port,
            bootstrap: torrent.dhtBootstrap.map(({ host, port: routerPort }) => `${host}:${routerPort}`),
            savedNodes: options.dhtNodes,
          })
      : null,
    ownAddresses: (port) => ownAddresses(port),
    options: {
      host: "0.0.0.0",
      port: torrent.port,
      allowLoopbackPeers: torrent.allowLoopbackPeers,
      partsDirectory: join(dirname(config.storage.dbPath), "parts"),
      clientName: `TorrX ${VERSION}`,
      assemblyBytes: torrent.arenaMb * MIB,
    },
  };
}

function ownAddresses(port: number): PeerAddress[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => ({ host: address, port }));
}
