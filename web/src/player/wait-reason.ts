import { createEffect, createSignal, onCleanup } from "solid-js";
import { api, errorText, type FilePlace } from "../api/client.ts";
import { waitText } from "../lib/wait-text.ts";

const ASK_MS = 1_000;

/** Why the stream waits, asked of the server once a second as long as `isWaiting`; null where it knows no reason. */
export function createWaitReason(file: FilePlace, isWaiting: () => boolean): () => string | null {
  const [reason, setReason] = createSignal<string | null>(null);
  createEffect(() => {
    if (!isWaiting()) {
      setReason(null);
      return;
    }
    let isOver = false;
    const ask = async () => {
      const text = await api.streamInfo(file).then(
        ({ wait }) => (wait === null ? null : waitText(wait)),
        (error: unknown) => errorText(error),
      );
      if (!isOver) setReason(text);
    };
    const timer = setInterval(() => void ask(), ASK_MS);
    void ask();
    onCleanup(() => {
      isOver = true;
      clearInterval(timer);
    });
  });
  return reason;
}
