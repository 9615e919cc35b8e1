import { createSignal, onCleanup, onMount } from "solid-js";
import styles from "./RemoveDialog.module.css";

/** Asks before removing; focus starts on Cancel, stays inside and returns; deleting the files is never the default. */
export function RemoveDialog(props: {
  name: string;
  onCancel: () => void;
  onRemove: (deleteFiles: boolean) => void;
}) {
  const [deletesFiles, setDeletesFiles] = createSignal(false);
  const opener = document.activeElement;
  let firstField: HTMLInputElement | undefined;
  let cancelButton: HTMLButtonElement | undefined;
  let removeButton: HTMLButtonElement | undefined;
  onMount(() => cancelButton?.focus());
  onCleanup(() => {
    if (opener instanceof HTMLElement) opener.focus();
  });

  const keepInside = (event: KeyboardEvent) => {
    if (event.key === "Escape") props.onCancel();
    if (event.key !== "Tab") return;
    const [from, to] = event.shiftKey ? [firstField, removeButton] : [removeButton, firstField];
    if (document.activeElement !== from) return;
    event.preventDefault();
    to?.focus();
  };

  return (
    <div
      class={styles.backdrop}
      role="dialog"
      aria-modal="true"
      aria-label="Remove torrent"
      onKeyDown={keepInside}
    >
      <div class={styles.box}>
        <p>
          Remove <strong class={styles.name}>{props.name}</strong> from the list?
        </p>
        <label class={styles.choice}>
          <input
            ref={firstField}
            type="checkbox"
            checked={deletesFiles()}
            onChange={(event) => setDeletesFiles(event.currentTarget.checked)}
          />
          Also delete its files from the disk
        </label>
        <div class={styles.actions}>
          <button type="button" ref={cancelButton} onClick={() => props.onCancel()}>
            Cancel
          </button>
          <button
            type="button"
            ref={removeButton}
            class={styles.danger}
            onClick={() => props.onRemove(deletesFiles())}
          >
            {deletesFiles() ? "Remove and delete files" : "Remove"}
          </button>
        </div>
      </div>
    </div>
  );
}
