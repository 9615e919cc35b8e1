import { createSignal, For, onCleanup, onMount, Show } from "solid-js";
import { ApiError, api } from "../../api/client.ts";
import { addablesOf } from "../../lib/input.ts";
import styles from "./AddForm.module.css";

const textOf = (error: unknown) => (error instanceof ApiError ? error.message : String(error));

/** Add by pasted magnet, hash or link (several lines at once), by file, or by dropping either anywhere on the page. */
export function AddForm() {
  const [text, setText] = createSignal("");
  const [isBusy, setBusy] = createSignal(false);
  const [errors, setErrors] = createSignal<string[]>([]);
  let fileInput: HTMLInputElement | undefined;

  const run = async (tasks: (() => Promise<unknown>)[]) => {
    setBusy(true);
    const results = await Promise.allSettled(tasks.map((task) => task()));
    setErrors(results.flatMap((result) => (result.status === "rejected" ? [textOf(result.reason)] : [])));
    setBusy(false);
    return results.every((result) => result.status === "fulfilled");
  };
  const addText = async (input: string) => {
    const addables = addablesOf(input);
    if (addables.length === 0) {
      setErrors(["That is no magnet link, info hash or http link."]);
      return;
    }
    const tasks = addables.map((item) =>
      item.kind === "magnet" ? () => api.addMagnet(item.magnet) : () => api.addUrl(item.url),
    );
    if (await run(tasks)) setText("");
  };
  const addFiles = (files: Iterable<File>) => run([...files].map((file) => () => api.addFile(file)));

  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    const dropped = event.dataTransfer?.getData("text/plain") ?? "";
    if (files.length > 0) void addFiles(files);
    else if (dropped !== "") void addText(dropped);
  };
  const onDragOver = (event: DragEvent) => event.preventDefault();
  onMount(() => {
    window.addEventListener("drop", onDrop);
    window.addEventListener("dragover", onDragOver);
  });
  onCleanup(() => {
    window.removeEventListener("drop", onDrop);
    window.removeEventListener("dragover", onDragOver);
  });

  return (
    <form
      class={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void addText(text());
      }}
    >
      <label class={styles.label} for="add-input">
        Magnet link, info hash or link to a .torrent
      </label>
      <div class={styles.line}>
        <textarea
          id="add-input"
          class={styles.input}
          rows="1"
          placeholder="magnet:?xt=urn:btih:…"
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey) {
              event.preventDefault();
              void addText(text());
            }
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
            const files = [...(event.currentTarget.files ?? [])];
            event.currentTarget.value = "";
            void addFiles(files);
          }}
        />
      </div>
      <Show when={errors().length > 0}>
        <div role="alert" class={styles.errors}>
          <For each={errors()}>{(error) => <p>{error}</p>}</For>
        </div>
      </Show>
    </form>
  );
}
