import { createEffect, createSignal, For, on, onCleanup, Show } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { absolute, api, errorText } from "../../api/client.ts";
import type { Torrent, TorrentFile } from "../../api/types.ts";
import { tryCopy } from "../../lib/clipboard.ts";
import { formatBytes, formatPercent } from "../../lib/format.ts";
import { isPlayable } from "../../lib/main-file.ts";
import type { Playing } from "../../player/Player.tsx";
import styles from "./TorrentFiles.module.css";

const REFRESH_MS = 2_000;

/** The files of one torrent: choose, play, copy the stream link. Refreshes while it is open and something comes. */
export function TorrentFiles(props: {
  torrent: Torrent;
  onPlay: (playing: Playing) => void;
  onRecheck: () => void;
}) {
  const [state, setState] = createStore<{ files: TorrentFile[] }>({ files: [] });
  const [error, setError] = createSignal<string | null>(null);
  const [copied, setCopied] = createSignal<number | null>(null);
  const [shownLink, setShownLink] = createSignal<{ index: number; url: string } | null>(null);

  const show = (files: TorrentFile[]) => {
    setState("files", reconcile(files, { key: "index" }));
    setError(null);
  };
  const fail = (reason: unknown) => setError(errorText(reason));
  const load = () => api.torrent(props.torrent.id).then((detail) => show(detail.files), fail);

  createEffect(
    on([() => props.torrent.total_size, () => props.torrent.status], () => {
      void load();
    }),
  );
  let shownBytes = -1;
  const timer = setInterval(() => {
    if (document.visibilityState === "hidden" || props.torrent.downloaded === shownBytes) return;
    shownBytes = props.torrent.downloaded;
    void load();
  }, REFRESH_MS);
  onCleanup(() => clearInterval(timer));

  const select = async (file: TorrentFile, box: HTMLInputElement) => {
    try {
      show((await api.selectFile(props.torrent.id, file.index, box.checked)).files);
    } catch (reason) {
      fail(reason);
      box.checked = file.is_selected;
    }
  };
  const copy = async (index: number, url: string) => {
    const isCopied = await tryCopy(url);
    setCopied(isCopied ? index : null);
    setShownLink(isCopied ? null : { index, url });
  };
  const isPending = () => props.torrent.total_size === null;

  return (
    <div class={styles.files}>
      <Show when={error()}>
        {(text) => (
          <p class={styles.error} role="alert">
            {text()}
          </p>
        )}
      </Show>
      <Show when={isPending()}>
        <p class={styles.note}>The list of files comes with the torrent's details.</p>
      </Show>
      <ul>
        <For each={state.files}>
          {(file) => (
            <li class={styles.file}>
              <label class={styles.choice}>
                <input
                  type="checkbox"
                  checked={file.is_selected}
                  onChange={(event) => void select(file, event.currentTarget)}
                />
                <span class={styles.path}>{file.path}</span>
              </label>
              <span class={styles.size}>
                {formatBytes(file.size)} · {formatPercent(file.progress)}
              </span>
              <Show when={file.stream_url}>
                {(path) => (
                  <span class={styles.actions}>
                    <Show when={isPlayable(file)}>
                      <button
                        type="button"
                        onClick={() =>
                          props.onPlay({
                            torrentId: props.torrent.id,
                            fileIndex: file.index,
                            title: file.path,
                            url: absolute(path()),
                          })
                        }
                        aria-label={`Play ${file.path}`}
                      >
                        Play
                      </button>
                    </Show>
                    <button type="button" onClick={() => void copy(file.index, absolute(path()))}>
                      {copied() === file.index ? "Copied" : "Copy link"}
                    </button>
                  </span>
                )}
              </Show>
              <Show when={shownLink()?.index === file.index && shownLink()}>
                {(link) => (
                  <label class={styles.shown}>
                    <span>Press Ctrl+C to copy the link (⌘C on a Mac)</span>
                    <input
                      class={styles.link}
                      readonly
                      aria-label="Stream link"
                      value={link().url}
                      ref={(element) => queueMicrotask(() => element.select())}
                    />
                  </label>
                )}
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={!isPending()}>
        <div class={styles.tools}>
          <button
            type="button"
            disabled={props.torrent.status === "checking"}
            title="Reads the files on the disk again"
            onClick={() => props.onRecheck()}
          >
            Recheck
          </button>
        </div>
      </Show>
    </div>
  );
}
