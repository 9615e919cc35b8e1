// An engine in memory: keeps what it is told, says what a test makes it say. No peers, no disk.

import type { InfoHash } from "../../src/base/brand.ts";
import { TorrxError } from "../../src/base/errors.ts";
import type {
  EngineEvent,
  EnginePort,
  EngineSettings,
  FileChoice,
  StreamRow,
  TorrentChange,
  TorrentSpec,
  TorrentStats,
} from "../../src/engine/port.ts";
import type { OpenReader } from "../../src/stream/ports.ts";

export interface EngineCall {
  readonly name: string;
  readonly id: InfoHash;
  readonly argument?: unknown;
}

export class FakeEngine implements EnginePort {
  readonly calls: EngineCall[] = [];
  readonly specs = new Map<InfoHash, TorrentSpec>();
  readonly #stats = new Map<InfoHash, TorrentStats>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  settings: EngineSettings | null = null;
  /** Set to make the next call of that name reject. */
  readonly failures = new Map<string, Error>();

  get listeners(): number {
    return this.#listeners.size;
  }

  callsOf(name: string): EngineCall[] {
    return this.calls.filter((call) => call.name === name);
  }

  emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Changes what the engine says of a torrent and says it. */
  setStats(id: InfoHash, change: Partial<TorrentStats>): void {
    const stats = { ...this.#require(id), ...change };
    this.#stats.set(id, stats);
    this.emit({ type: "stats", torrents: [stats] });
  }

  add(spec: TorrentSpec): Promise<void> {
    return this.#call("add", spec.id, spec, () => {
      this.specs.set(spec.id, spec);
      this.#stats.set(spec.id, idleStats(spec));
    });
  }

  change(id: InfoHash, change: TorrentChange): Promise<void> {
    return this.#call("change", id, change, () => {
      const stats = this.#require(id);
      this.specs.set(id, { ...(this.specs.get(id) as TorrentSpec), ...change });
      if (change.isPaused !== undefined) {
        this.#stats.set(id, { ...stats, status: change.isPaused ? "paused" : "downloading" });
      }
    });
  }

  confirmMetadata(
    id: InfoHash,
    place: { diskName: string | null; files: readonly FileChoice[] },
  ): Promise<void> {
    return this.#call("confirmMetadata", id, place, () => {
      this.#require(id);
    });
  }

  remove(id: InfoHash, options: { deleteFiles: boolean }): Promise<void> {
    return this.#call("remove", id, options, () => {
      this.#require(id);
      this.specs.delete(id);
      this.#stats.delete(id);
    });
  }

  recheck(id: InfoHash): Promise<void> {
    return this.#call("recheck", id, undefined, () => {
      this.#require(id);
    });
  }

  reannounce(id: InfoHash): Promise<void> {
    return this.#call("reannounce", id, undefined, () => {
      this.#require(id);
    });
  }

  peers(id: InfoHash) {
    return this.#call("peers", id, undefined, () => {
      this.#require(id);
      return [];
    });
  }

  trackers(id: InfoHash) {
    return this.#call("trackers", id, undefined, () => {
      this.#require(id);
      return [];
    });
  }

  pieces(id: InfoHash) {
    return this.#call("pieces", id, undefined, () => {
      this.#require(id);
      return { count: 8, lengthBytes: 16_384, have: Uint8Array.of(0xf0) };
    });
  }

  stats(id: InfoHash): Promise<TorrentStats> {
    return this.#call("stats", id, undefined, () => this.#require(id));
  }

  streams(): Promise<StreamRow[]> {
    return Promise.resolve([]);
  }

  totals() {
    return Promise.resolve({
      downloadSpeed: 5_000,
      uploadSpeed: 6,
      peers: 0,
      listenPort: null,
      dhtNodes: null,
    });
  }

  configure(settings: EngineSettings): Promise<void> {
    this.settings = settings;
    return Promise.resolve();
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  openReader(_request: OpenReader): Promise<void> {
    return Promise.resolve();
  }

  advanceReader(): void {
    this.calls.push({ name: "advanceReader", id: "" as InfoHash });
  }

  closeReader(): void {
    this.calls.push({ name: "closeReader", id: "" as InfoHash });
  }

  async #call<T>(name: string, id: InfoHash, argument: unknown, act: () => T): Promise<T> {
    await Promise.resolve();
    this.calls.push({ name, id, argument });
    const failure = this.failures.get(name);
    this.failures.delete(name);
    if (failure !== undefined) throw failure;
    return act();
  }

  #require(id: InfoHash): TorrentStats {
    const stats = this.#stats.get(id);
    if (stats === undefined) throw new TorrxError("not_found", "There is no such torrent.");
    return stats;
  }
}

export function idleStats(
  spec: Pick<TorrentSpec, "id" | "isPaused" | "downloadedBytes" | "uploadedBytes">,
): TorrentStats {
  return {
    id: spec.id,
    status: spec.isPaused ? "paused" : "metadata",
    fault: null,
    faultDetail: null,
    progress: 0,
    checkProgress: null,
    downloadedBytes: spec.downloadedBytes,
    uploadedBytes: spec.uploadedBytes,
    downloadSpeed: 0,
    uploadSpeed: 0,
    peers: 0,
    seeds: 0,
    etaSec: null,
    wait: null,
    fileBytes: [],
  };
}
