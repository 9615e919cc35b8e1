import { createSignal, Show } from "solid-js";
import { absolute, api, errorText } from "../../api/client.ts";
import type { Torrent } from "../../api/types.ts";
import { formatBytes, formatEta, formatPercent, formatSpeed } from "../../lib/format.ts";
import { mainFileOf } from "../../lib/main-file.ts";
import { statusText, toneOf } from "../../lib/wait-text.ts";
import type { Playing } from "../../player/Player.tsx";
import type { Library } from "../../state/library.ts";
import { Icon } from "../../ui/Icon.tsx";
import { RemoveDialog } from "../torrent/RemoveDialog.tsx";
import { TorrentFiles } from "../torrent/TorrentFiles.tsx";
import styles from "./TorrentRow.module.css";

/** Where the focus goes when a row is removed: the next row, else the one before, else the field above the list. */
function afterRow(row: HTMLElement): HTMLElement | null {
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  return (
    neighbour?.querySelector<HTMLElement>("button:not([disabled])") ?? document.getElementById("add-input")
  );
}

export function TorrentRow(props: {
  torrent: Torrent;
  library: Pick<Library, "put" | "drop">;
  onPlay: (playing: Playing) => void;
}) {
  let row: HTMLLIElement | undefined;
  const [isOpen, setOpen] = createSignal(false);
  const [isRemoving, setRemoving] = createSignal(false);
  const [error, setError] = createSignal<string | null>(null);
  const isStopped = () => props.torrent.status === "paused" || props.torrent.status === "completed";
  const isPending = () => props.torrent.total_size === null;
  const share = () => props.torrent.check_progress ?? props.torrent.progress;

  const attempt = async (task: () => Promise<unknown>) => {
    setError(null);
    await task().catch((reason: unknown) => setError(errorText(reason)));
  };
  const playMain = () =>
    attempt(async () => {
      const file = mainFileOf((await api.torrent(props.torrent.id)).files);
      if (file === null || file.stream_url === null) setOpen(true);
      else
        props.onPlay({
          torrentId: props.torrent.id,
          fileIndex: file.index,
          title: file.path,
          url: absolute(file.stream_url),
        });
    });

  const toggle = () =>
    attempt(async () => props.library.put(await (isStopped() ? api.resume : api.pause)(props.torrent.id)));
  const recheck = () => attempt(async () => props.library.put(await api.recheck(props.torrent.id)));
  /** Goes on, and looks at the disk again where the fault was found there. */
  const retry = () =>
    attempt(async () => {
      const { id, error: fault, total_size: size } = props.torrent;
      const resumed = await api.resume(id);
      const isOnDisk = size !== null && fault !== null && fault.code !== "disk_full";
      props.library.put(isOnDisk ? await api.recheck(id) : resumed);
    });
  const remove = (deleteFiles: boolean) =>
    attempt(async () => {
      const { id } = props.torrent;
      await api.remove(id, deleteFiles);
      const next = row?.contains(document.activeElement) ? afterRow(row) : null;
      props.library.drop(id);
      next?.focus();
    });

  return (
    <li ref={row} class={styles.row}>
      <div class={styles.line}>
        <button
          type="button"
          class={styles.play}
          disabled={isPending()}
          aria-label={`Play ${props.torrent.name}`}
          onClick={() => void playMain()}
        >
          <Icon name="play" />
        </button>
        <div class={styles.about}>
          <h2 class={styles.name} title={props.torrent.name}>
            {props.torrent.name}
          </h2>
          <p class={styles.meta}>
            <span class={styles.status} data-tone={toneOf(props.torrent)}>
              {statusText(props.torrent)}
            </span>
            <Show when={!isPending()}>
              <span>{formatPercent(share())}</span>
              <span>{formatBytes(props.torrent.total_size)}</span>
            </Show>
            <Show when={props.torrent.download_speed > 0}>
              <span>↓ {formatSpeed(props.torrent.download_speed)}</span>
            </Show>
            <Show when={props.torrent.upload_speed > 0}>
              <span>↑ {formatSpeed(props.torrent.upload_speed)}</span>
            </Show>
            <Show when={formatEta(props.torrent.eta_sec)}>{(eta) => <span>{eta()} left</span>}</Show>
          </p>
        </div>
        <div class={styles.actions}>
          <button type="button" aria-expanded={isOpen()} onClick={() => setOpen(!isOpen())}>
            Files
          </button>
          <button type="button" onClick={() => void toggle()}>
            {isStopped() ? "Resume" : "Pause"}
          </button>
          <Show when={props.torrent.status === "error"}>
            <button type="button" onClick={() => void retry()}>
              Retry
            </button>
          </Show>
          <Show when={!isPending()}>
            <a
              href={api.playlistUrl(props.torrent.id)}
              download=""
              title="Playlist for VLC and other players"
            >
              m3u
            </a>
          </Show>
          <button type="button" onClick={() => setRemoving(true)}>
            Remove…
          </button>
        </div>
      </div>
      <progress class={styles.progress} max="1" value={share()} aria-label="Downloaded" />
      <Show when={error()}>
        {(message) => (
          <p class={styles.error} role="alert">
            {message()}
          </p>
        )}
      </Show>
      <Show when={isOpen()}>
        <TorrentFiles torrent={props.torrent} onPlay={props.onPlay} onRecheck={() => void recheck()} />
      </Show>
      <Show when={isRemoving()}>
        <RemoveDialog
          name={props.torrent.name}
          onCancel={() => setRemoving(false)}
          onRemove={(deleteFiles) => {
            setRemoving(false);
            void remove(deleteFiles);
          }}
        />
      </Show>
    </li>
  );
}
