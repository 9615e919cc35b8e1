// The scheduler's door.

export type * from "./ports.ts";
export { PIECE_PRIORITY } from "./ports.ts";
export { TorrentScheduler } from "./torrent-scheduler.ts";
