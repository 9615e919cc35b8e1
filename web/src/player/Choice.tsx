import { For } from "solid-js";
import styles from "./Player.module.css";

export interface Option {
  readonly value: string;
  readonly text: string;
  readonly isDisabled?: boolean;
}

/** One list of the player: a word of what is chosen, and the browser's own list. */
export function Choice(props: {
  label: string;
  options: readonly Option[];
  value: string;
  onChoose: (value: string) => void;
}) {
  return (
    <label class={styles.choice}>
      <span>{props.label}</span>
      <select class={styles.select} onChange={(event) => props.onChoose(event.currentTarget.value)}>
        <For each={props.options}>
          {(option) => (
            <option
              value={option.value}
              disabled={option.isDisabled === true}
              selected={option.value === props.value}
            >
              {option.text}
            </option>
          )}
        </For>
      </select>
    </label>
  );
}
