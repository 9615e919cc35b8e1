// The torrents as the server tells them, newest first. Rows keep their identity across patches, so that the page
// updates figures without re-creating what has focus.

import { createSignal, onCleanup } from "solid-js";
import { createStore, reconcile, unwrap } from "solid-js/store";
import { connectLive } from "../api/events.ts";
import type { Torrent } from "../api/types.ts";
import { inOrder, merged } from "./merge.ts";

export function createLibrary() {
  const [state, setState] = createStore<{ torrents: Torrent[] }>({ torrents: [] });
  const [isLoaded, setLoaded] = createSignal(false);
  const [isConnected, setConnected] = createSignal(true);

  const show = (torrents: Torrent[]) => setState("torrents", reconcile(torrents, { key: "id" }));
  const stop = connectLive({
    onConnected: setConnected,
    onSnapshot: ({ torrents }) => {
      show(inOrder(torrents));
      setLoaded(true);
    },
    onPatch: (patch) => show(merged(unwrap(state.torrents), patch)),
  });
  onCleanup(stop);

  return { torrents: () => state.torrents, isLoaded, isConnected };
}

export type Library = ReturnType<typeof createLibrary>;
