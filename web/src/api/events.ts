// The live connection: a snapshot first, then patches of the keys that changed. Reconnects by itself with growing
// pauses; while the tab is hidden it is closed, because browsers allow six connections per host and a video takes
// some of them.

import type { Torrent } from "./types.ts";

export interface Snapshot {
  readonly torrents: readonly Torrent[];
}

export interface Patch {
  /** Whole for a torrent that is new, else `id` and what changed. */
  readonly torrents: readonly (Partial<Torrent> & Pick<Torrent, "id">)[];
  readonly removed: readonly string[];
}

export interface LiveHandlers {
  onSnapshot(snapshot: Snapshot): void;
  onPatch(patch: Patch): void;
  onConnected(isConnected: boolean): void;
}

const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
/** The server pings every 8 s. */
const SILENCE_MS = 25_000;

/** Returns what ends it. */
export function connectLive(handlers: LiveHandlers): () => void {
  let source: EventSource | null = null;
  let failures = 0;
  let retryTimer = 0;
  let silenceTimer = 0;

  const heard = () => {
    window.clearTimeout(silenceTimer);
    silenceTimer = window.setTimeout(lost, SILENCE_MS);
  };
  const close = () => {
    window.clearTimeout(retryTimer);
    window.clearTimeout(silenceTimer);
    source?.close();
    source = null;
  };
  const lost = () => {
    close();
    handlers.onConnected(false);
    const pauseMs = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 15_000;
    failures += 1;
    retryTimer = window.setTimeout(open, pauseMs);
  };
  const open = () => {
    close();
    source = new EventSource(`${location.origin}/api/events`);
    heard();
    source.addEventListener("snapshot", (event) => {
      failures = 0;
      heard();
      handlers.onSnapshot(JSON.parse(event.data) as Snapshot);
      handlers.onConnected(true);
    });
    source.addEventListener("patch", (event) => {
      heard();
      handlers.onPatch(JSON.parse(event.data) as Patch);
    });
    source.addEventListener("ping", heard);
    source.onerror = lost;
  };
  const onVisibility = () => {
    if (document.visibilityState === "hidden") close();
    else if (source === null) open();
  };
  const onOnline = () => {
    if (document.visibilityState !== "hidden") open();
  };

  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("online", onOnline);
  open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    window.removeEventListener("online", onOnline);
    close();
  };
}
