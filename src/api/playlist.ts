// An M3U of a torrent's playable files. Names come from strangers: one entry is always exactly two lines.

export interface PlaylistEntry {
  readonly title: string;
  readonly url: string;
}

export function m3u(entries: readonly PlaylistEntry[]): string {
  const lines = entries.map(({ title, url }) => `#EXTINF:-1,${oneLine(title)}\n${url}\n`);
  return `#EXTM3U\n${lines.join("")}`;
}

/** Without controls and the line ends that Unicode has besides. */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim();
}
