import type { Torrent } from "../api/types.ts";

const WAIT_TEXTS: Readonly<Record<string, string>> = {
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

const STATUS_TEXTS: Readonly<Record<Torrent["status"], string>> = {
  metadata: "Finding details",
  queued: "Queued",
  checking: "Checking",
  downloading: "Downloading",
  seeding: "Complete, sharing",
  completed: "Complete",
  paused: "Paused",
  error: "Problem",
};

/** What the torrent does, or why it waits, in one line. */
export function statusText(torrent: Torrent): string {
  if (torrent.error !== null) return torrent.error.message;
  if (torrent.wait !== null) {
    const text = WAIT_TEXTS[torrent.wait.code] ?? STATUS_TEXTS[torrent.status];
    const { connected } = torrent.wait.peers;
    return `${text} · ${connected} ${connected === 1 ? "peer" : "peers"}`;
  }
  return STATUS_TEXTS[torrent.status];
}
