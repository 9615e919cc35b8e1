import type { TorrentFile } from "../api/types.ts";

/** What Play plays: the largest video that has a link; null where there is none to choose. */
export function mainFileOf(files: readonly TorrentFile[]): TorrentFile | null {
  let best: TorrentFile | null = null;
  for (const file of files) {
    if (!file.is_video || file.stream_url === null) continue;
    if (best === null || file.size > best.size) best = file;
  }
  return best;
}
