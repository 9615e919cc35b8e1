import type { Torrent, TorrentStatus, Wait } from "../api/types.ts";
import { formatBytes, formatSpeed } from "./format.ts";

const WAIT_TEXTS: Readonly<Record<Wait["code"], string>> = {
  META_SEARCH: "Looking for the torrent's details",
  META_FETCH: "Receiving details",
  NO_PEERS: "Nobody is sharing this right now",
  CHOKED: "Connected, waiting for a turn",
  PART_MISSING: "This part isn't available from anyone",
  HEAD_TAIL: "Reading the file's index",
  SLOW_SWARM: "Download is slower than the video",
  SEEK_FETCH: "Loading the new position",
  DISK_FULL: "The disk is full",
};

const STATUS_TEXTS: Readonly<Record<TorrentStatus, string>> = {
  metadata: "Finding details",
  queued: "Queued",
  checking: "Checking files",
  downloading: "Downloading",
  seeding: "Complete, sharing",
  completed: "Complete",
  paused: "Paused",
  error: "Problem",
};

export type Tone = "good" | "busy" | "wait" | "bad" | "off";

/** What the torrent does, or why it waits, in one line. */
export function statusText(torrent: Pick<Torrent, "status" | "error" | "wait">): string {
  if (torrent.error !== null) return torrent.error.message;
  return torrent.wait === null ? STATUS_TEXTS[torrent.status] : waitText(torrent.wait);
}

/** The reason and the number that goes with it. */
export function waitText(wait: Wait): string {
  const number = numberOf(wait);
  return number === null ? WAIT_TEXTS[wait.code] : `${WAIT_TEXTS[wait.code]} · ${number}`;
}

export function toneOf(torrent: Pick<Torrent, "status" | "error" | "wait">): Tone {
  if (torrent.error !== null || torrent.status === "error") return "bad";
  if (torrent.wait !== null) return "wait";
  if (torrent.status === "seeding" || torrent.status === "completed") return "good";
  return torrent.status === "paused" || torrent.status === "queued" ? "off" : "busy";
}

function numberOf({ code, peers, have_bytes, need_bytes, rate }: Wait): string | null {
  switch (code) {
    case "DISK_FULL":
      return null;
    case "NO_PEERS":
      return peers.known === 0 ? null : `${peers.known} known`;
    case "CHOKED":
      return `${peers.unchoked} of ${countOf(peers.connected)} let us in`;
    case "HEAD_TAIL":
    case "SEEK_FETCH":
      if (have_bytes === null || need_bytes === null || need_bytes <= have_bytes) return rateOf(rate);
      return `${formatBytes(need_bytes - have_bytes)} left`;
    case "SLOW_SWARM":
      return rateOf(rate);
    case "META_SEARCH":
    case "META_FETCH":
    case "PART_MISSING":
      return countOf(peers.connected);
  }
}

function rateOf(rate: number | null): string | null {
  return rate === null ? null : formatSpeed(rate);
}

function countOf(peers: number): string {
  return `${peers} ${peers === 1 ? "peer" : "peers"}`;
}
