// What is told about a torrent: its status and figures, derived anew from its parts each time.

import type { TorrentStats, TorrentStatus, Wait } from "./port.ts";
import type { Torrent } from "./torrent.ts";
import type { WaitFacts } from "./wait-reason.ts";

export function statusOf(torrent: Torrent): TorrentStatus {
  if (torrent.fault !== null) return "error";
  const { isComplete } = torrent;
  if (torrent.checkProgress !== null) return "checking";
  if (torrent.spec.isPaused && !torrent.isStreamed) return isComplete ? "completed" : "paused";
  if (torrent.data === null) return "metadata";
  if (isComplete) return torrent.hasReachedRatio ? "completed" : "seeding";
  return torrent.isActive || torrent.isStreamed ? "downloading" : "queued";
}

export function statsOf(torrent: Torrent, nowMs: number, wait: Wait | null): TorrentStats {
  const progress = torrent.progress;
  const downloadSpeed = Math.round(torrent.traffic.down.rate(nowMs));
  const leftBytes = progress === null ? 0 : progress.selectedBytes - progress.haveBytes;
  return {
    id: torrent.id,
    status: statusOf(torrent),
    fault: torrent.fault?.code ?? null,
    faultDetail: torrent.fault?.detail ?? null,
    progress: progress === null ? 0 : ratioOf(progress.haveBytes, progress.selectedBytes),
    checkProgress: torrent.checkProgress,
    ...torrent.traffic.totals,
    downloadSpeed,
    uploadSpeed: Math.round(torrent.traffic.up.rate(nowMs)),
    peers: connectedPeers(torrent),
    seeds: torrent.session?.transfer?.scheduler.seeds() ?? 0,
    etaSec: downloadSpeed > 0 && leftBytes > 0 ? Math.ceil(leftBytes / downloadSpeed) : null,
    wait,
    fileBytes: [...(torrent.data?.fileBytes ?? [])],
  };
}

function ratioOf(haveBytes: number, selectedBytes: number): number {
  return selectedBytes === 0 ? 1 : haveBytes / selectedBytes;
}

export function connectedPeers(torrent: Torrent): number {
  let count = 0;
  for (const peer of torrent.session?.peers.values() ?? []) if (peer.isReady) count++;
  return count;
}

/** Facts for the wait reason; `stream` is what a waiting viewer needs, null for the torrent as such. */
export function waitFactsOf(torrent: Torrent, nowMs: number, stream: WaitFacts["stream"]): WaitFacts {
  return {
    hasMetadata: torrent.data !== null,
    metadataParts: torrent.metadataProgress,
    isDiskFull: torrent.fault?.code === "disk_full",
    connectedPeers: connectedPeers(torrent),
    knownPeers: torrent.session?.dialer.knownPeers ?? 0,
    unchokedPeers: torrent.session?.transfer?.scheduler.figures().unchokedPeers ?? 0,
    downloadSpeed: torrent.traffic.down.rate(nowMs),
    stream,
  };
}

/** Whether the torrent is in a state in which "why does nothing come" is a question. */
export function isWaitable(torrent: Torrent, nowMs: number): boolean {
  const status = statusOf(torrent);
  if (status === "metadata") return true;
  if (torrent.fault?.code === "disk_full") return true;
  return status === "downloading" && torrent.traffic.down.rate(nowMs) < 1;
}
