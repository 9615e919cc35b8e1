// A torrent as users see it: the row, overlaid with what the engine said last. Until the engine has a torrent's data
// open it knows no figures of it, and those of the last run are shown.

import type { FileIndex } from "../../base/brand.ts";
import type { FileRow, TorrentRow } from "../../db/index.ts";
import type { TorrentFault, TorrentStats, TorrentStatus } from "../../engine/port.ts";
import { isAudio } from "../../metainfo/index.ts";
import type { FileView, TorrentView } from "../ports.ts";
import type { TorrentEntry } from "./catalogue.ts";

const FAULT_TEXTS: Readonly<Record<TorrentFault, string>> = {
  disk_full: "The disk is full",
  disk_error: "The disk failed",
  data_conflict: "Something else lies where its files belong",
  metadata_invalid: "Its metadata is not valid",
  internal: "Something inside TorrX went wrong",
};

/** Bytes/s. */
const SPEED_SHOWN_MIN = 100;
/** Bytes/s below which an ETA is a guess. */
const ETA_SPEED_MIN = 1_024;
const ETA_SEC_MAX = 30 * 24 * 3_600;

export function torrentView(entry: TorrentEntry): TorrentView {
  const { row, stats } = entry;
  const downloaded = stats?.downloadedBytes ?? row.downloaded;
  const uploaded = stats?.uploadedBytes ?? row.uploaded;
  const totalSize = row.layout?.totalSize ?? null;
  const status = statusOf(entry);
  return {
    id: row.id,
    name: row.name,
    status,
    error: errorOf(entry),
    priority: row.priority,
    download: row.download,
    progress: progressOf(entry),
    checkProgress: stats?.checkProgress ?? null,
    totalSize,
    downloaded,
    uploaded,
    ratio: ratioOf(uploaded, downloaded || totalSize || 0),
    ...speedsOf(status, stats),
    maxDownloadSpeed: row.maxDownloadSpeed,
    maxUploadSpeed: row.maxUploadSpeed,
    peers: stats?.peers ?? 0,
    seeds: stats?.seeds ?? 0,
    addedAtMs: row.addedAtMs,
    completedAtMs: row.completedAtMs,
    savePath: row.savePath,
    wait: stats?.wait ?? null,
  };
}

/** Nothing moves in a torrent that neither downloads nor seeds, whatever its meters still remember. */
function speedsOf(
  status: TorrentStatus,
  stats: TorrentStats | null,
): Pick<TorrentView, "downloadSpeed" | "uploadSpeed" | "etaSec"> {
  const isMoving = status === "downloading" || status === "seeding";
  if (stats === null || !isMoving) return { downloadSpeed: 0, uploadSpeed: 0, etaSec: null };
  const { downloadSpeed, uploadSpeed, etaSec } = stats;
  const hasEta = downloadSpeed >= ETA_SPEED_MIN && etaSec !== null && etaSec <= ETA_SEC_MAX;
  return {
    downloadSpeed: shownSpeed(downloadSpeed),
    uploadSpeed: shownSpeed(uploadSpeed),
    etaSec: hasEta ? etaSec : null,
  };
}

/** A meter decays for minutes after the last byte; its tail is no traffic. */
export function shownSpeed(bytesPerSec: number): number {
  return bytesPerSec < SPEED_SHOWN_MIN ? 0 : bytesPerSec;
}

export function fileView(entry: TorrentEntry, file: FileRow): FileView {
  const verified = entry.stats?.fileBytes[file.index] ?? file.verifiedBytes;
  return {
    index: file.index as FileIndex,
    path: file.path,
    size: file.size,
    isSelected: file.isSelected,
    isVideo: file.isVideo,
    isAudio: isAudio(file.path),
    priority: file.priority,
    progress: file.size === 0 ? 1 : Math.min(1, verified / file.size),
  };
}

/** The engine has the torrent's data open, so its figures are the present ones. */
export function hasFigures(stats: TorrentStats | null): stats is TorrentStats {
  return stats !== null && stats.fileBytes.length > 0;
}

export function statusOf(entry: TorrentEntry): TorrentStatus {
  const { row, stats, hold } = entry;
  if (hold !== null) return "error";
  const status = stats?.status ?? statusBefore(row);
  if (hasFigures(stats) || row.layout === null) return status;
  if (status === "metadata") return "checking";
  return status === "paused" && row.progress >= 1 ? "completed" : status;
}

/** Until the engine speaks: the status of the last run, which may have ended before a pause or resume was noted in it. */
function statusBefore({ status, isPaused }: TorrentRow): TorrentStatus {
  if (isPaused) return "paused";
  return status === "paused" ? "checking" : status;
}

export function progressOf({ row, stats }: TorrentEntry): number {
  return hasFigures(stats) ? stats.progress : row.progress;
}

function errorOf({ row, stats, hold }: TorrentEntry): TorrentView["error"] {
  if (hold !== null) return hold;
  const code = stats === null ? faultOf(row) : stats.fault;
  if (code === null) return null;
  const detail = stats === null ? row.faultDetail : stats.faultDetail;
  const text = FAULT_TEXTS[code];
  return { code, message: detail === null ? `${text}.` : `${text}: ${detail}` };
}

function faultOf(row: TorrentRow): TorrentFault | null {
  return row.fault !== null && row.fault in FAULT_TEXTS ? (row.fault as TorrentFault) : null;
}

function ratioOf(uploaded: number, base: number): number {
  return base === 0 ? 0 : uploaded / base;
}
