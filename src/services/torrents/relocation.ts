// A torrent that finds other data in its place at its first start moves on to the next free name: " (2)", " (3)" …
// Only where it has no record yet, so that nothing of it was ever found or written there, and where it is files that
// are in the way, not something that another name would meet as well; else the fault stands.

import type { InfoHash } from "../../base/brand.ts";
import { describeError } from "../../base/errors.ts";
import type { TorrentStats } from "../../engine/port.ts";
import type { TorrentEntry } from "./catalogue.ts";
import { type TorrentsContext, writeNow } from "./context.ts";
import { nextDiskName } from "./disk-name.ts";
import { presentBytes } from "./space.ts";
import { specOf } from "./spec.ts";

export class Relocation {
  readonly #context: TorrentsContext;
  /** Torrents whose fault of now was looked at, or is to be. */
  readonly #seen = new Set<InfoHash>();

  constructor(context: TorrentsContext) {
    this.#context = context;
  }

  /** What the engine tells of a torrent; never throws. */
  onStats({ id, fault }: TorrentStats): void {
    if (fault !== "data_conflict") this.#seen.delete(id);
    else if (!this.#seen.has(id)) {
      this.#seen.add(id);
      this.#inTurn(id);
    }
  }

  forget(id: InfoHash): void {
    this.#seen.delete(id);
  }

  #inTurn(id: InfoHash): void {
    const { catalogue, live, log, queue } = this.#context;
    const task = async () => {
      const entry = catalogue.get(id);
      if (entry !== undefined) await this.#move(entry);
    };
    queue.run(id, task).catch((error: unknown) => {
      const message = describeError(error);
      log.error("torrent not moved on to another name", { torrent: id, error: message });
      const entry = catalogue.get(id);
      if (entry === undefined || entry.stats?.fault === "data_conflict") return;
      entry.hold = { code: "internal", message };
      live.changed(id);
    });
  }

  async #move(entry: TorrentEntry): Promise<void> {
    const { catalogue, database, engine, live, log } = this.#context;
    const { id } = entry.row;
    // A command before this one may have mended it.
    if ((await engine.stats(id)).fault !== "data_conflict" || !this.#isUnrecorded(entry)) return;
    if (!(await this.#isOccupied(entry))) return;
    const from = entry.row.layout;
    const diskName = from === null ? null : nextDiskName(catalogue, entry.row);
    if (from === null || diskName === null) return;
    const layout = { ...from, diskName };
    writeNow(this.#context, () => database.torrents.setLayout(id, layout));
    catalogue.setRow(entry, { layout });
    log.info("other data lies in a torrent's place; it takes another name", { torrent: id, diskName });
    entry.stats = null;
    await engine.remove(id, { deleteFiles: false });
    await engine.add(specOf(this.#context, entry));
    this.#seen.delete(id);
    live.changed(id);
  }

  async #isOccupied({ row }: TorrentEntry): Promise<boolean> {
    const { database, volume } = this.#context;
    if (row.layout === null) return false;
    const { torrentName: name, isMultiFile, diskName } = row.layout;
    const spot = { shape: { name, isMultiFile }, place: { saveDirectory: row.savePath, diskName } };
    return (await presentBytes(volume, spot, database.files.of(row.id))) > 0;
  }

  /** What waits to be written may be the record, or the metadata that it is added again with. */
  #isUnrecorded(entry: TorrentEntry): boolean {
    const { database, writes } = this.#context;
    return writes.flush() && entry.unsavedFiles === null && database.resume.get(entry.row.id) === null;
  }
}
