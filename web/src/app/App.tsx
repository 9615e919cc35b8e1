import { createSignal, For, onCleanup, onMount, Show } from "solid-js";
import { AddForm } from "../features/add/AddForm.tsx";
import { TorrentRow } from "../features/dashboard/TorrentRow.tsx";
import { Settings } from "../features/settings/Settings.tsx";
import { Streams } from "../features/streams/Streams.tsx";
import { formatSpeed } from "../lib/format.ts";
import { Player, type Playing } from "../player/Player.tsx";
import { createLibrary } from "../state/library.ts";
import styles from "./App.module.css";

export function App() {
  const library = createLibrary();
  const [playing, setPlaying] = createSignal<Playing | null>(null);
  const [hasSettings, setSettings] = createSignal(false);
  const total = (of: "download_speed" | "upload_speed") =>
    library.torrents().reduce((sum, torrent) => sum + torrent[of], 0);

  // Back closes the player: it is the one key that every television has.
  const play = (next: Playing) => {
    history.pushState({ isPlaying: true }, "");
    setPlaying(next);
  };
  const onBack = () => setPlaying(null);
  onMount(() => window.addEventListener("popstate", onBack));
  onCleanup(() => window.removeEventListener("popstate", onBack));

  return (
    <>
      <div classList={{ [styles.covered ?? ""]: playing() !== null }}>
        <header class={styles.header}>
          <h1 class={styles.title}>TorrX</h1>
          <button
            type="button"
            class={styles.settings}
            aria-expanded={hasSettings()}
            onClick={() => setSettings(!hasSettings())}
          >
            Settings
          </button>
          <p class={styles.speeds} classList={{ [styles.stale ?? ""]: !library.isConnected() }}>
            <span title="Download">↓ {formatSpeed(total("download_speed"))}</span>
            <span title="Upload">↑ {formatSpeed(total("upload_speed"))}</span>
          </p>
        </header>
        <Show when={!library.isConnected()}>
          <p class={styles.offline} role="status">
            The server does not answer. Trying again…
          </p>
        </Show>
        <main class={styles.main}>
          <Show when={hasSettings()}>
            <Settings />
          </Show>
          <AddForm onAdded={library.put} />
          <Streams torrents={library.torrents()} />
          <Show when={library.isLoaded()} fallback={<p class={styles.empty}>Loading…</p>}>
            <ul classList={{ [styles.stale ?? ""]: !library.isConnected() }} aria-label="Torrents">
              <For
                each={library.torrents()}
                fallback={
                  <li class={styles.empty}>
                    Nothing here yet. Paste a magnet link above, or drop a .torrent file.
                  </li>
                }
              >
                {(torrent) => <TorrentRow torrent={torrent} library={library} onPlay={play} />}
              </For>
            </ul>
          </Show>
        </main>
      </div>
      <Show when={playing()} keyed>
        {(current) => <Player playing={current} onClose={() => history.back()} />}
      </Show>
    </>
  );
}
