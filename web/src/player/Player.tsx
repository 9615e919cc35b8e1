import { onCleanup, onMount, Show } from "solid-js";
import { api } from "../api/client.ts";
import { Icon } from "../ui/Icon.tsx";
import { Choices, ReasonList } from "./Choices.tsx";
import styles from "./Player.module.css";
import { Playback } from "./playback.ts";
import { createWaitReason } from "./wait-reason.ts";

export interface Playing {
  readonly torrentId: string;
  readonly fileIndex: number;
  readonly title: string;
  /** Absolute, with its token. */
  readonly url: string;
}

/** Plays one file over the whole page with the browser's own controls. */
export function Player(props: { playing: Playing; onClose: () => void }) {
  let video!: HTMLVideoElement;
  let closeButton: HTMLButtonElement | undefined;
  const directUrl = directOf(props.playing.url);
  const playback = new Playback({ file: props.playing, directUrl, video: () => video });
  const { view } = playback;
  const isShownWaiting = () => playback.waiting.isWaiting() && view.problem === null;
  const reason = createWaitReason(props.playing, isShownWaiting);

  const retry = () => {
    // The button goes away with the problem; Escape and Tab need a place to start from.
    closeButton?.focus();
    playback.retry();
  };

  const opener = document.activeElement;
  const pageTitle = document.title;
  onMount(() => {
    document.title = `▶ ${props.playing.title} — TorrX`;
    closeButton?.focus();
    void playback.open();
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
      <Show when={view.problem === null}>
        <Choices playback={playback} />
      </Show>
      <Show when={view.note}>
        {(text) => (
          <p class={styles.note} role="status">
            {text()}
          </p>
        )}
      </Show>
      <div class={styles.stage}>
        {/* biome-ignore lint/a11y/useMediaCaption: the tracks of a film are added when it is known what they are */}
        <video
          ref={video}
          class={styles.video}
          controls
          playsinline
          onTimeUpdate={() => playback.notePlace()}
          onPlay={() => playback.notePaused(false)}
          onPause={() => playback.notePaused(true)}
          onWaiting={() => playback.waiting.soon()}
          onSeeking={() => playback.noteSeek()}
          onPlaying={() => playback.noteGoing()}
          onCanPlay={() => playback.noteGoing()}
          onError={() => void playback.noteFailure()}
        />
        <Show when={isShownWaiting()}>
          <p class={styles.card} role="status">
            {view.busy ?? reason() ?? "Loading…"}
          </p>
        </Show>
        <Show when={view.problem}>
          {(problem) => (
            <div class={styles.problem} role="alert">
              <p>{problem().text}</p>
              <ReasonList reasons={problem().why} />
              <p class={styles.ways}>
                <button type="button" onClick={retry}>
                  Try again
                </button>
                <a href={api.playlistUrl(props.playing.torrentId)} download="">
                  Open in VLC
                </a>
                <a href={directUrl} download="">
                  Direct link
                </a>
              </p>
            </div>
          )}
        </Show>
      </div>
    </section>
  );
}

/** The file's own bytes, whatever the server would send otherwise. */
function directOf(url: string): string {
  const direct = new URL(url);
  direct.searchParams.set("mode", "direct");
  return direct.href;
}
