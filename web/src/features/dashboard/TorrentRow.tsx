import { createSignal, Show } from "solid-js";
import { ApiError, api } from "../../api/client.ts";
import type { Torrent, TorrentDetail, TorrentFile } from "../../api/types.ts";
import { formatBytes, formatEta, formatPercent, formatSpeed } from "../../lib/format.ts";
import { statusText } from "../../lib/wait-text.ts";
import type { Playing } from "../../player/Player.tsx";
import { RemoveDialog } from "../torrent/RemoveDialog.tsx";
import { TorrentFiles } from "../torrent/TorrentFiles.tsx";
import styles from "./TorrentRow.module.css";

/** The largest video, else the largest file. */
function mainFileOf(detail: TorrentDetail): TorrentFile | undefined {
  const bySize = (a: TorrentFile, b: TorrentFile) => b.size - a.size;
  const videos = detail.files.filter((file) => file.is_video).sort(bySize);
  return videos[0] ?? detail.files.slice().sort(bySize)[0];
}

export function TorrentRow(props: { torrent: Torrent; onPlay: (playing: Playing) => void }) {
  const [isOpen, setOpen] = createSignal(false);
  const [isRemoving, setRemoving] = createSignal(false);
  const [error, setError] = createSignal<string | null>(null);
  const isStopped = () => props.torrent.status === "paused" || props.torrent.status === "completed";

  const attempt = async (task: () => Promise<unknown>) => {
    setError(null);
    await task().catch((reason: unknown) =>
      setError(reason instanceof ApiError ? reason.message : String(reason)),
    );
  };
  const playMain = () =>
    attempt(async () => {
      const file = mainFileOf(await api.torrent(props.torrent.id));
      if (file !== undefined) props.onPlay({ title: file.path, url: api.streamUrl(file) });
    });

  return (
    <li class={styles.row}>
      <div class={styles.line}>
        <button
          type="button"
          class={styles.play}
          disabled={props.torrent.total_size === null}
          aria-label={`Play ${props.torrent.name}`}
          onClick={() => void playMain()}
        >
          ▶
        </button>
        <div class={styles.about}>
          <h2 class={styles.name} title={props.torrent.name}>
            {props.torrent.name}
          </h2>
          <p class={styles.meta}>
            <span>{statusText(props.torrent)}</span>
            <span>{formatPercent(props.torrent.check_progress ?? props.torrent.progress)}</span>
            <span>{formatBytes(props.torrent.total_size)}</span>
            <Show when={props.torrent.download_speed > 0}>
              <span>↓ {formatSpeed(props.torrent.download_speed)}</span>
            </Show>
            <Show when={props.torrent.upload_speed > 0}>
              <span>↑ {formatSpeed(props.torrent.upload_speed)}</span>
            </Show>
            <Show when={formatEta(props.torrent.eta_sec)}>{(eta) => <span>{eta()} left</span>}</Show>
          </p>
          <progress max="1" value={props.torrent.progress} aria-label="Downloaded" />
        </div>
        <div class={styles.actions}>
          <button type="button" aria-expanded={isOpen()} onClick={() => setOpen(!isOpen())}>
            Files
          </button>
          <button
            type="button"
            onClick={() => void attempt(() => (isStopped() ? api.resume : api.pause)(props.torrent.id))}
          >
            {isStopped() ? "Resume" : "Pause"}
          </button>
          <a href={api.playlistUrl(props.torrent.id)} download="">
            m3u
          </a>
          <button type="button" onClick={() => setRemoving(true)}>
            Remove…
          </button>
        </div>
      </div>
      <Show when={error()}>
        {(message) => (
          <p class={styles.error} role="alert">
            {message()}
          </p>
        )}
      </Show>
      <Show when={isOpen()}>
        <TorrentFiles torrent={props.torrent} onPlay={props.onPlay} />
      </Show>
      <Show when={isRemoving()}>
        <RemoveDialog
          name={props.torrent.name}
          onCancel={() => setRemoving(false)}
          onRemove={(deleteFiles) => {
            setRemoving(false);
            void attempt(() => api.remove(props.torrent.id, deleteFiles));
          }}
        />
      </Show>
    </li>
  );
}
