import { createSignal, onCleanup } from "solid-js";

/** Shorter waits are not worth a word. */
const WAIT_MS = 700;

/** Whether the viewer waits; from the beginning on. */
export function createWaiting() {
  const [isWaiting, setWaiting] = createSignal(true);
  let timer = 0;
  const end = (isNow: boolean) => {
    clearTimeout(timer);
    setWaiting(isNow);
  };
  onCleanup(() => clearTimeout(timer));
  return {
    isWaiting,
    soon: () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => setWaiting(true), WAIT_MS);
    },
    now: () => end(true),
    over: () => end(false),
  };
}
