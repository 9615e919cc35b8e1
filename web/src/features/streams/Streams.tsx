import { createSignal, For, onCleanup, Show } from "solid-js";
import { api } from "../../api/client.ts";
import type { Status, Stream, Torrent } from "../../api/types.ts";
import { bufferText, memoryText } from "../../lib/buffer-text.ts";
import styles from "./Streams.module.css";

const PERIOD_MS = 3_000;

/** What is being watched, and the memory that it takes; nothing while nobody watches. */
export function Streams(props: { torrents: readonly Torrent[] }) {
  const [status, setStatus] = createSignal<Status | null>(null);
  const ask = () => {
    if (document.hidden) return;
    // A server that is away is told of elsewhere on the page.
    api.status().then(setStatus, () => setStatus(null));
  };
  ask();
  const timer = setInterval(ask, PERIOD_MS);
  onCleanup(() => clearInterval(timer));
  const watched = () => {
    const now = status();
    return now !== null && now.streams.length > 0 ? now : null;
  };
  const nameOf = (stream: Stream) =>
    props.torrents.find((torrent) => torrent.id === stream.torrent_id)?.name ?? stream.torrent_id;

  return (
    <Show when={watched()}>
      {(now) => (
        <section class={styles.panel} aria-label="Streams">
          <p class={styles.memory}>{memoryText(now().ram)}</p>
          <ul aria-label="Being watched">
            <For each={now().streams}>
              {(stream) => (
                <li class={styles.stream}>
                  <span class={styles.name}>{nameOf(stream)}</span>
                  <span>{stream.client_ip}</span>
                  <Show when={bufferText(stream.window)}>{(text) => <span>{text()}</span>}</Show>
                </li>
              )}
            </For>
          </ul>
        </section>
      )}
    </Show>
  );
}
