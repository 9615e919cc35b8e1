// The live connection: a snapshot first, then patches. Reconnects by itself with growing pauses; while the tab is
// hidden it is closed, because browsers allow six connections per host and a video takes some of them.

import type { Torrent } from "./types.ts";

export interface LiveHandlers {
  onSnapshot(torrents: Torrent[]): void;
  onPatch(changed: Torrent[], removed: string[]): void;
  onConnected(isConnected: boolean): void;
}

const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
/** The server pings every 8 s. */
const SILENCE_MS = 25_000;

export function connectLive(handlers: LiveHandlers): () => void {
  let source: EventSource | null = null;
  let failures = 0;
  let retryTimer = 0;
  let silenceTimer = 0;

  const heard = () => {
    clearTimeout(silenceTimer);
    silenceTimer = window.setTimeout(lost, SILENCE_MS);
  };
  const close = () => {
    clearTimeout(retryTimer);
    clearTimeout(silenceTimer);
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
    source.addEventListener("snapshot", (event) => {
      failures = 0;
      heard();
      handlers.onConnected(true);
      handlers.onSnapshot((JSON.parse(event.data) as { torrents: Torrent[] }).torrents);
    });
    source.addEventListener("patch", (event) => {
      heard();
      const patch = JSON.parse(event.data) as { changed: Torrent[]; removed: string[] };
      handlers.onPatch(patch.changed, patch.removed);
    });
    source.addEventListener("ping", heard);
    source.onerror = lost;
  };
  const onVisibility = () => {
    if (document.visibilityState === "hidden") close();
    else if (source === null) open();
  };

  document.addEventListener("visibilitychange", onVisibility);
  open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    close();
  };
}
