import type { TorrentFile } from "../api/types.ts";

/** What the player can be asked to play; anything else is a link to copy. */
export function isPlayable(file: Pick<TorrentFile, "is_video" | "is_audio">): boolean {
  return file.is_video || file.is_audio;
}

/** What Play plays: the largest video that has a link, else the largest audio; null where there is none to choose. */
export function mainFileOf(files: readonly TorrentFile[]): TorrentFile | null {
  let best: TorrentFile | null = null;
  for (const file of files) {
    if (!isPlayable(file) || file.stream_url === null) continue;
    if (best === null || goesBefore(file, best)) best = file;
  }
  return best;
}

function goesBefore(a: TorrentFile, b: TorrentFile): boolean {
  return a.is_video === b.is_video ? a.size > b.size : a.is_video;
}
