import { For, Show } from "solid-js";
import type { Quality } from "../api/types.ts";
import { audioText, qualityText, reasonTexts, subtitleText } from "../lib/track-text.ts";
import { Choice, type Option } from "./Choice.tsx";
import styles from "./Player.module.css";
import type { Playback } from "./playback.ts";
import type { View } from "./view.ts";

const OFF = "off";
const MODES = {
  direct: "Played as it is",
  remux: "Repackaged for this browser",
  transcode: "Converted for this browser",
} as const;

/** What of the film can be chosen, only where there is a choice; and why it is not sent as it is. */
export function Choices(props: { playback: Playback }) {
  const view = () => props.playback.view;
  const qualities = () => view().session?.qualities ?? [];
  const reasons = () => reasonTexts(view().session?.reasons ?? [], view().tracks);
  return (
    <div class={styles.choices}>
      <Show when={view().audio.length > 1}>
        <Choice
          label="Audio"
          options={audioOptions(view())}
          value={String(view().chosen.audio)}
          onChoose={(value) => props.playback.chooseAudio(Number(value))}
        />
      </Show>
      <Show when={subtitleOptions(view()).length > 1}>
        <Choice
          label="Subtitles"
          options={subtitleOptions(view())}
          value={String(view().chosen.subtitles ?? OFF)}
          onChoose={(value) => props.playback.chooseSubtitles(value === OFF ? null : Number(value))}
        />
      </Show>
      <Show when={qualities().length > 1}>
        <Choice
          label="Quality"
          options={qualities().map((value) => ({
            value,
            text: qualityText(value, view().tracks?.video ?? null),
          }))}
          value={view().chosen.quality}
          onChoose={(value) => props.playback.chooseQuality(value as Quality)}
        />
      </Show>
      <Show when={reasons().length > 0 && view().session}>
        {(session) => (
          <details class={styles.about}>
            <summary>{MODES[session().mode]}</summary>
            <ReasonList reasons={reasons()} />
          </details>
        )}
      </Show>
    </div>
  );
}

export function ReasonList(props: { reasons: readonly string[] }) {
  return (
    <ul class={styles.reasons}>
      <For each={props.reasons}>{(reason) => <li>{reason}</li>}</For>
    </ul>
  );
}

function audioOptions({ audio, tracks }: View): Option[] {
  return audio.map((index) => {
    const track = tracks?.audio.find((one) => one.index === index);
    return { value: String(index), text: track === undefined ? `Track ${index + 1}` : audioText(track) };
  });
}

/** Those that are none for a browser are told of as well. */
function subtitleOptions({ subtitles, tracks }: View): Option[] {
  const known = tracks?.subtitles.filter(({ index, available }) => !available || subtitles.includes(index));
  const options = known?.map((track) => ({
    value: String(track.index),
    text: subtitleText(track),
    isDisabled: !track.available,
  }));
  return [{ value: OFF, text: "Off" }, ...(options ?? [])];
}
