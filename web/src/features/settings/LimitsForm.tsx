import { For, Show } from "solid-js";
import { api } from "../../api/client.ts";
import type { Settings } from "../../api/types.ts";
import { createOutcome, OutcomeText } from "./Outcome.tsx";
import styles from "./Settings.module.css";

interface Field {
  readonly key: Exclude<keyof Settings, "download_dir">;
  readonly label: string;
  /** What a change of it does, where the label does not say it all. */
  readonly effect?: string;
  /** What the server counts in one of what is shown. */
  readonly scale: number;
  readonly min: number;
  readonly max: number;
  readonly step: string;
}

const SPEED = { scale: 1_000, min: 0, max: 1_000_000_000, step: "any" };

const MEGABYTES = { scale: 1, min: 16, max: 16_384, step: "1" };

const FIELDS: readonly Field[] = [
  { key: "max_download_speed", label: "Download limit, KB/s (0 = none)", ...SPEED },
  { key: "max_upload_speed", label: "Upload limit, KB/s (0 = none)", ...SPEED },
  {
    key: "max_concurrent_torrents",
    label: "Active torrents at once",
    scale: 1,
    min: 1,
    max: 1_000,
    step: "1",
  },
  {
    key: "seed_ratio_limit",
    label: "Share until this ratio (0 = always)",
    scale: 1,
    min: 0,
    max: 10_000,
    step: "any",
  },
  {
    key: "stream_token_ttl_hours",
    label: "New links work for, hours",
    scale: 1,
    min: 1,
    max: 8_760,
    step: "1",
  },
  {
    key: "ram_buffer_mb",
    label: "Memory for one stream, MB",
    effect: "More lets you jump further back and forth at once, and rides out longer pauses of the swarm.",
    ...MEGABYTES,
  },
  {
    key: "ram_total_mb",
    label: "Memory for all streams together, MB",
    effect: "Streams that do not fit share it equally.",
    ...MEGABYTES,
  },
  {
    key: "buffer_ahead_percent",
    label: "Part of it that is kept ahead of the picture, %",
    effect: "The rest is what you have seen last, for jumping back.",
    scale: 1,
    min: 10,
    max: 95,
    step: "1",
  },
];

export function LimitsForm(props: { settings: Settings }) {
  const outcome = createOutcome();
  let saved = props.settings;
  const shown = (field: Field) => saved[field.key] / field.scale;
  /** Only what was changed, so that a change made elsewhere meanwhile stays. */
  const changesOf = (form: HTMLFormElement) => {
    const changes: Partial<Record<Field["key"], number>> = {};
    for (const field of FIELDS) {
      const value = (form.elements.namedItem(field.key) as HTMLInputElement).valueAsNumber;
      if (value === shown(field)) continue;
      changes[field.key] = field.scale === 1 ? value : Math.round(value * field.scale);
    }
    return changes;
  };
  const save = async (form: HTMLFormElement) => {
    const changes = changesOf(form);
    const isChanged = Object.keys(changes).length > 0;
    await outcome.run(async () => {
      if (isChanged) saved = await api.changeSettings(changes);
    }, "Saved.");
  };

  return (
    <form
      class={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void save(event.currentTarget);
      }}
    >
      <h2 class={styles.heading}>Limits</h2>
      <For each={FIELDS}>
        {(field) => (
          <label class={styles.field}>
            <span>{field.label}</span>
            <Show when={field.effect}>{(effect) => <small class={styles.effect}>{effect()}</small>}</Show>
            <input
              type="number"
              name={field.key}
              required
              min={field.min}
              max={field.max}
              step={field.step}
              value={shown(field)}
            />
          </label>
        )}
      </For>
      <button type="submit" disabled={outcome.isBusy()}>
        Save limits
      </button>
      <OutcomeText of={outcome} />
    </form>
  );
}
