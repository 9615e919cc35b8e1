// The path of a file's stream. Its last part is decoration for players that show it, except for a few words that name
// other things about the file.

/** What /api/stream/{id}/{file}/{word} means something else than the bytes. */
export const STREAM_WORDS: ReadonlySet<string> = new Set([
  "master.m3u8",
  "playlist.m3u8",
  "segment",
  "subtitles",
  "audio_tracks",
  "info",
  "session",
]);

export function streamPath(target: {
  readonly torrent: string;
  readonly file: number;
  readonly name: string;
}): string {
  const base = `/api/stream/${target.torrent}/${target.file}`;
  const name = encodeURIComponent(target.name.toWellFormed());
  // A path of dots is no name to a URL.
  return STREAM_WORDS.has(target.name) || /^\.{0,2}$/.test(name) ? base : `${base}/${name}`;
}
