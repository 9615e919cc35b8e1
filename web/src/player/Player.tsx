import { createSignal, onCleanup, onMount, Show } from "solid-js";
import styles from "./Player.module.css";

export interface Playing {
  readonly title: string;
  readonly url: string;
}

const WAIT_MS = 700;

/** Plays one file over the whole page with the browser's own controls. */
export function Player(props: { playing: Playing; onClose: () => void }) {
  const [isWaiting, setWaiting] = createSignal(true);
  const [problem, setProblem] = createSignal<string | null>(null);
  let video: HTMLVideoElement | undefined;
  let closeButton: HTMLButtonElement | undefined;
  let timer = 0;

  const wait = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => setWaiting(true), WAIT_MS);
  };
  const go = () => {
    clearTimeout(timer);
    setWaiting(false);
  };
  const fail = () => {
    go();
    const isUnsupported = video?.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED;
    setProblem(
      isUnsupported
        ? "This browser cannot play this file. Open the stream link in VLC or another player."
        : "Playback stopped. Close and press Play again.",
    );
  };
  onMount(() => closeButton?.focus());
  onCleanup(() => {
    clearTimeout(timer);
    // Ends the download of the stream at once; removing the element alone may leave it running.
    video?.removeAttribute("src");
    video?.load();
  });

  return (
    <section class={styles.player} aria-label={`Playing ${props.playing.title}`}>
      <div class={styles.bar}>
        <button type="button" ref={closeButton} onClick={() => props.onClose()}>
          ‹ Back
        </button>
        <h2 class={styles.title}>{props.playing.title}</h2>
      </div>
      {/* biome-ignore lint/a11y/useMediaCaption: subtitles of the torrent are not offered on this page yet */}
      <video
        ref={video}
        class={styles.video}
        src={props.playing.url}
        controls
        autoplay
        playsinline
        onWaiting={wait}
        onStalled={wait}
        onPlaying={go}
        onCanPlay={go}
        onError={fail}
      />
      <Show when={isWaiting() && problem() === null}>
        <p class={styles.card} role="status">
          Loading…
        </p>
      </Show>
      <Show when={problem()}>
        {(text) => (
          <p class={styles.card} role="alert">
            {text()}
          </p>
        )}
      </Show>
    </section>
  );
}
