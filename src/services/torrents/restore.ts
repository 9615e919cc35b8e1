// The start: every torrent of the database back into the catalogue, then into the engine. One that cannot be restored
// stays in the list and says why; it never keeps the others from coming back.

import { describeError } from "../../base/errors.ts";
import type { TorrentRow } from "../../db/index.ts";
import type { TorrentSpec } from "../../engine/port.ts";
import { infoHashOf } from "../../metainfo/index.ts";
import type { TorrentEntry } from "./catalogue.ts";
import type { TorrentsContext } from "./context.ts";
import { specOf } from "./spec.ts";

/** Resolves when the engine has them all; the list is complete before the first await. */
export async function restoreTorrents(context: TorrentsContext): Promise<void> {
  const entries: TorrentEntry[] = [];
  const removed: TorrentRow[] = [];
  for (const row of context.database.torrents.all()) {
    if (row.removal === null) entries.push(context.catalogue.add(row));
    else removed.push(row);
  }
  for (const row of removed) await finishRemoval(context, row);
  for (const entry of entries) await restoreOne(context, entry);
}

async function restoreOne(context: TorrentsContext, entry: TorrentEntry): Promise<void> {
  const { engine, live, log, queue } = context;
  const { id } = entry.row;
  await queue.run(id, async () => {
    // It may have been removed while the ones before it were restored.
    if (context.catalogue.get(id) !== entry) return;
    try {
      await engine.add(soundSpec(context, entry));
    } catch (error) {
      log.error("torrent not restored", { torrent: id, error: describeError(error) });
      entry.hold = { code: "internal", message: `It could not be restored: ${describeError(error)}` };
      live.changed(id);
    }
  });
}

/** Metadata that does not give the torrent's hash any more is forgotten: peers have it. */
function soundSpec(context: TorrentsContext, entry: TorrentEntry): TorrentSpec {
  const spec = specOf(context, entry);
  const { row } = entry;
  if (row.layout === null || (spec.infoBytes !== null && infoHashOf(spec.infoBytes) === row.id)) return spec;
  context.log.error("stored metadata is damaged and fetched again", { torrent: row.id });
  context.catalogue.setRow(entry, { layout: null });
  context.database.write(() => context.database.resume.deleteInfoBytes(row.id));
  return { ...spec, infoBytes: null, diskName: null, files: [], resume: null };
}

/** A removal that a crash cut short. */
async function finishRemoval(context: TorrentsContext, row: TorrentRow): Promise<void> {
  const { catalogue, database, engine, log } = context;
  try {
    if (row.removal === "files") {
      const entry = catalogue.add({ ...row, isPaused: true });
      await engine.add(specOf(context, entry));
      await engine.remove(row.id, { deleteFiles: true });
    }
    database.write(() => database.torrents.delete(row.id), { durable: true });
  } catch (error) {
    log.error("removal not finished", { torrent: row.id, error: describeError(error) });
  } finally {
    catalogue.remove(row.id);
  }
}
