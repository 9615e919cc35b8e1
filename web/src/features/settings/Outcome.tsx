import { createSignal, Show } from "solid-js";
import { errorText } from "../../api/client.ts";
import styles from "./Settings.module.css";

/** What came of the last thing that was sent; one at a time. */
export function createOutcome() {
  const [isBusy, setBusy] = createSignal(false);
  const [note, setNote] = createSignal<string | null>(null);
  const [error, setError] = createSignal<string | null>(null);
  const run = async (task: () => Promise<unknown>, done: string): Promise<boolean> => {
    setBusy(true);
    setNote(null);
    setError(null);
    try {
      await task();
      setNote(done);
      return true;
    } catch (reason) {
      setError(errorText(reason));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, note, error, run };
}

export function OutcomeText(props: { of: Pick<ReturnType<typeof createOutcome>, "note" | "error"> }) {
  return (
    <>
      <Show when={props.of.note()}>
        {(text) => (
          <p class={styles.note} role="status">
            {text()}
          </p>
        )}
      </Show>
      <Show when={props.of.error()}>
        {(text) => (
          <p class={styles.error} role="alert">
            {text()}
          </p>
        )}
      </Show>
    </>
  );
}
