// The door of services: createServices wires the use-cases; everything else is types for the HTTP side. (Access has a
// door of its own: access/index.ts.)

import type { PeerAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { DeferredWrites, type TorrxDatabase } from "../db/index.ts";
import type { EnginePort } from "../engine/port.ts";
import type { StreamBuffers } from "../stream/ports.ts";
import { dhtNodesOf } from "./dht-nodes.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { LiveHub } from "./live/live-hub.ts";
import { createMedia, type MediaOptions, type MediaService } from "./media/index.ts";
import type { LiveEvents, SettingsService, StatusService, StreamsService, TorrentsService } from "./ports.ts";
import { memoryLimitBytes } from "./settings/memory-limit.ts";
import { StoredSettings } from "./settings/settings-service.ts";
import { Status } from "./status/status.ts";
import { Streams } from "./streams/streams.ts";
import type { FetchTorrentUrl } from "./torrents/adding.ts";
import { Catalogue } from "./torrents/catalogue.ts";
import type { TorrentsContext } from "./torrents/context.ts";
import { Torrents } from "./torrents/torrents.ts";
import { torrentView } from "./torrents/view.ts";
import { nodeVolume, type Volume } from "./volume.ts";
import { type Warning, WarningBoard } from "./warnings.ts";

export * from "./ports.ts";
export type { FetchTorrentUrl } from "./torrents/adding.ts";
export { nodeVolume, type Volume } from "./volume.ts";
export type { Warning } from "./warnings.ts";

export interface ServicesOptions {
  readonly database: TorrxDatabase;
  readonly engine: EnginePort;
  /** The windows of the HTTP side; sized, shown and freed from here. */
  readonly buffers: StreamBuffers;
  readonly fetchTorrentUrl: FetchTorrentUrl;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly media: MediaOptions;
  /** storage.download_dir of the configuration, absolute; the setting download_dir replaces it. */
  readonly downloadDir: string;
  /** What configuration and access have to say; the database's own warnings are added. */
  readonly warnings?: readonly Warning[];
  readonly volume?: Volume;
  readonly rssBytes?: () => number;
  /** What this process may use; found out where it is not given. */
  readonly memoryBytes?: number;
}

export interface Services {
  readonly torrents: TorrentsService;
  readonly settings: SettingsService;
  readonly streams: StreamsService;
  readonly status: StatusService;
  readonly live: LiveEvents;
  readonly media: MediaService;
  /** Adds (or replaces, by code) a line of /api/status. */
  warn(warning: Warning): void;
  /** Configures the engine and gives it every stored torrent. Call once, before anything is served. */
  start(): Promise<void>;
  /** Ends every session and every program of theirs; to be called before the front is closed. Idempotent. */
  endPlayback(): Promise<void>;
  /** After engine.stop(): records the engine's last words. The database is still open afterwards. */
  stop(): Promise<void>;
}

/** DHT nodes of the last run, for the engine that is yet to be made. */
export function storedDhtNodes(database: TorrxDatabase): PeerAddress[] {
  return dhtNodesOf(database.state.get("dht_nodes"));
}

export function createServices(options: ServicesOptions): Services {
  const { database, engine, buffers, clock } = options;
  const log = options.log.of("services");
  const volume = options.volume ?? nodeVolume;
  const catalogue = new Catalogue(database.files);
  const warnings = new WarningBoard([...(options.warnings ?? []), ...database.warnings]);
  const writes = new DeferredWrites({ database, clock, log });
  const live = new LiveHub({ clock, log, viewOf: (id) => viewOrNull(catalogue.get(id)) });
  const settings = new StoredSettings({
    database,
    engine,
    buffers,
    volume,
    log,
    memoryBytes: options.memoryBytes ?? memoryLimitBytes(),
    defaultDownloadDir: options.downloadDir,
  });
  const shared = {
    database,
    engine,
    buffers,
    volume,
    settings,
    clock,
    log,
    live,
    warnings,
    catalogue,
    writes,
  };
  const streams = new Streams(catalogue, database, engine);
  const playback = createMedia({ ...shared, ...options.media, streams });
  const context: TorrentsContext = { ...shared, playback, queue: new KeyedQueue() };
  const torrents = new Torrents(context, options.fetchTorrentUrl);
  const rssBytes = options.rssBytes ?? (() => process.memoryUsage.rss());
  return {
    torrents,
    settings,
    streams,
    status: new Status({ ...shared, playback, version: options.version, rssBytes }),
    live,
    media: playback.media,
    warn: (warning) => warnings.set(warning),
    async start() {
      await settings.apply();
      await torrents.restore();
      await playback.start();
    },
    endPlayback: () => playback.stop(),
    async stop() {
      await playback.stop();
      await torrents.stop();
      live.close();
      writes.close();
    },
  };
}

function viewOrNull(entry: Parameters<typeof torrentView>[0] | undefined) {
  return entry === undefined ? null : torrentView(entry);
}
