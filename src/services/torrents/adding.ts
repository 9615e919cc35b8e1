// Adding torrents: by magnet, by file, by link. The row is there when the call returns, whatever the swarm does. The
// same torrent again is no error; what is new in it (trackers, metadata) joins the one that is there.

import type { PeerAddress } from "../../base/address.ts";
import type { InfoHash } from "../../base/brand.ts";
import { LIMITS } from "../../base/limits.ts";
import type { TorrentRow } from "../../db/index.ts";
import { type Metainfo, parseMagnet, parseTorrentFile } from "../../metainfo/index.ts";
import type { Added, AddOptions } from "../ports.ts";
import type { TorrentEntry } from "./catalogue.ts";
import { type TorrentsContext, writeNow } from "./context.ts";
import { type KnownTorrent, layOut, rowWith, storeKnown } from "./layout.ts";
import { requireSpace } from "./space.ts";
import { specOf } from "./spec.ts";
import { mergedTrackers } from "./tracker-merge.ts";
import { torrentView } from "./view.ts";

/** Fetches an http(s) link behind the egress guard. Rejects bad_request, too_large. */
export type FetchTorrentUrl = (url: string, signal: AbortSignal) => Promise<Uint8Array>;

type Tiers = TorrentRow["trackers"];

export class TorrentAdding {
  readonly #context: TorrentsContext;
  readonly #fetchTorrentUrl: FetchTorrentUrl;
  readonly #abort = new AbortController();

  constructor(context: TorrentsContext, fetchTorrentUrl: FetchTorrentUrl) {
    this.#context = context;
    this.#fetchTorrentUrl = fetchTorrentUrl;
  }

  // Async so that what the parser throws is a rejection.
  async addMagnet(text: string, options: AddOptions): Promise<Added> {
    const magnet = parseMagnet(text);
    const { infoHash, trackers } = magnet;
    return await this.#context.queue.run(infoHash, async () => {
      const existing = this.#context.catalogue.get(infoHash);
      if (existing !== undefined) return await this.#join(existing, trackers, magnet.peers);
      const name = magnet.displayName ?? infoHash;
      const row = { ...this.#newRow(infoHash, options), name, trackers, magnetUri: text.trim() };
      return await this.#enter(row, null);
    });
  }

  async addTorrentFile(bytes: Uint8Array, options: AddOptions): Promise<Added> {
    const metainfo = parseTorrentFile(bytes);
    const { infoHash } = metainfo.info;
    return await this.#context.queue.run(infoHash, async () => {
      const existing = this.#context.catalogue.get(infoHash);
      if (existing === undefined) return await this.#addKnown(metainfo, options);
      if (existing.row.layout === null) await this.#complete(existing, metainfo);
      return await this.#join(existing, metainfo.trackers, []);
    });
  }

  async addUrl(url: string, options: AddOptions): Promise<Added> {
    if (/^\s*magnet:/i.test(url)) return await this.addMagnet(url, options);
    return await this.addTorrentFile(await this.#fetchTorrentUrl(url, this.#abort.signal), options);
  }

  /** Ends fetches that run. */
  close(): void {
    this.#abort.abort();
  }

  async #addKnown({ info, trackers }: Metainfo, options: AddOptions): Promise<Added> {
    const fresh = this.#newRow(info.infoHash, options);
    await this.#requireSpace(layOut(this.#context, info, fresh), fresh.savePath);
    // Laid out again: another torrent of this name may have come while the disk was asked.
    const known = layOut(this.#context, info, fresh);
    const status = options.paused ? ("paused" as const) : ("checking" as const);
    return await this.#enter({ ...fresh, name: info.name, trackers, status, layout: known.layout }, known);
  }

  /** Database, catalogue and engine, in this order; a failure of the last undoes the others. */
  async #enter(row: TorrentRow, known: KnownTorrent | null): Promise<Added> {
    const { catalogue, database, engine, live, writes } = this.#context;
    // An earlier removal of this torrent may still wait for the database.
    writes.flush();
    writeNow(this.#context, () => {
      database.torrents.insert(row);
      if (known !== null) storeKnown(this.#context, row, known);
    });
    const entry = catalogue.add(row);
    live.added(torrentView(entry));
    try {
      await engine.add(specOf(this.#context, entry));
    } catch (error) {
      catalogue.remove(row.id);
      live.removed(row.id);
      writes.put(`removal:${row.id}`, () => database.torrents.delete(row.id));
      throw error;
    }
    return { torrent: torrentView(entry), isNew: true };
  }

  /** A .torrent for a magnet that still waits: no peer is needed for the metadata any more. */
  async #complete(entry: TorrentEntry, { info }: Metainfo): Promise<void> {
    const { catalogue, engine, live } = this.#context;
    const { id, savePath } = entry.row;
    await this.#requireSpace(layOut(this.#context, info, entry.row), savePath);
    const known = layOut(this.#context, info, entry.row);
    const row = rowWith(entry, known);
    writeNow(this.#context, () => storeKnown(this.#context, row, known));
    catalogue.setRow(entry, row);
    await engine.remove(id, { deleteFiles: false });
    await engine.add(specOf(this.#context, entry));
    live.changed(id);
  }

  async #join(entry: TorrentEntry, trackers: Tiers, peers: readonly PeerAddress[]): Promise<Added> {
    const { catalogue, database, engine } = this.#context;
    const merged = mergedTrackers(entry.row.trackers, trackers, LIMITS.metainfo.trackers);
    // A private torrent talks to its own trackers only (BEP 27).
    if (merged !== null && entry.row.layout?.isPrivate !== true) {
      const row = { ...entry.row, trackers: merged };
      writeNow(this.#context, () => database.torrents.setChoices(row));
      catalogue.setRow(entry, { trackers: merged });
      await engine.change(row.id, { trackers: merged });
    }
    if (peers.length > 0) await engine.change(entry.row.id, { peers });
    return { torrent: torrentView(entry), isNew: false };
  }

  async #requireSpace({ layout, files }: KnownTorrent, saveDirectory: string): Promise<void> {
    const shape = { name: layout.torrentName, isMultiFile: layout.isMultiFile };
    const place = { saveDirectory, diskName: layout.diskName };
    await requireSpace(this.#context.volume, { shape, place, files });
  }

  #newRow(id: InfoHash, { paused }: AddOptions): TorrentRow {
    return {
      id,
      name: id,
      isRenamed: false,
      magnetUri: null,
      trackers: [],
      savePath: this.#context.settings.get().downloadDir,
      layout: null,
      status: paused ? "paused" : "metadata",
      fault: null,
      faultDetail: null,
      isPaused: paused,
      priority: "normal",
      download: "all",
      maxDownloadSpeed: 0,
      maxUploadSpeed: 0,
      progress: 0,
      downloaded: 0,
      uploaded: 0,
      addedAtMs: this.#context.clock.wallMs(),
      completedAtMs: null,
      removal: null,
    };
  }
}
