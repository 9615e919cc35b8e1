// Audio and subtitle tracks, of ffprobe's JSON. Their `index` counts what is listed, so that ?audio=0 is always the
// first that can be heard.

import { LIMITS } from "../../base/limits.ts";
import type { AudioTrack, SubtitleTrack } from "../ports.ts";
import { audioCodecString } from "./codec-strings.ts";
import { hasDisposition, type JsonObject, nameIn, tagIn, textIn, wholeIn } from "./json-fields.ts";
import { languageOf } from "./language.ts";
import { bitsPerSecIn, profileIn } from "./video-track.ts";

const TITLE_CHARS_MAX = LIMITS.probe.titleChars;
const LANGUAGE_CHARS_MAX = 35;
/** Of files that tell nothing. */
const CHANNELS_ASSUMED = 2;
const SAMPLE_RATE_ASSUMED = 48_000;
const COMMENTARY = /commentar|комментар/iu;
const FORCED = /\bforced\b|форсир/iu;
const TEXT_CODECS = new Set([
  "ass",
  "jacosub",
  "microdvd",
  "mov_text",
  "mpl2",
  "realtext",
  "sami",
  "ssa",
  "srt",
  "stl",
  "subrip",
  "subviewer",
  "subviewer1",
  "text",
  "ttml",
  "webvtt",
]);

/** Null for a stream without a codec that ffmpeg knows: nothing could be made of it. */
export function audioTrackOf(stream: JsonObject, index: number): AudioTrack | null {
  const place = wholeIn(stream["index"], 0, 9_999);
  const codec = nameIn(stream["codec_name"]);
  if (place === null || codec === null) return null;
  const profile = profileIn(stream);
  return {
    kind: "audio",
    stream: place,
    index,
    codec,
    codecString: audioCodecString(codec, profile),
    profile,
    channels: wholeIn(stream["channels"], 1, 64) ?? CHANNELS_ASSUMED,
    sampleRate: wholeIn(stream["sample_rate"], 1_000, 768_000) ?? SAMPLE_RATE_ASSUMED,
    ...named(stream),
    isDefault: hasDisposition(stream, "default"),
    isCommentary: hasDisposition(stream, "comment") || COMMENTARY.test(named(stream).title ?? ""),
    bitsPerSec: bitsPerSecIn(stream),
  };
}

export function subtitleTrackOf(stream: JsonObject, index: number): SubtitleTrack | null {
  const place = wholeIn(stream["index"], 0, 9_999);
  const codec = nameIn(stream["codec_name"]);
  if (place === null || codec === null) return null;
  return {
    kind: "subtitle",
    stream: place,
    index,
    codec,
    isText: TEXT_CODECS.has(codec),
    ...named(stream),
    isDefault: hasDisposition(stream, "default"),
    isForced: hasDisposition(stream, "forced") || FORCED.test(named(stream).title ?? ""),
  };
}

function named(stream: JsonObject): { language: string | null; title: string | null } {
  const language = textIn(tagIn(stream, "language"), LANGUAGE_CHARS_MAX);
  return {
    language: language === null ? null : languageOf(language),
    title: textIn(tagIn(stream, "title"), TITLE_CHARS_MAX),
  };
}
