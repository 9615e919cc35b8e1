// Which of ffmpeg's subtitle codecs are text, and so can become WebVTT. The others are pictures (PGS, VobSub, DVB,
// XSUB), or text hidden in the picture's stream (closed captions, teletext).

/** ffmpeg 5.1 has a decoder for each. */
const TEXT_CODECS: ReadonlySet<string> = new Set([
  "ass",
  "jacosub",
  "microdvd",
  "mov_text",
  "mpl2",
  "pjs",
  "realtext",
  "sami",
  "ssa",
  "stl",
  "srt",
  "subrip",
  "subviewer",
  "subviewer1",
  "text",
  "vplayer",
  "webvtt",
]);

/** `codec` as ffprobe names it. */
export function isTextSubtitle(codec: string): boolean {
  return TEXT_CODECS.has(codec);
}
