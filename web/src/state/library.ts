// The torrents as the server tells them, newest first. Rows keep their identity across patches, so that the page
// updates figures without re-creating what has focus.

import { createSignal, onCleanup } from "solid-js";
import { createStore, reconcile, unwrap } from "solid-js/store";
import { connectLive, type Patch } from "../api/events.ts";
import type { Torrent } from "../api/types.ts";
import { inOrder, merged } from "./merge.ts";

export function createLibrary() {
  const [state, setState] = createStore<{ torrents: Torrent[] }>({ torrents: [] });
  const [isLoaded, setLoaded] = createSignal(false);
  const [isConnected, setConnected] = createSignal(true);

  const show = (torrents: Torrent[]) => setState("torrents", reconcile(torrents, { key: "id" }));
  const apply = (patch: Patch) => show(merged(unwrap(state.torrents), patch));
  const stop = connectLive({
    onConnected: setConnected,
    onSnapshot: ({ torrents }) => {
      show(inOrder(torrents));
      setLoaded(true);
    },
    onPatch: apply,
  });
  onCleanup(stop);

  return {
    torrents: () => state.torrents,
    isLoaded,
    isConnected,
    /** What the server answered to a command; the live connection tells it too, up to a second later. */
    put: (torrent: Torrent) => apply({ torrents: [torrent], removed: [] }),
    drop: (id: string) => apply({ torrents: [], removed: [id] }),
  };
}

export type Library = ReturnType<typeof createLibrary>;
