import { createSignal, onMount } from "solid-js";
import styles from "./RemoveDialog.module.css";

/** Asks before removing; focus starts on Cancel, and deleting the files is never the default. */
export function RemoveDialog(props: {
  name: string;
  onCancel: () => void;
  onRemove: (deleteFiles: boolean) => void;
}) {
  const [deletesFiles, setDeletesFiles] = createSignal(false);
  let cancelButton: HTMLButtonElement | undefined;
  onMount(() => cancelButton?.focus());

  return (
    <div
      class={styles.backdrop}
      role="dialog"
      aria-modal="true"
      aria-label="Remove torrent"
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onCancel();
      }}
    >
      <div class={styles.box}>
        <p>
          Remove <strong>{props.name}</strong> from the list?
        </p>
        <label>
          <input
            type="checkbox"
            checked={deletesFiles()}
            onChange={(event) => setDeletesFiles(event.currentTarget.checked)}
          />{" "}
          Also delete its files from the disk
        </label>
        <div class={styles.actions}>
          <button type="button" ref={cancelButton} onClick={() => props.onCancel()}>
            Cancel
          </button>
          <button type="button" class={styles.danger} onClick={() => props.onRemove(deletesFiles())}>
            Remove
          </button>
        </div>
      </div>
    </div>
  );
}
