// A torrent and what hangs on it, as PRODUCT §4 names the fields.

import type { FileView, TorrentsService, TorrentView } from "../../services/ports.ts";
import { isoTime } from "./time.ts";

export type TorrentDto = ReturnType<typeof torrentDto>;
export type FileDto = ReturnType<typeof fileDto>;
export type WaitDto = ReturnType<typeof waitDto>;

type View<Method extends "peers" | "trackers"> = Awaited<ReturnType<TorrentsService[Method]>>[number];

export function torrentDto(torrent: TorrentView) {
  return {
    id: torrent.id,
    name: torrent.name,
    status: torrent.status,
    error: torrent.error,
    priority: torrent.priority,
    download: torrent.download,
    progress: torrent.progress,
    check_progress: torrent.checkProgress,
    total_size: torrent.totalSize,
    downloaded: torrent.downloaded,
    uploaded: torrent.uploaded,
    ratio: torrent.ratio,
    download_speed: torrent.downloadSpeed,
    upload_speed: torrent.uploadSpeed,
    max_download_speed: torrent.maxDownloadSpeed,
    max_upload_speed: torrent.maxUploadSpeed,
    peers: torrent.peers,
    seeds: torrent.seeds,
    eta_sec: torrent.etaSec,
    added_at: isoTime(torrent.addedAtMs),
    completed_at: isoTime(torrent.completedAtMs),
    save_path: torrent.savePath,
    wait: waitDto(torrent.wait),
  };
}

export function waitDto(wait: TorrentView["wait"]) {
  if (wait === null) return null;
  return {
    code: wait.code,
    since: isoTime(wait.sinceMs),
    have_bytes: wait.haveBytes,
    need_bytes: wait.needBytes,
    rate: wait.rate,
    peers: wait.peers,
  };
}

/** `streamUrl` is a path of this server with its token, or null where none is given. */
export function fileDto(file: FileView, streamUrl: string | null) {
  return {
    index: file.index,
    path: file.path,
    size: file.size,
    is_selected: file.isSelected,
    is_video: file.isVideo,
    is_audio: file.isAudio,
    priority: file.priority,
    progress: file.progress,
    stream_url: streamUrl,
  };
}

export function peerDto(peer: View<"peers">) {
  return {
    address: peer.address,
    client: peer.client,
    is_incoming: peer.isIncoming,
    source: peer.source,
    progress: peer.progress,
    download_speed: peer.downloadSpeed,
    upload_speed: peer.uploadSpeed,
    is_choking_us: peer.isChokingUs,
    is_choked: peer.isChoked,
    is_interested: peer.isInterested,
  };
}

export function trackerDto(tracker: View<"trackers">) {
  return {
    url: withoutPasskey(tracker.url),
    tier: tracker.tier,
    status: tracker.status,
    message: tracker.message,
    next_announce_sec: tracker.nextAnnounceSec,
    seeders: tracker.seeders,
    leechers: tracker.leechers,
  };
}

/** Private trackers carry the user's key in path or query; a screen that is shown around must not. */
function withoutPasskey(url: string): string {
  return url.replace(/\?.*$/s, "?…").replace(/\/[0-9A-Za-z_-]{16,}(?=[/?]|$)/g, "/…");
}
