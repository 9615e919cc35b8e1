// How tracks and qualities are called in the player's lists.

import type { AudioTrack, Quality, Reason, SubtitleTrack, Tracks } from "../api/types.ts";

const CODECS: Readonly<Record<string, string>> = {
  aac: "AAC",
  ac3: "AC-3",
  eac3: "E-AC-3",
  dts: "DTS",
  truehd: "TrueHD",
  mp3: "MP3",
  opus: "Opus",
  vorbis: "Vorbis",
  flac: "FLAC",
  alac: "ALAC",
};
const LAYOUTS: Readonly<Record<number, string>> = { 1: "mono", 2: "stereo", 6: "5.1", 8: "7.1" };

/** "Russian · Director's commentary · AC-3 5.1" */
export function audioText({ index, language, title, codec, channels }: AudioTrack): string {
  const sound = `${CODECS[codec] ?? codec.toUpperCase()} ${LAYOUTS[channels] ?? `${channels} channels`}`;
  return [...named(language, title, `Track ${index + 1}`), sound].join(" · ");
}

/** "English · forced", and of pictures that they are none the browser can show. */
export function subtitleText({ index, language, title, forced, available }: SubtitleTrack): string {
  const parts = named(language, title, `Track ${index + 1}`);
  if (forced) parts.push("forced");
  if (!available) parts.push("pictures, not available in a browser");
  return parts.join(" · ");
}

export function qualityText(quality: Quality, video: Tracks["video"]): string {
  if (quality !== "original") return `${quality}p`;
  return video === null ? "Original" : `Original · ${video.height}p`;
}

/** One line for each thing, with the tracks that it is about where the film has several of their kind. */
export function reasonTexts(reasons: readonly Reason[], tracks: Tracks | null): string[] {
  const namesOf = new Map<string, string[]>();
  for (const { message, track } of reasons) {
    const names = namesOf.get(message) ?? [];
    const name = track === null ? null : trackName(track, tracks);
    namesOf.set(message, name === null ? names : [...names, name]);
  }
  return [...namesOf].map(([message, names]) =>
    names.length === 0 ? message : `${message} (${names.join(", ")})`,
  );
}

/** null where there is no other of its kind. `track`: v0, a1, s2. */
function trackName(track: string, tracks: Tracks | null): string | null {
  const list = { a: tracks?.audio, s: tracks?.subtitles }[track.charAt(0)];
  const found = list?.find(({ index }) => index === Number(track.slice(1)));
  if (list === undefined || list.length < 2 || found === undefined) return null;
  return named(found.language, found.title, `track ${found.index + 1}`).join(" · ");
}

function named(language: string | null, title: string | null, fallback: string): string[] {
  const parts: string[] = [];
  if (language !== null) parts.push(languageName(language));
  if (title !== null && title !== "" && title !== parts[0]) parts.push(title);
  return parts.length === 0 ? [fallback] : parts;
}

/** "Russian" for "ru"; the tag itself where the browser has no names or the tag is none. */
function languageName(tag: string): string {
  if (typeof Intl.DisplayNames === "undefined") return tag;
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(tag) ?? tag;
  } catch (error) {
    if (error instanceof RangeError) return tag;
    throw error;
  }
}
