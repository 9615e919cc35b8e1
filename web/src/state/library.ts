// The torrents as the server tells them, newest first. Rows keep their identity across patches, so that the page
// updates figures without re-creating what has focus.

import { createSignal, onCleanup } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { connectLive } from "../api/events.ts";
import type { Torrent } from "../api/types.ts";

export function createLibrary() {
  const [state, setState] = createStore<{ torrents: Torrent[] }>({ torrents: [] });
  const [isLoaded, setLoaded] = createSignal(false);
  const [isConnected, setConnected] = createSignal(true);

  const replace = (torrents: Torrent[]) => {
    const sorted = torrents
      .slice()
      .sort((a, b) => b.added_at.localeCompare(a.added_at) || a.id.localeCompare(b.id));
    setState("torrents", reconcile(sorted, { key: "id" }));
  };
  const stop = connectLive({
    onConnected: setConnected,
    onSnapshot: (torrents) => {
      replace(torrents);
      setLoaded(true);
    },
    onPatch: (changed, removed) => {
      const byId = new Map(state.torrents.map((torrent) => [torrent.id, torrent]));
      for (const torrent of changed) byId.set(torrent.id, torrent);
      for (const id of removed) byId.delete(id);
      replace([...byId.values()]);
    },
  });
  onCleanup(stop);

  return { torrents: () => state.torrents, isLoaded, isConnected };
}

export type Library = ReturnType<typeof createLibrary>;
