// What the engine is given from outside. Everything that touches the world comes through here, so that the same code
// runs in the server, in tests and in a simulation.

import type { PeerAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Disk, PieceMemory } from "../store/index.ts";
import type { DhtNode, TrackerClient } from "../swarm/index.ts";
import type { PeerNet } from "../wire/index.ts";

export interface EngineOptions {
  /** Address to listen on for peers. */
  readonly host: string;
  /** Port for peers; 0 lets the system choose. */
  readonly port: number;
  /** Lets x.pe and incoming peers be on loopback (tests, odd set-ups). */
  readonly allowLoopbackPeers: boolean;
  /** Folder for what belongs to no file of a torrent: data of boundary pieces of files that are not wanted. */
  readonly partsDirectory: string;
  /** Name and version in the extended handshake. */
  readonly clientName: string;
  /** Memory for pieces in the making. */
  readonly assemblyBytes: number;
}

export interface EngineDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly net: PeerNet;
  readonly disk: Disk;
  readonly memory: PieceMemory;
  readonly trackers: TrackerClient;
  /** Makes the DHT node on the port that peers reach us on; null where DHT is off. */
  readonly openDht: ((port: number) => Promise<DhtNode>) | null;
  /** Our own endpoints, given the port that peers reach us on: they must never be dialled. */
  readonly ownAddresses: (port: number) => readonly PeerAddress[];
  readonly options: EngineOptions;
}
