// The use-cases of torrents. Reads are answered from memory; a command is stored before the engine hears of it, so that
// what a user was told survives whatever follows. Commands on one torrent run one after the other.

import type { InfoHash } from "../../base/brand.ts";
import { describeError, TorrxError } from "../../base/errors.ts";
import type { TorrentRow } from "../../db/index.ts";
import type { TorrentChange } from "../../engine/port.ts";
import type {
  AddOptions,
  FilePatch,
  FileView,
  TorrentPatch,
  TorrentQuery,
  TorrentsService,
  TorrentView,
} from "../ports.ts";
import { type FetchTorrentUrl, TorrentAdding } from "./adding.ts";
import type { TorrentEntry } from "./catalogue.ts";
import { type TorrentsContext, writeNow } from "./context.ts";
import { EngineRecorder } from "./engine-recorder.ts";
import { fileChoicesOf, patchedFiles } from "./file-choice.ts";
import { MetadataIntake } from "./metadata-intake.ts";
import { queryTorrents } from "./query.ts";
import { restoreTorrents } from "./restore.ts";
import { specOf } from "./spec.ts";
import { checkedPatch } from "./torrent-patch.ts";
import { fileView, torrentView } from "./view.ts";

export class Torrents implements TorrentsService {
  readonly #context: TorrentsContext;
  readonly #adding: TorrentAdding;
  readonly #intake: MetadataIntake;
  readonly #recorder: EngineRecorder;

  constructor(context: TorrentsContext, fetchTorrentUrl: FetchTorrentUrl) {
    this.#context = context;
    this.#adding = new TorrentAdding(context, fetchTorrentUrl);
    this.#intake = new MetadataIntake(context);
    this.#recorder = new EngineRecorder(context, this.#intake);
  }

  /** Listens to the engine and gives it every stored torrent. Call once. */
  async restore(): Promise<void> {
    this.#recorder.start();
    await restoreTorrents(this.#context);
  }

  /** To be called after the engine's stop, whose last words are recorded here. */
  async stop(): Promise<void> {
    this.#adding.close();
    this.#intake.close();
    await this.#context.queue.idle();
    this.#recorder.stop();
  }

  addMagnet(magnet: string, options: AddOptions) {
    return this.#adding.addMagnet(magnet, options);
  }

  addTorrentFile(bytes: Uint8Array, options: AddOptions) {
    return this.#adding.addTorrentFile(bytes, options);
  }

  addUrl(url: string, options: AddOptions) {
    return this.#adding.addUrl(url, options);
  }

  list(query: TorrentQuery) {
    return queryTorrents(this.#context.catalogue, query);
  }

  get(id: InfoHash) {
    const entry = this.#context.catalogue.require(id);
    return { torrent: torrentView(entry), files: this.#fileViews(entry) };
  }

  patch(id: InfoHash, patch: TorrentPatch): Promise<TorrentView> {
    return this.#command(id, async (entry) => {
      const { choices, change } = checkedPatch(patch);
      await this.#change(entry, choices, change);
    });
  }

  async patchFiles(id: InfoHash, patches: readonly FilePatch[]): Promise<readonly FileView[]> {
    const { catalogue, database, engine } = this.#context;
    await this.#command(id, async (entry) => {
      if (entry.row.layout === null)
        throw new TorrxError("not_ready", "The torrent's files are not known yet.");
      const before = catalogue.filesOf(entry);
      const files = patchedFiles(before, patches);
      const changed = files.filter((file, n) => file !== before[n]);
      if (entry.unsavedFiles !== null) entry.unsavedFiles = files;
      else {
        writeNow(this.#context, () => {
          for (const file of changed) database.files.choose(id, file);
        });
      }
      await engine.change(id, { files: fileChoicesOf(files) });
      await this.#intake.retry(entry);
    });
    return this.#fileViews(catalogue.require(id));
  }

  remove(id: InfoHash, options: { deleteFiles: boolean }): Promise<void> {
    return this.#context.queue.run(id, async () => {
      const entry = this.#context.catalogue.require(id);
      await this.#removeFromEngine(entry, options);
      const { buffers, catalogue, database, live, playback } = this.#context;
      buffers.removeTorrent(id);
      playback.forget(id);
      this.#recorder.forget(id);
      catalogue.remove(id);
      live.removed(id);
      // The mark of #removeFromEngine finishes it at the next start where this fails.
      this.#context.writes.put(`removal:${id}`, () => database.torrents.delete(id), { durable: true });
    });
  }

  pause(id: InfoHash): Promise<TorrentView> {
    return this.#command(id, (entry) => this.#change(entry, { isPaused: true }, { isPaused: true }));
  }

  resume(id: InfoHash): Promise<TorrentView> {
    return this.#command(id, async (entry) => {
      if (entry.hold?.code === "internal") await this.#readd(entry);
      await this.#change(entry, { isPaused: false }, { isPaused: false });
      await this.#intake.retry(entry);
    });
  }

  recheck(id: InfoHash): Promise<TorrentView> {
    return this.#command(id, async ({ row }) => {
      if (row.layout === null) throw new TorrxError("not_ready", "The torrent's files are not known yet.");
      await this.#context.engine.recheck(id);
    });
  }

  reannounce(id: InfoHash): Promise<TorrentView> {
    return this.#command(id, () => this.#context.engine.reannounce(id));
  }

  async peers(id: InfoHash) {
    this.#context.catalogue.require(id);
    return await this.#context.engine.peers(id);
  }

  async trackers(id: InfoHash) {
    this.#context.catalogue.require(id);
    return await this.#context.engine.trackers(id);
  }

  async pieces(id: InfoHash) {
    const { row } = this.#context.catalogue.require(id);
    if (row.layout === null) throw new TorrxError("not_ready", "The torrent's pieces are not known yet.");
    return await this.#context.engine.pieces(id);
  }

  /** Runs `task` in the torrent's turn and returns the torrent as it is after it. */
  #command(id: InfoHash, task: (entry: TorrentEntry) => Promise<void>): Promise<TorrentView> {
    return this.#context.queue.run(id, async () => {
      const entry = this.#context.catalogue.require(id);
      await task(entry);
      this.#recorder.onStats(await this.#context.engine.stats(id));
      return torrentView(entry);
    });
  }

  /** What could not be restored may be possible by now (its disk is back). */
  async #readd(entry: TorrentEntry): Promise<void> {
    await this.#context.engine.add(specOf(this.#context, entry));
    entry.hold = null;
  }

  async #change(entry: TorrentEntry, choices: Partial<TorrentRow>, change: TorrentChange): Promise<void> {
    const { catalogue, database, engine } = this.#context;
    const row = { ...entry.row, ...choices };
    writeNow(this.#context, () => database.torrents.setChoices(row));
    catalogue.setRow(entry, choices);
    if (Object.keys(change).length > 0) await engine.change(row.id, change);
  }

  async #removeFromEngine(entry: TorrentEntry, { deleteFiles }: { deleteFiles: boolean }): Promise<void> {
    const { database, engine, log } = this.#context;
    const { id } = entry.row;
    writeNow(this.#context, () => database.torrents.setRemoval(id, deleteFiles ? "files" : "list"));
    try {
      await engine.remove(id, { deleteFiles });
    } catch (error) {
      if (error instanceof TorrxError && error.code === "not_found") return;
      log.error("torrent not removed", { torrent: id, error: describeError(error) });
      writeNow(this.#context, () => database.torrents.setRemoval(id, null));
      await engine.add({ ...specOf(this.#context, entry), isPaused: true });
      throw error;
    }
  }

  #fileViews(entry: TorrentEntry): FileView[] {
    return this.#context.catalogue.filesOf(entry).map((file) => fileView(entry, file));
  }
}
