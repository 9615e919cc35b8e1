// The engine: every torrent, and what they share. Implements EnginePort in process; a Worker can stand between the two
// without either knowing. One ticker drives all torrents; those without peers are visited once a second.

import type { InfoHash } from "../base/brand.ts";
import type { Timer } from "../base/clock.ts";
import { describeError, TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { OpenReader, ReaderId } from "../stream/ports.ts";
import { listenForPeers, type PeerListener } from "../wire/index.ts";
import type { EngineDeps } from "./deps.ts";
import { createShared, type EngineShared } from "./engine-shared.ts";
import { EngineStats } from "./engine-stats.ts";
import { peerRowsOf } from "./peer-rows.ts";
import type {
  EngineEvent,
  EnginePort,
  EngineSettings,
  EngineTotals,
  FileChoice,
  PeerRow,
  StreamRow,
  TorrentChange,
  TorrentSpec,
  TorrentStats,
} from "./port.ts";
import { chooseActive } from "./queue.ts";
import { identityOf } from "./session-facts.ts";
import { Torrent } from "./torrent.ts";
import type { TorrentHost } from "./torrent-facts.ts";

const TICK_MS = 100;
const SLOW_TICK_MS = 1_000;
const SPACE_POLL_MS = 10_000;
const SPREAD_PER_TORRENT_MS = 60;
const SPREAD_MAX_MS = 60_000;
const STOP_MS = 4_000;

/** What holds until the services configure the engine. */
const INITIAL_SETTINGS: EngineSettings = {
  maxDownloadSpeed: 0,
  maxUploadSpeed: 0,
  maxConcurrentTorrents: 5,
  seedRatioLimit: 0,
  ramBufferBytes: 256 * 1024 * 1024,
  ramTotalBytes: 1024 * 1024 * 1024,
  bufferAheadPercent: 80,
};

/** Opens the ports and the DHT. Rejects start_failed where the peer port is taken. */
export async function createEngine(deps: EngineDeps): Promise<EnginePort> {
  const engine = new Engine(deps);
  await engine.start();
  return engine;
}

class Engine implements EnginePort, TorrentHost {
  readonly #deps: EngineDeps;
  readonly #torrents = new Map<InfoHash, Torrent>();
  readonly #readers = new Map<ReaderId, Torrent>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #stats: EngineStats;
  readonly shared: EngineShared;
  #listener: PeerListener | null = null;
  #settings = INITIAL_SETTINGS;
  #timers: Timer[] = [];
  #isQueueStale = false;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.shared = createShared(deps, INITIAL_SETTINGS, (id) => this.#torrents.get(id)?.demandNoted());
    this.#stats = new EngineStats(deps.clock, this.shared);
  }

  async start(): Promise<void> {
    const { clock, log, net, options } = this.#deps;
    this.#listener = await this.#listen({ clock, log: log.of("wire"), net });
    this.shared.listenPort = this.#listener.port;
    if (this.#deps.openDht !== null) this.shared.dht = await this.#deps.openDht(this.#listener.port);
    this.#timers = [
      clock.every(TICK_MS, () => this.#tick()),
      clock.every(SLOW_TICK_MS, () => this.#slowTick()),
      clock.every(SPACE_POLL_MS, () => this.#retryFull()),
    ];
    log.info("engine started", {
      port: this.#listener.port,
      dht: this.shared.dht !== null,
      host: options.host,
    });
  }

  async #listen(wire: Parameters<typeof listenForPeers>[0]): Promise<PeerListener> {
    const { host, port } = this.#deps.options;
    try {
      return await listenForPeers(wire, {
        host,
        port,
        acceptor: {
          accept: (infoHash, link) => {
            const torrent = this.#torrents.get(infoHash);
            const handler = torrent?.acceptIncoming(link) ?? null;
            return handler === null || torrent === undefined
              ? null
              : { identity: identityOf(torrent, this.shared), handler };
          },
        },
      });
    } catch (error) {
      const advice = `port ${port} for peers (torrent.port) cannot be opened: ${describeError(error)}`;
      throw new TorrxError("start_failed", advice, { cause: error });
    }
  }

  emit(event: EngineEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // What is told has happened: a listener's failure must not stop the engine half-way.
        this.#deps.log.error("an engine event was not taken", {
          type: event.type,
          error: describeError(error),
        });
      }
    }
  }

  seedRatioLimit(): number {
    return this.#settings.seedRatioLimit;
  }

  announceSpreadMs(): number {
    return Math.min(SPREAD_MAX_MS, (this.#torrents.size - 1) * SPREAD_PER_TORRENT_MS);
  }

  queueChanged(): void {
    if (this.#isQueueStale) return;
    this.#isQueueStale = true;
    queueMicrotask(() => this.#updateQueue());
  }

  #updateQueue(): void {
    this.#isQueueStale = false;
    const torrents = [...this.#torrents.values()];
    const active = chooseActive(
      torrents.map((torrent) => torrent.queueEntry()),
      this.#settings.maxConcurrentTorrents,
    );
    for (const torrent of torrents) torrent.setActive(active.has(torrent.id));
    this.#emitStats(torrents.filter((torrent) => this.#stats.hasNewStatus(torrent)));
  }

  add(spec: TorrentSpec): Promise<void> {
    return Promise.try(() => {
      if (this.#torrents.has(spec.id)) return;
      const torrent = new Torrent(spec, this);
      this.#torrents.set(spec.id, torrent);
      torrent.reconcile();
      this.queueChanged();
    });
  }

  change(id: InfoHash, change: TorrentChange): Promise<void> {
    return Promise.try(() => this.#torrent(id).change(change));
  }

  confirmMetadata(
    id: InfoHash,
    place: { diskName: string | null; files: readonly FileChoice[] },
  ): Promise<void> {
    return Promise.try(() => this.#torrent(id).confirmMetadata(place.diskName, place.files));
  }

  async remove(id: InfoHash, options: { deleteFiles: boolean }): Promise<void> {
    const torrent = this.#torrent(id);
    this.#torrents.delete(id);
    this.shared.streams.removeTorrent(id);
    await torrent.close(options);
    this.queueChanged();
  }

  async recheck(id: InfoHash): Promise<void> {
    const torrent = this.#torrent(id);
    const done = torrent.recheck();
    done.catch((error: unknown) =>
      this.#deps.log.warn("recheck failed", { torrent: id, error: describeError(error) }),
    );
    await Promise.resolve();
  }

  reannounce(id: InfoHash): Promise<void> {
    return Promise.try(() => this.#torrent(id).reannounce());
  }

  peers(id: InfoHash): Promise<readonly PeerRow[]> {
    return Promise.try(() => peerRowsOf(this.#torrent(id), this.#deps.clock.nowMs()));
  }

  trackers(id: InfoHash) {
    return Promise.try(() => this.#torrent(id).trackerStates());
  }

  pieces(id: InfoHash) {
    return Promise.try(() => {
      const { data } = this.#torrent(id);
      if (data === null) throw new TorrxError("not_ready", "the torrent's file list is not known yet");
      const { pieceCount, pieceLengthBytes } = data.geometry;
      return { count: pieceCount, lengthBytes: pieceLengthBytes, have: data.store.have.toBytes() };
    });
  }

  stats(id: InfoHash): Promise<TorrentStats> {
    return Promise.try(() => this.#stats.of(this.#torrent(id)));
  }

  streams(): Promise<readonly StreamRow[]> {
    return Promise.resolve(this.#stats.streamRows((id) => this.#torrents.get(id)));
  }

  totals(): Promise<EngineTotals> {
    const torrents = [...this.#torrents.values()];
    return Promise.resolve(this.#stats.totals(torrents, this.#listener?.port ?? null));
  }

  configure(settings: EngineSettings): Promise<void> {
    this.#settings = settings;
    this.shared.limits.setGlobal(settings.maxDownloadSpeed, settings.maxUploadSpeed);
    this.shared.streams.setBuffer(settings);
    this.queueChanged();
    for (const torrent of this.#torrents.values()) torrent.reconcile();
    return Promise.resolve();
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async openReader(request: OpenReader): Promise<void> {
    const torrent = this.#torrent(request.torrent);
    // A stream that is known already has its place; how many readers it may have is for the HTTP side to say.
    const { streams } = this.shared;
    const openStreams = streams.streams().filter((stream) => stream.readers > 0).length;
    if (openStreams >= LIMITS.http.streams && !streams.isKnown(request)) {
      throw new TorrxError("busy", "too many streams are open (stream_limit)", { retryAfterSec: 10 });
    }
    this.#readers.set(request.reader, torrent);
    try {
      await torrent.openReader(request);
    } catch (error) {
      this.#readers.delete(request.reader);
      throw error;
    }
  }

  advanceReader(reader: ReaderId, atBytes: number): void {
    this.#readers.get(reader)?.data?.streams.advance(reader, atBytes);
  }

  closeReader(reader: ReaderId): void {
    const torrent = this.#readers.get(reader);
    this.#readers.delete(reader);
    torrent?.data?.streams.close(reader);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#listener?.close();
    // Asked before the node is closed: afterwards it knows nobody.
    this.#tellDhtNodes();
    const closing = [...this.#torrents.values()].map((torrent) => torrent.close());
    const all = Promise.allSettled([...closing, this.shared.dht?.close() ?? Promise.resolve()]);
    let timer: Timer | null = null;
    const timeUp = new Promise<void>((resolve) => {
      timer = this.#deps.clock.after(STOP_MS, resolve);
    });
    await Promise.race([all.finally(() => timer?.cancel()), timeUp]);
    this.#emitStats([...this.#torrents.values()]);
  }

  #tellDhtNodes(): void {
    const nodes = this.shared.dht?.nodes() ?? [];
    if (nodes.length > 0) this.emit({ type: "dht_nodes", nodes });
  }

  #torrent(id: InfoHash): Torrent {
    const torrent = this.#torrents.get(id);
    if (torrent === undefined) throw new TorrxError("not_found", "there is no such torrent");
    return torrent;
  }

  #tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    this.#expireStreams(nowMs);
    for (const torrent of this.#torrents.values()) {
      if ((torrent.session?.peers.size ?? 0) > 0 || torrent.isStreamed) torrent.tick(nowMs);
    }
    this.shared.limits.setStreamHungry(this.#stats.isAnyStreamHungry((id) => this.#torrents.get(id)));
  }

  /** What a stream held up (a pause, the queue) follows at once when it ends. */
  #expireStreams(nowMs: number): void {
    const before = this.shared.streams.streamCount;
    this.shared.streams.expire(nowMs);
    if (this.shared.streams.streamCount === before) return;
    this.shared.streamedFiles.invalidate();
    for (const torrent of this.#torrents.values()) torrent.reconcile();
    this.queueChanged();
  }

  #slowTick(): void {
    const nowMs = this.#deps.clock.nowMs();
    for (const torrent of this.#torrents.values()) {
      if (torrent.session?.peers.size === 0) torrent.tick(nowMs);
      torrent.reconcile();
    }
    this.queueChanged();
    this.#emitStats([...this.#torrents.values()].filter((torrent) => this.#stats.isDue(torrent)));
  }

  #emitStats(torrents: readonly Torrent[]): void {
    if (torrents.length === 0) return;
    this.emit({ type: "stats", torrents: torrents.map((torrent) => this.#stats.of(torrent)) });
    for (const torrent of torrents) torrent.isDirty = false;
  }

  #retryFull(): void {
    for (const torrent of this.#torrents.values()) {
      torrent.retryAfterFault().catch((error: unknown) => {
        this.#deps.log.debug("a full disk is still full", {
          torrent: torrent.id,
          error: describeError(error),
        });
      });
    }
    this.#tellDhtNodes();
  }
}
