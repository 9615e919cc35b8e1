import { createEffect, createSignal, For, on, onCleanup, Show } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { ApiError, api } from "../../api/client.ts";
import type { Torrent, TorrentFile } from "../../api/types.ts";
import { tryCopy } from "../../lib/clipboard.ts";
import { formatBytes, formatPercent } from "../../lib/format.ts";
import type { Playing } from "../../player/Player.tsx";
import styles from "./TorrentFiles.module.css";

const REFRESH_MS = 2_000;

/** The files of one torrent: choose, play, copy the stream link. Refreshes while it is open. */
export function TorrentFiles(props: { torrent: Torrent; onPlay: (playing: Playing) => void }) {
  const [state, setState] = createStore<{ files: TorrentFile[] }>({ files: [] });
  const [message, setMessage] = createSignal<string | null>(null);
  const [shownLink, setShownLink] = createSignal<{ index: number; url: string } | null>(null);

  const show = (files: TorrentFile[]) => setState("files", reconcile(files, { key: "index" }));
  const fail = (error: unknown) => setMessage(error instanceof ApiError ? error.message : String(error));
  const load = () => api.torrent(props.torrent.id).then((detail) => show(detail.files), fail);

  createEffect(
    on(
      () => props.torrent.total_size,
      () => void load(),
    ),
  );
  const timer = setInterval(() => void load(), REFRESH_MS);
  onCleanup(() => clearInterval(timer));

  const select = (file: TorrentFile, isSelected: boolean) =>
    api.selectFile(props.torrent.id, file.index, isSelected).then(load, fail);
  const copy = async (file: TorrentFile) => {
    const url = api.streamUrl(file);
    if (await tryCopy(url)) setMessage("Link copied.");
    else setShownLink({ index: file.index, url });
  };

  return (
    <div class={styles.files}>
      <Show when={message()}>{(text) => <p role="status">{text()}</p>}</Show>
      <Show when={props.torrent.total_size === null}>
        <p>The list of files comes with the torrent's details.</p>
      </Show>
      <ul>
        <For each={state.files}>
          {(file) => (
            <li class={styles.file}>
              <label class={styles.choice}>
                <input
                  type="checkbox"
                  checked={file.is_selected}
                  onChange={(event) => void select(file, event.currentTarget.checked)}
                />
                <span class={styles.path}>{file.path}</span>
              </label>
              <span class={styles.size}>
                {formatBytes(file.size)} · {formatPercent(file.progress)}
              </span>
              <span class={styles.actions}>
                <button
                  type="button"
                  onClick={() => props.onPlay({ title: file.path, url: api.streamUrl(file) })}
                  aria-label={`Play ${file.path}`}
                >
                  Play
                </button>
                <button type="button" onClick={() => void copy(file)}>
                  Copy link
                </button>
              </span>
              <Show when={shownLink()?.index === file.index && shownLink()}>
                {(link) => (
                  <input
                    class={styles.link}
                    readonly
                    aria-label="Stream link"
                    value={link().url}
                    ref={(element) => queueMicrotask(() => element.select())}
                  />
                )}
              </Show>
            </li>
          )}
        </For>
      </ul>
    </div>
  );
}
