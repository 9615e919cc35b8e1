// What the engine tells goes into the catalogue at once and into the database as soon as it can: metadata, resume data
// and completion right away, figures in one batch every few seconds and at the stop.

import type { InfoHash } from "../../base/brand.ts";
import type { Timer } from "../../base/clock.ts";
import type { FiguresRow } from "../../db/index.ts";
import type { EngineEvent, TorrentStats } from "../../engine/port.ts";
import type { TorrentEntry } from "./catalogue.ts";
import type { TorrentsContext } from "./context.ts";
import type { MetadataIntake } from "./metadata-intake.ts";
import { Relocation } from "./relocation.ts";
import { progressOf } from "./view.ts";

const FLUSH_MS = 5_000;

export class EngineRecorder {
  readonly #context: TorrentsContext;
  readonly #intake: MetadataIntake;
  readonly #relocation: Relocation;
  /** Torrents whose figures are newer than the database. */
  readonly #stale = new Set<InfoHash>();
  /** Whether the resume data in the database calls itself clean; a change of that must survive a power cut. */
  readonly #clean = new Map<InfoHash, boolean>();
  #timer: Timer | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(context: TorrentsContext, intake: MetadataIntake) {
    this.#context = context;
    this.#intake = intake;
    this.#relocation = new Relocation(context);
  }

  start(): void {
    const { clock, engine } = this.#context;
    this.#unsubscribe = engine.subscribe((event) => this.#onEvent(event));
    this.#timer = clock.every(FLUSH_MS, () => this.flush());
  }

  /** Queues every stale figure and writes. */
  flush(): void {
    for (const id of [...this.#stale]) this.#putStale(id);
    this.#context.writes.flush();
  }

  forget(id: InfoHash): void {
    this.#stale.delete(id);
    this.#clean.delete(id);
    this.#relocation.forget(id);
    this.#context.writes.drop(id);
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#timer?.cancel();
    this.#timer = null;
    this.flush();
  }

  #onEvent(event: EngineEvent): void {
    switch (event.type) {
      case "stats":
        for (const stats of event.torrents) this.onStats(stats);
        break;
      case "metadata":
        this.#intake.onMetadata(event.id, event.infoBytes);
        break;
      case "resume":
        this.#onResume(event);
        break;
      case "completed":
        this.#onCompleted(event.id, event.atMs);
        break;
      case "dht_nodes":
        this.#onDhtNodes(event);
        break;
      case "warning":
        this.#context.warnings.set(event);
        break;
    }
  }

  /** Takes over what the engine says of one torrent. */
  onStats(stats: TorrentStats): void {
    const { catalogue, live } = this.#context;
    const entry = catalogue.get(stats.id);
    if (entry === undefined) return;
    entry.stats = stats;
    this.#stale.add(stats.id);
    live.changed(stats.id);
    this.#relocation.onStats(stats);
  }

  #onResume({ id, state }: Extract<EngineEvent, { type: "resume" }>): void {
    const { catalogue, database, writes } = this.#context;
    if (catalogue.get(id) === undefined) return;
    const durable = this.#clean.get(id) !== state.isClean;
    this.#clean.set(id, state.isClean);
    // In the same transaction, so that after a crash the figures fit the pieces.
    this.#putStale(id);
    writes.put(`resume:${id}`, () => database.resume.put(id, state), { durable });
  }

  #onCompleted(id: InfoHash, atMs: number): void {
    const { catalogue, database, live, writes } = this.#context;
    const entry = catalogue.get(id);
    if (entry === undefined) return;
    catalogue.setRow(entry, { completedAtMs: atMs });
    writes.put(`completed:${id}`, () => database.torrents.setCompleted(id, atMs));
    live.changed(id);
  }

  #onDhtNodes({ nodes }: Extract<EngineEvent, { type: "dht_nodes" }>): void {
    const { database, writes } = this.#context;
    const value = nodes.map(({ host, port }) => ({ host, port }));
    writes.put("dht_nodes", () => database.state.put("dht_nodes", value), { later: true });
  }

  #putStale(id: InfoHash): void {
    const entry = this.#context.catalogue.get(id);
    if (this.#stale.delete(id) && entry?.stats) this.#putFigures(entry, entry.stats);
  }

  #putFigures(entry: TorrentEntry, stats: TorrentStats): void {
    const { catalogue, database, writes } = this.#context;
    const { row } = entry;
    const figures = figuresOf(entry, stats);
    this.#putFileBytes(entry, stats.fileBytes, figures.progress === row.progress);
    if (isSame(figures, row)) return;
    catalogue.setRow(entry, figures);
    writes.put(`figures:${row.id}`, () => database.torrents.setFigures(row.id, figures), { later: true });
  }

  /** The first figures of a run that show no progress since the last one are in the database already. */
  #putFileBytes(entry: TorrentEntry, fileBytes: readonly number[], isAsStored: boolean): void {
    const { database, writes } = this.#context;
    const { id } = entry.row;
    if (entry.savedFileBytes === null && isAsStored) entry.savedFileBytes = fileBytes;
    const saved = entry.savedFileBytes ?? [];
    const changed = [...fileBytes.entries()].filter(([index, bytes]) => bytes !== saved[index]);
    if (changed.length === 0) return;
    const work = () => {
      for (const [index, bytes] of changed) database.files.setVerifiedBytes(id, index, bytes);
    };
    const onDone = () => {
      entry.savedFileBytes = fileBytes;
    };
    writes.put(`files:${id}`, work, { later: true, onDone });
  }
}

function isSame(figures: FiguresRow, row: FiguresRow): boolean {
  return (
    figures.status === row.status &&
    figures.fault === row.fault &&
    figures.faultDetail === row.faultDetail &&
    figures.progress === row.progress &&
    figures.downloaded === row.downloaded &&
    figures.uploaded === row.uploaded
  );
}

function figuresOf(entry: TorrentEntry, stats: TorrentStats): FiguresRow {
  return {
    status: stats.status,
    fault: stats.fault,
    faultDetail: stats.faultDetail,
    progress: progressOf(entry),
    downloaded: stats.downloadedBytes,
    uploaded: stats.uploadedBytes,
  };
}
