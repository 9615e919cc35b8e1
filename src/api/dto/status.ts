// The server's state and its settings on the wire.

import type { Settings, StatusView, StreamView } from "../../services/ports.ts";
import { isoTime } from "./time.ts";
import { waitDto } from "./torrent.ts";

export type StatusDto = ReturnType<typeof statusDto>;
export type StreamDto = ReturnType<typeof streamDto>;
export type SettingsDto = ReturnType<typeof settingsDto>;

export function statusDto(status: StatusView) {
  return {
    version: status.version,
    uptime_sec: status.uptimeSec,
    download_speed: status.downloadSpeed,
    upload_speed: status.uploadSpeed,
    ram: { used: status.ramUsedBytes, cap: status.ramCapBytes, rss: status.rssBytes },
    disk: { free: status.diskFreeBytes, total: status.diskTotalBytes },
    warnings: status.warnings,
    streams: status.streams.map(streamDto),
  };
}

export function streamDto(stream: StreamView) {
  return {
    id: stream.id,
    torrent_id: stream.torrent,
    file_index: stream.file,
    client_ip: stream.clientAddress,
    mode: stream.mode,
    position_sec: stream.positionSec,
    position_bytes: stream.positionBytes,
    ahead_bytes: stream.aheadBytes,
    readers: stream.readers,
    window: windowDto(stream.window),
    wait: waitDto(stream.wait),
    started_at: isoTime(stream.startedAtMs),
  };
}

function windowDto(window: StreamView["window"]) {
  if (window === null) return null;
  return {
    bytes: window.bytes,
    ahead_sec: tenths(window.aheadSec),
    behind_sec: tenths(window.behindSec),
    hit_rate: window.hitRate === null ? null : Math.round(window.hitRate * 1_000) / 1_000,
  };
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

export function settingsDto(settings: Settings) {
  return {
    max_download_speed: settings.maxDownloadSpeed,
    max_upload_speed: settings.maxUploadSpeed,
    max_concurrent_torrents: settings.maxConcurrentTorrents,
    seed_ratio_limit: settings.seedRatioLimit,
    stream_token_ttl_hours: settings.streamTokenTtlHours,
    ram_buffer_mb: settings.ramBufferMb,
    ram_total_mb: settings.ramTotalMb,
    buffer_ahead_percent: settings.bufferAheadPercent,
    hls_segment_duration_sec: settings.hlsSegmentDurationSec,
    download_dir: settings.downloadDir,
  };
}

/** The keys that are there. */
export function settingsOf(dto: Partial<SettingsDto>): Partial<Settings> {
  const { max_download_speed, max_upload_speed, max_concurrent_torrents } = dto;
  const { seed_ratio_limit, stream_token_ttl_hours, download_dir } = dto;
  const { ram_buffer_mb, ram_total_mb, buffer_ahead_percent, hls_segment_duration_sec } = dto;
  return {
    ...(max_download_speed !== undefined && { maxDownloadSpeed: max_download_speed }),
    ...(max_upload_speed !== undefined && { maxUploadSpeed: max_upload_speed }),
    ...(max_concurrent_torrents !== undefined && { maxConcurrentTorrents: max_concurrent_torrents }),
    ...(seed_ratio_limit !== undefined && { seedRatioLimit: seed_ratio_limit }),
    ...(stream_token_ttl_hours !== undefined && { streamTokenTtlHours: stream_token_ttl_hours }),
    ...(ram_buffer_mb !== undefined && { ramBufferMb: ram_buffer_mb }),
    ...(ram_total_mb !== undefined && { ramTotalMb: ram_total_mb }),
    ...(buffer_ahead_percent !== undefined && { bufferAheadPercent: buffer_ahead_percent }),
    ...(hls_segment_duration_sec !== undefined && { hlsSegmentDurationSec: hls_segment_duration_sec }),
    ...(download_dir !== undefined && { downloadDir: download_dir }),
  };
}
