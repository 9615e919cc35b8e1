// The server's side of playing: how it sends the film to this browser, and that it learns where the viewer is and when
// he has gone.

import { ApiError, api, type FilePlace } from "../api/client.ts";
import type { PlaySession, SessionWish } from "../api/types.ts";

const PING_MS = 10_000;
const RETRY_SEC = 2;

/** Asks until the server has room and an answer. Rejects any other refusal, and when `signal` ends it. */
export async function openSession(
  file: FilePlace,
  wish: SessionWish,
  { signal, onBusy }: { readonly signal: AbortSignal; readonly onBusy: (text: string) => void },
): Promise<PlaySession> {
  for (;;) {
    try {
      return await api.openSession(file, wish, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (!(error instanceof ApiError) || (error.code !== "busy" && error.code !== "offline")) throw error;
      onBusy(error.message);
      await pause(error.retryAfterSec ?? RETRY_SEC, signal);
    }
  }
}

/** Keeps a session until what it returns is called, or the page is left. */
export function keepSession(
  { torrentId, fileIndex }: FilePlace,
  session: string,
  positionSec: () => number,
): () => void {
  const path = `/api/stream/${torrentId}/${fileIndex}/session/${session}`;
  const ping = () =>
    api.pingSession(path, positionSec()).catch((error: unknown) => {
      // One that is lost otherwise is made up for by the next.
      if (error instanceof ApiError && error.code === "not_found") clearInterval(timer);
    });
  const timer = setInterval(() => void ping(), PING_MS);
  const end = () => {
    clearInterval(timer);
    window.removeEventListener("pagehide", end);
    api.endSession(path);
  };
  window.addEventListener("pagehide", end);
  return end;
}

function pause(sec: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, sec * 1_000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("the player was left", "AbortError"));
    });
  });
}
