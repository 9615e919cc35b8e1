import type { Patch } from "../api/events.ts";
import type { Torrent } from "../api/types.ts";

/** Newest first; the id settles ties, so that rows keep their places. */
export function inOrder(torrents: readonly Torrent[]): Torrent[] {
  return torrents.slice().sort((a, b) => b.added_at.localeCompare(a.added_at) || a.id.localeCompare(b.id));
}

/** A change may still be on its way when the removal of its torrent was answered; there is nothing left to change. */
function isWhole(torrent: Partial<Torrent>): torrent is Torrent {
  return torrent.added_at !== undefined;
}

/** The list after a patch; what is given stays as it is. */
export function merged(torrents: readonly Torrent[], patch: Patch): Torrent[] {
  const byId = new Map<string, Torrent>(torrents.map((torrent) => [torrent.id, torrent]));
  for (const changes of patch.torrents) {
    const after = { ...byId.get(changes.id), ...changes };
    if (isWhole(after)) byId.set(changes.id, after);
  }
  for (const id of patch.removed) byId.delete(id);
  return inOrder([...byId.values()]);
}
