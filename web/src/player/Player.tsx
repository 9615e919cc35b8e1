import { onCleanup, onMount, Show } from "solid-js";
import { Icon } from "../ui/Icon.tsx";
import styles from "./Player.module.css";
import { createPlayback } from "./playback.ts";
import { createWaitReason } from "./wait-reason.ts";

export interface Playing {
  readonly torrentId: string;
  readonly fileIndex: number;
  readonly title: string;
  readonly url: string;
}

/** Plays one file over the whole page with the browser's own controls. */
export function Player(props: { playing: Playing; onClose: () => void }) {
  let video: HTMLVideoElement | undefined;
  let closeButton: HTMLButtonElement | undefined;
  const playback = createPlayback({ ...props.playing, video: () => video });
  const isShownWaiting = () => playback.isWaiting() && playback.problem() === null;
  const reason = createWaitReason(props.playing, isShownWaiting);

  const opener = document.activeElement;
  const pageTitle = document.title;
  onMount(() => {
    document.title = `▶ ${props.playing.title} — TorrX`;
    closeButton?.focus();
  });
  onCleanup(() => {
    document.title = pageTitle;
    // The page is hidden while the player is open, and what is hidden takes no focus.
    if (opener instanceof HTMLElement) requestAnimationFrame(() => opener.focus());
  });

  return (
    <section
      class={styles.player}
      aria-label={`Playing ${props.playing.title}`}
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onClose();
      }}
    >
      <div class={styles.bar}>
        <button type="button" class={styles.back} ref={closeButton} onClick={() => props.onClose()}>
          <Icon name="back" />
          Back
        </button>
        <h2 class={styles.title}>{props.playing.title}</h2>
      </div>
      <div class={styles.stage}>
        {/* biome-ignore lint/a11y/useMediaCaption: subtitles of the torrent are not offered on this page yet */}
        <video
          ref={video}
          class={styles.video}
          src={props.playing.url}
          controls
          autoplay
          playsinline
          onLoadedMetadata={playback.restorePlace}
          onTimeUpdate={playback.notePlace}
          onWaiting={playback.wait}
          onSeeking={playback.wait}
          onPlaying={playback.go}
          onCanPlay={playback.go}
          onError={playback.fail}
        />
        <Show when={isShownWaiting()}>
          <p class={styles.card} role="status">
            {reason() ?? "Loading…"}
          </p>
        </Show>
        <Show when={playback.problem()}>
          {(text) => (
            <p class={styles.card} role="alert">
              {text()}
            </p>
          )}
        </Show>
      </div>
    </section>
  );
}
