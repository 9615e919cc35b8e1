// ffprobe's JSON → MediaProbe. Pure; whatever the text is, the answer is a probe within its bounds or one refusal.

import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AudioTrack, MediaProbe, SubtitleTrack, VideoTrack } from "../ports.ts";
import { type JsonObject, nameIn, numberIn, objectIn, objectsIn, tagIn, wholeIn } from "./json-fields.ts";
import { audioTrackOf, subtitleTrackOf } from "./sound-and-text.ts";
import { videoTrackOf } from "./video-track.ts";

const BOUNDS = LIMITS.probe;
const DURATION_SEC_MAX = 1_000 * 3600;
const BITS_PER_SEC_MAX = 10e9;
/** The clock of a transport stream goes up to 2^33 / 90,000 s. */
const START_SEC_MAX = 100_000;
/** Their index, which we read ourselves, is on the file's own clock. */
const INDEXED_FORMATS = /^(?:mov|matroska)/;

/** Throws TorrxError("unsupported_media") where there is no track to be played. */
export function parseProbe(json: string): MediaProbe {
  const root = objectIn(parsed(json));
  const format = objectIn(root["format"]);
  const streams = objectsIn(root["streams"], BOUNDS.streams);
  const video = firstVideo(streams);
  const audio = listed(ofType(streams, "audio"), audioTrackOf).slice(0, BOUNDS.audioTracks);
  if (video === null && audio.length === 0) throw nothingToPlay();
  const subtitles = listed(ofType(streams, "subtitle"), subtitleTrackOf).slice(0, BOUNDS.subtitleTracks);
  const startSec = startOf(format);
  return {
    format: formatName(format),
    ...(startSec === 0 ? {} : { startSec }),
    durationSec: numberIn(format["duration"], 0.001, DURATION_SEC_MAX),
    bitsPerSec: wholeIn(format["bit_rate"], 1, BITS_PER_SEC_MAX),
    video,
    audio,
    subtitles,
    attachments: ofType(streams, "attachment").length,
  };
}

/** Bounded as everything is; a film a little before 0 is as one from 0 on. */
function startOf(format: JsonObject): number {
  if (INDEXED_FORMATS.test(nameIn(format["format_name"]) ?? "")) return 0;
  return numberIn(format["start_time"], 0, START_SEC_MAX) ?? 0;
}

export function nothingToPlay(cause?: unknown): TorrxError {
  return new TorrxError("unsupported_media", "The file holds no picture and no sound that FFmpeg can read.", {
    cause,
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw nothingToPlay(error);
  }
}

/** QuickTime and MP4 have one reader in ffmpeg, and browsers that play the one refuse the other. */
function formatName(format: JsonObject): string {
  const brand = tagIn(format, "major_brand");
  const name = nameIn(format["format_name"]) ?? "unknown";
  return name.startsWith("mov,") && brand === "qt  " ? "mov" : name;
}

function ofType(streams: readonly JsonObject[], type: string): readonly JsonObject[] {
  return streams.filter((stream) => stream["codec_type"] === type);
}

function firstVideo(streams: readonly JsonObject[]): VideoTrack | null {
  for (const stream of ofType(streams, "video")) {
    const track = videoTrackOf(stream);
    if (track !== null) return track;
  }
  return null;
}

function listed<T extends AudioTrack | SubtitleTrack>(
  streams: readonly JsonObject[],
  trackOf: (stream: JsonObject, index: number) => T | null,
): readonly T[] {
  const tracks: T[] = [];
  for (const stream of streams) {
    const track = trackOf(stream, tracks.length);
    if (track !== null) tracks.push(track);
  }
  return tracks;
}
