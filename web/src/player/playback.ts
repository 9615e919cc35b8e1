// One video element's life: whether it waits, what went wrong, and coming back after the server or the network was
// away. A browser gives up at the first broken connection; here it begins again at the same place.

import { createSignal, onCleanup } from "solid-js";
import { ApiError, api, errorText } from "../api/client.ts";

/** Shorter waits are not worth a word. */
const WAIT_MS = 700;
const RETRY_PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 8_000];

const UNSUPPORTED = "This browser cannot play this file. Open its stream link in VLC or another player.";

export interface PlaybackOptions {
  readonly torrentId: string;
  readonly fileIndex: number;
  readonly url: string;
  readonly video: () => HTMLVideoElement | undefined;
}

/** "again", or the text of a problem that trying again does not solve. The element itself does not tell the two apart. */
async function verdictOf({ torrentId, fileIndex, video }: PlaybackOptions): Promise<string> {
  const wasCut = video()?.error?.code === MediaError.MEDIA_ERR_NETWORK;
  try {
    await api.streamInfo(torrentId, fileIndex);
  } catch (error) {
    const isAway = error instanceof ApiError && (error.code === "offline" || error.code === "busy");
    return isAway ? "again" : errorText(error);
  }
  return wasCut ? "again" : UNSUPPORTED;
}

function createWaiting() {
  const [isWaiting, setWaiting] = createSignal(true);
  let timer = 0;
  const end = (isNow: boolean) => {
    clearTimeout(timer);
    setWaiting(isNow);
  };
  onCleanup(() => clearTimeout(timer));
  return {
    isWaiting,
    soon: () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => setWaiting(true), WAIT_MS);
    },
    now: () => end(true),
    over: () => end(false),
  };
}

export function createPlayback(options: PlaybackOptions) {
  const waiting = createWaiting();
  const [problem, setProblem] = createSignal<string | null>(null);
  let retryTimer = 0;
  let retries = 0;
  let atSec = 0;
  let isOver = false;

  const giveUp = (text: string) => {
    waiting.over();
    setProblem(text);
  };
  const again = () => {
    const video = options.video();
    if (video === undefined) return;
    video.src = options.url;
    video.load();
    video.play().catch(waiting.over);
  };
  const fail = async () => {
    const verdict = await verdictOf(options);
    if (isOver) return;
    const pauseMs = RETRY_PAUSES_MS[retries];
    if (verdict !== "again") giveUp(verdict);
    else if (pauseMs === undefined) giveUp("The stream breaks off again and again.");
    else {
      retries += 1;
      waiting.now();
      retryTimer = window.setTimeout(again, pauseMs);
    }
  };

  onCleanup(() => {
    isOver = true;
    clearTimeout(retryTimer);
    // Ends the download of the stream at once; removing the element alone may leave it running.
    const video = options.video();
    video?.removeAttribute("src");
    video?.load();
  });

  return {
    isWaiting: waiting.isWaiting,
    problem,
    wait: waiting.soon,
    go: waiting.over,
    fail: () => void fail(),
    restorePlace: () => {
      const video = options.video();
      if (video !== undefined && atSec > 0) video.currentTime = atSec;
    },
    notePlace: () => {
      const video = options.video();
      // Loading anew sets the time back to 0 and tells of it; that is no place of the viewer's.
      if (video === undefined || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
      atSec = video.currentTime;
      retries = 0;
    },
  };
}
