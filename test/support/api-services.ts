// Services small enough to read: one torrent, four files, settings in a variable. Each call can be made to fail.

import { type Api, createApp } from "../../src/api/index.ts";
import { type FileIndex, type InfoHash, type SafePath, tryInfoHash } from "../../src/base/brand.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { TorrxError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import type { AccessService } from "../../src/services/access/index.ts";
import type {
  FileView,
  LiveEvent,
  Settings,
  SettingsService,
  StatusService,
  StreamsService,
  TorrentsService,
  TorrentView,
} from "../../src/services/ports.ts";
import { startFront, type TestFront, TORRENT, testAccess, testStreams } from "./api-front.ts";
import { TestMedia } from "./api-media.ts";

export function torrentView(changes: Partial<TorrentView> = {}): TorrentView {
  return {
    id: TORRENT,
    name: "A torrent",
    status: "downloading",
    error: null,
    priority: "normal",
    download: "all",
    progress: 0.25,
    checkProgress: null,
    totalSize: 4_000,
    downloaded: 1_000,
    uploaded: 10,
    ratio: 0.01,
    downloadSpeed: 100,
    uploadSpeed: 1,
    maxDownloadSpeed: 0,
    maxUploadSpeed: 0,
    peers: 3,
    seeds: 1,
    etaSec: 30,
    addedAtMs: Date.UTC(2026, 0, 2),
    completedAtMs: null,
    savePath: "/data/A torrent",
    wait: {
      code: "NO_PEERS",
      sinceMs: Date.UTC(2026, 0, 3),
      haveBytes: null,
      needBytes: 5,
      rate: null,
      peers: { connected: 0, known: 1, unchoked: 0 },
    },
    ...changes,
  };
}

export function fileView(index: number, path: string, changes: Partial<FileView> = {}): FileView {
  return {
    index: index as FileIndex,
    path: path as SafePath,
    size: 1_000,
    isSelected: true,
    isVideo: path.endsWith(".mkv"),
    isAudio: path.endsWith(".flac"),
    priority: "normal",
    progress: 0.5,
    ...changes,
  };
}

export class TestTorrents implements TorrentsService {
  readonly items = new Map<InfoHash, TorrentView>([[TORRENT, torrentView()]]);
  readonly calls: unknown[][] = [];
  /** Thrown by every method. */
  failure: unknown = null;
  files: FileView[] = [fileView(0, "dir/complete.mkv"), fileView(1, "dir/info"), fileView(2, "dir/Ä #1.srt")];

  #enter(...call: unknown[]): void {
    this.calls.push(call);
    if (this.failure !== null) throw this.failure;
  }

  #torrent(id: InfoHash): TorrentView {
    const torrent = this.items.get(id);
    if (torrent === undefined) throw new TorrxError("not_found", "there is no such torrent");
    return torrent;
  }

  #one(name: string, id: InfoHash, ...rest: unknown[]): Promise<TorrentView> {
    this.#enter(name, id, ...rest);
    return Promise.resolve(this.#torrent(id));
  }

  addMagnet(...call: Parameters<TorrentsService["addMagnet"]>) {
    return this.#add("addMagnet", ...call);
  }
  addTorrentFile(...call: Parameters<TorrentsService["addTorrentFile"]>) {
    return this.#add("addTorrentFile", ...call);
  }
  addUrl(...call: Parameters<TorrentsService["addUrl"]>) {
    return this.#add("addUrl", ...call);
  }
  #add(name: string, what: string | Uint8Array, options: unknown) {
    this.#enter(name, what, options);
    const isNew = what !== "magnet:again";
    return Promise.resolve({ torrent: torrentView(), isNew });
  }
  list(query: Parameters<TorrentsService["list"]>[0]) {
    this.#enter("list", query);
    return { items: [...this.items.values()], total: this.items.size };
  }
  get(id: InfoHash) {
    this.#enter("get", id);
    return { torrent: this.#torrent(id), files: this.files };
  }
  patch(...[id, patch]: Parameters<TorrentsService["patch"]>) {
    return this.#one("patch", id, patch);
  }
  patchFiles(...[id, patches]: Parameters<TorrentsService["patchFiles"]>) {
    this.#enter("patchFiles", id, patches);
    return Promise.resolve(this.files);
  }
  remove(...[id, options]: Parameters<TorrentsService["remove"]>) {
    return this.#one("remove", id, options).then(() => undefined);
  }
  pause = (id: InfoHash) => this.#one("pause", id);
  resume = (id: InfoHash) => this.#one("resume", id);
  recheck = (id: InfoHash) => this.#one("recheck", id);
  reannounce = (id: InfoHash) => this.#one("reannounce", id);
  peers = (id: InfoHash) => this.#one("peers", id).then(() => []);
  trackers = (id: InfoHash) =>
    this.#one("trackers", id).then(() => [
      {
        url: "https://tracker.example/announce/0123456789abcdef0123456789abcdef?passkey=secret",
        tier: 0,
        status: "working" as const,
        message: null,
        nextAnnounceSec: 60,
        seeders: 1,
        leechers: 2,
      },
    ]);
  pieces = (id: InfoHash) =>
    this.#one("pieces", id).then(() => ({ count: 3, lengthBytes: 16_384, have: new Uint8Array([0xa0]) }));
}

export class TestLive {
  readonly listeners = new Set<(event: LiveEvent) => void>();

  subscribe = (listener: (event: LiveEvent) => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  emit(event: LiveEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

function testSettings(): SettingsService {
  let settings: Settings = {
    maxDownloadSpeed: 0,
    maxUploadSpeed: 0,
    maxConcurrentTorrents: 5,
    seedRatioLimit: 2,
    streamTokenTtlHours: 168,
    ramBufferMb: 256,
    ramTotalMb: 1_024,
    bufferAheadPercent: 80,
    hlsSegmentDurationSec: 4,
    downloadDir: "/data",
  };
  return {
    get: () => settings,
    update: (patch) => {
      settings = { ...settings, ...patch };
      return Promise.resolve(settings);
    },
  };
}

const STATUS: StatusService = {
  status: () =>
    Promise.resolve({
      version: "1.2.3",
      uptimeSec: 5,
      downloadSpeed: 1,
      uploadSpeed: 2,
      ramUsedBytes: 3,
      ramCapBytes: 6,
      rssBytes: 7,
      diskFreeBytes: 4,
      diskTotalBytes: 5,
      warnings: [{ code: "w", message: "m" }],
      streams: [
        {
          id: 1,
          torrent: tryInfoHash("ab".repeat(20)) ?? TORRENT,
          file: 1,
          viewer: "somebody",
          mode: "hls",
          positionSec: 63.5,
          clientAddress: "192.0.2.1",
          positionBytes: 10,
          aheadBytes: 20,
          readers: 1,
          bytesPerSec: 1_000,
          window: { bytes: 30, aheadSec: 48.04, behindSec: 12, hitRate: 0.9712 },
          startedAtMs: Date.UTC(2026, 0, 1),
          wait: null,
        },
      ],
    }),
};

export interface TestServer extends TestFront {
  readonly api: Api;
  readonly torrents: TestTorrents;
  readonly live: TestLive;
  readonly media: TestMedia;
}

export interface TestServerOptions {
  readonly webFolder?: string;
  readonly clock?: Clock;
  readonly access?: AccessService;
  readonly streams?: StreamsService;
}

/** The app behind a real front. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const torrents = new TestTorrents();
  const live = new TestLive();
  const media = new TestMedia();
  const access = options.access ?? (await testAccess());
  const streams = options.streams ?? testStreams();
  const api = await createApp({
    torrents,
    settings: testSettings(),
    streams,
    media,
    status: STATUS,
    live,
    access,
    clock: options.clock ?? systemClock,
    log: silentLog,
    version: "1.2.3",
    webFolder: options.webFolder ?? null,
  });
  const front = await startFront({ app: api.handle, access, streams });
  return { ...front, api, torrents, live, media };
}
