// The metadata of a magnet arrives from peers. It is stored and the torrent told to go on in the same turn; only where
// the disk has no room for it the torrent is held, and looked at again until it has.

import type { InfoHash } from "../../base/brand.ts";
import type { Timer } from "../../base/clock.ts";
import { describeError, TorrxError } from "../../base/errors.ts";
import { parseInfoDict, type TorrentInfo } from "../../metainfo/index.ts";
import type { TorrentEntry } from "./catalogue.ts";
import type { TorrentsContext } from "./context.ts";
import { fileChoicesOf } from "./file-choice.ts";
import { type KnownTorrent, layOut, rowWith, storeKnown } from "./layout.ts";
import { requireSpace } from "./space.ts";

const RETRY_MS = 10_000;

export class MetadataIntake {
  readonly #context: TorrentsContext;
  /** Torrents whose metadata is known here and which the engine has not been told to start. */
  readonly #held = new Set<InfoHash>();
  #retry: Timer | null = null;

  constructor(context: TorrentsContext) {
    this.#context = context;
  }

  /** An event of the engine; never throws. */
  onMetadata(id: InfoHash, infoBytes: Uint8Array): void {
    this.#inTurn(id, () => this.#take(id, infoBytes));
  }

  /** Tries a held torrent again; no-op for any other. To be called from within the torrent's queue. */
  async retry(entry: TorrentEntry): Promise<void> {
    if (this.#held.has(entry.row.id)) await this.#confirm(entry);
  }

  close(): void {
    this.#retry?.cancel();
    this.#retry = null;
    this.#held.clear();
  }

  /** Files are shown in the turn in which the engine learns of them: who sees a file can play it. */
  async #take(id: InfoHash, infoBytes: Uint8Array): Promise<void> {
    const { catalogue } = this.#context;
    const entry = catalogue.get(id);
    if (entry === undefined) return;
    if (entry.row.layout !== null) {
      await this.#confirm(entry);
      return;
    }
    const info = parseInfoDict(infoBytes);
    if (info.infoHash !== id) throw new TorrxError("internal", "metadata of another torrent");
    const { layout, files } = layOut(this.#context, info, entry.row);
    const shortage = await this.#shortageOf(entry.row.savePath, layout, files);
    this.#enter(entry, info);
    await this.#settle(entry, shortage);
  }

  #enter(entry: TorrentEntry, info: TorrentInfo): void {
    const { catalogue, live, writes } = this.#context;
    const { id } = entry.row;
    const known = layOut(this.#context, info, entry.row);
    catalogue.setRow(entry, rowWith(entry, known));
    entry.unsavedFiles = known.files;
    entry.fileStarts = info.files.map((file) => file.offsetBytes);
    const store = () => {
      storeKnown(this.#context, entry.row, { ...known, files: catalogue.filesOf(entry) });
    };
    const onDone = () => {
      entry.unsavedFiles = null;
    };
    writes.put(`metadata:${id}`, store, { durable: true, onDone });
    live.changed(id);
  }

  async #confirm(entry: TorrentEntry): Promise<void> {
    const { layout, savePath } = entry.row;
    if (layout === null) return;
    await this.#settle(
      entry,
      await this.#shortageOf(savePath, layout, this.#context.catalogue.filesOf(entry)),
    );
  }

  /** What is to be said where it does not fit on the disk, else null. */
  async #shortageOf(
    saveDirectory: string,
    layout: KnownTorrent["layout"],
    files: KnownTorrent["files"],
  ): Promise<string | null> {
    const place = { saveDirectory, diskName: layout.diskName };
    const shape = { name: layout.torrentName, isMultiFile: layout.isMultiFile };
    try {
      await requireSpace(this.#context.volume, { shape, place, files });
      return null;
    } catch (error) {
      if (!(error instanceof TorrxError) || error.code !== "disk_full") throw error;
      return error.message;
    }
  }

  async #settle(entry: TorrentEntry, shortage: string | null): Promise<void> {
    const { catalogue, engine, live } = this.#context;
    const { id, layout } = entry.row;
    if (layout === null) return;
    if (shortage !== null) {
      this.#hold(entry, shortage);
      return;
    }
    this.#held.delete(id);
    entry.hold = null;
    const files = fileChoicesOf(catalogue.filesOf(entry));
    await engine.confirmMetadata(id, { diskName: layout.diskName, files });
    live.changed(id);
  }

  #hold(entry: TorrentEntry, message: string): void {
    this.#held.add(entry.row.id);
    entry.hold = { code: "disk_full", message };
    this.#context.live.changed(entry.row.id);
    this.#retry ??= this.#context.clock.after(RETRY_MS, () => this.#retryAll());
  }

  #retryAll(): void {
    this.#retry = null;
    const { catalogue } = this.#context;
    for (const id of [...this.#held]) {
      const entry = catalogue.get(id);
      if (entry === undefined) this.#held.delete(id);
      else this.#inTurn(id, () => this.retry(entry));
    }
  }

  /** Nobody waits for the outcome, so a failure becomes the torrent's state. */
  #inTurn(id: InfoHash, task: () => Promise<void>): void {
    const { catalogue, live, log, queue } = this.#context;
    queue.run(id, task).catch((error: unknown) => {
      const message = describeError(error);
      log.error("metadata not taken", { torrent: id, error: message });
      const entry = catalogue.get(id);
      if (entry === undefined) return;
      const isInvalid = error instanceof TorrxError && error.code === "invalid_torrent";
      entry.hold = { code: isInvalid ? "metadata_invalid" : "internal", message };
      live.changed(id);
    });
  }
}
