// The services on a real database, with an engine, a disk and a clock that a test controls.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { InfoHash } from "../../../src/base/brand.ts";
import { silentLog } from "../../../src/base/log.ts";
import { openDatabase, type TorrxDatabase } from "../../../src/db/index.ts";
import { encodeBencode, parseInfoDict, type TorrentInfo } from "../../../src/metainfo/index.ts";
import { createServices, type LiveEvent, type Services, type Volume } from "../../../src/services/index.ts";
import { FakeBuffers } from "../../support/fake-buffers.ts";
import { FakeEngine } from "../../support/fake-engine.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { noMediaPrograms } from "../../support/no-media-programs.ts";

export const MIGRATIONS = join(import.meta.dir, "../../../migrations");
export const GIB = 1024 ** 3;

/** A disk whose free space a test sets. */
export class FakeVolume implements Volume {
  freeBytes = 1_000 * GIB;
  totalBytes = 2_000 * GIB;
  readonly present = new Map<string, number>();
  readonly unwritable = new Set<string>();

  spaceOf() {
    return Promise.resolve({ freeBytes: this.freeBytes, totalBytes: this.totalBytes });
  }

  allocatedBytes(path: string) {
    return Promise.resolve(this.present.get(path) ?? 0);
  }

  ensureWritable(directory: string) {
    return this.unwritable.has(directory) ? Promise.reject(new Error("EACCES")) : Promise.resolve();
  }
}

export interface Rig {
  readonly services: Services;
  readonly engine: FakeEngine;
  readonly buffers: FakeBuffers;
  readonly clock: ManualClock;
  readonly volume: FakeVolume;
  readonly database: TorrxDatabase;
  readonly events: LiveEvent[];
  /** What the link fetcher answers, by URL. */
  readonly links: Map<string, Uint8Array>;
  /** Ends as a clean stop does and starts again on the same files, with a fresh engine. */
  restart(): Promise<Rig>;
  close(): Promise<void>;
}

export async function startRig(
  folder: string,
  clock = new ManualClock(),
  volume = new FakeVolume(),
): Promise<Rig> {
  const engine = new FakeEngine();
  const buffers = new FakeBuffers();
  const links = new Map<string, Uint8Array>();
  const database = openDatabase(join(folder, "torrx.db"), { migrationsDir: MIGRATIONS, log: silentLog });
  const services = createServices({
    database,
    engine,
    buffers,
    clock,
    volume,
    log: silentLog,
    version: "1.2.3",
    media: noMediaPrograms(),
    downloadDir: "/downloads",
    rssBytes: () => 42,
    memoryBytes: 2 * GIB,
    fetchTorrentUrl: (url) => {
      const bytes = links.get(url);
      return bytes === undefined ? Promise.reject(new Error("no such link")) : Promise.resolve(bytes);
    },
  });
  await services.start();
  const events: LiveEvent[] = [];
  services.live.subscribe((event) => events.push(event));
  const close = async () => {
    await services.endPlayback();
    await services.stop();
    database.close();
  };
  const restart = async () => {
    await close();
    return startRig(folder, clock, volume);
  };
  return { services, engine, buffers, clock, volume, database, events, links, restart, close };
}

export interface MadeTorrent {
  readonly id: InfoHash;
  readonly info: TorrentInfo;
  readonly bytes: Uint8Array;
  readonly magnet: string;
}

export type MadeFile = readonly [path: string, length: number];

/** A valid .torrent; `files` null makes a single file of `length`. Equal arguments give equal torrents. */
export function makeTorrent(
  name: string,
  files: readonly MadeFile[] | null = null,
  options: { length?: number; isPrivate?: boolean; salt?: string; trackers?: string[] } = {},
): MadeTorrent {
  const pieceLength = 2 ** 24;
  const length =
    files === null ? (options.length ?? 1_000) : files.reduce((sum, [, bytes]) => sum + bytes, 0);
  const pieces = Math.max(1, Math.ceil(length / pieceLength));
  const infoBytes = encodeBencode({
    name,
    "piece length": pieceLength,
    pieces: new Uint8Array(20 * pieces),
    private: options.isPrivate ? 1 : undefined,
    source: options.salt,
    ...(files === null
      ? { length }
      : { files: files.map(([path, bytes]) => ({ length: bytes, path: path.split("/") })) }),
  });
  const trackers = options.trackers ?? ["http://one.example/announce"];
  const announce = encodeBencode({ "announce-list": trackers.map((url) => [url]) });
  const bytes = Buffer.concat([announce.subarray(0, -1), Buffer.from("4:info"), infoBytes, Buffer.from("e")]);
  const id = createHash("sha1").update(infoBytes).digest("hex") as InfoHash;
  const info = parseInfoDict(infoBytes);
  return {
    id,
    info,
    bytes: new Uint8Array(bytes),
    magnet: `magnet:?xt=urn:btih:${id}&dn=${encodeURIComponent(name)}`,
  };
}

/** Lets promises that wait for nothing but each other settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
