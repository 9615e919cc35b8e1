import { createSignal, For, Show } from "solid-js";
import type { Torrent } from "../../api/types.ts";
import { linesOf } from "../../lib/input.ts";
import styles from "./AddForm.module.css";
import { addFiles, addLines, type Outcome } from "./adding.ts";
import { catchDropAndPaste } from "./drop-and-paste.ts";

const MAX_ROWS = 6;
const NOTHING: Outcome = { notes: [], errors: [], failed: [] };

/** Add by magnet, hash or link (several lines at once), by file, or by dropping or pasting anywhere on the page. */
export function AddForm(props: { onAdded: (torrent: Torrent) => void }) {
  const [text, setText] = createSignal("");
  const [isBusy, setBusy] = createSignal(false);
  const [outcome, setOutcome] = createSignal(NOTHING);
  let fileInput: HTMLInputElement | undefined;

  const run = async (task: Promise<Outcome>) => {
    setBusy(true);
    const result = await task;
    setOutcome(result);
    setBusy(false);
    return result;
  };
  const addText = async (input: string) => {
    const lines = linesOf(input);
    const { failed } = await run(addLines(lines, props.onAdded));
    // What failed stays, to be put right.
    setText(failed.map((index) => lines[index]?.text ?? "").join("\n"));
  };
  const submit = () => {
    if (!isBusy() && text().trim() !== "") void addText(text());
  };
  const isDragging = catchDropAndPaste({
    onFiles: (files) => void run(addFiles(files, props.onAdded)),
    onText: (dropped) => void addText(dropped),
  });

  return (
    <form
      class={styles.form}
      classList={{ [styles.target ?? ""]: isDragging() }}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label class={styles.label} for="add-input">
        {isDragging() ? "Drop it to add it" : "Magnet link, info hash or link to a .torrent"}
      </label>
      <div class={styles.line}>
        <textarea
          id="add-input"
          class={styles.input}
          rows={Math.min(MAX_ROWS, text().split("\n").length)}
          placeholder="magnet:?xt=urn:btih:…"
          autocomplete="off"
          spellcheck={false}
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            submit();
          }}
        />
        <button type="submit" disabled={isBusy()}>
          Add
        </button>
        <button type="button" class={styles.secondary} disabled={isBusy()} onClick={() => fileInput?.click()}>
          File…
        </button>
        <input
          ref={fileInput}
          id="add-file"
          type="file"
          accept=".torrent,application/x-bittorrent"
          multiple
          hidden
          aria-label="Torrent files"
          onChange={(event) => {
            const files = Array.from(event.currentTarget.files ?? []);
            event.currentTarget.value = "";
            void run(addFiles(files, props.onAdded));
          }}
        />
      </div>
      <Show when={outcome().errors.length > 0}>
        <div role="alert" class={styles.errors}>
          <For each={outcome().errors}>{(error) => <p>{error}</p>}</For>
        </div>
      </Show>
      <Show when={outcome().notes.length > 0}>
        <div role="status" class={styles.notes}>
          <For each={outcome().notes}>{(note) => <p>{note}</p>}</For>
        </div>
      </Show>
    </form>
  );
}
