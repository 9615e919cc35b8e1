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

export function createPlayback(options: PlaybackOptions) {
  const [isWaiting, setWaiting] = createSignal(true);
  const [problem, setProblem] = createSignal<string | null>(null);
  let waitTimer = 0;
  let retryTimer = 0;
  let retries = 0;
  let atSec = 0;
  let isOver = false;

  const wait = () => {
    clearTimeout(waitTimer);
    waitTimer = window.setTimeout(() => setWaiting(true), WAIT_MS);
  };
  const go = () => {
    clearTimeout(waitTimer);
    setWaiting(false);
  };
  const giveUp = (text: string) => {
    go();
    setProblem(text);
  };
  const again = () => {
    const video = options.video();
    if (video === undefined) return;
    video.src = options.url;
    video.load();
    video.play().catch(go);
  };
  const fail = async () => {
    const video = options.video();
    const wasCut = video?.error?.code === MediaError.MEDIA_ERR_NETWORK;
    const reason: unknown = await api
      .streamInfo(options.torrentId, options.fileIndex)
      .catch((e: unknown) => e);
    if (isOver) return;
    const isAway = reason instanceof ApiError && (reason.code === "offline" || reason.code === "busy");
    if (reason instanceof Error && !isAway) return giveUp(errorText(reason));
    if (!wasCut && !isAway) return giveUp(UNSUPPORTED);
    const pauseMs = RETRY_PAUSES_MS[retries];
    if (pauseMs === undefined) return giveUp("The stream breaks off again and again.");
    retries += 1;
    setWaiting(true);
    retryTimer = window.setTimeout(again, pauseMs);
  };

  onCleanup(() => {
    isOver = true;
    clearTimeout(waitTimer);
    clearTimeout(retryTimer);
    // Ends the download of the stream at once; removing the element alone may leave it running.
    const video = options.video();
    video?.removeAttribute("src");
    video?.load();
  });

  return {
    isWaiting,
    problem,
    on: {
      wait,
      go,
      fail: () => {
        if (!isOver) void fail();
      },
      metadata: () => {
        const video = options.video();
        if (video !== undefined && atSec > 0) video.currentTime = atSec;
      },
      time: () => {
        atSec = options.video()?.currentTime ?? atSec;
        retries = 0;
      },
    },
  };
}
