// What is told of playing a file, as PRODUCT §4 names the fields.

import type { ListedSubtitle, PlayInfo, SessionView, TracksView } from "../../services/media/index.ts";
import type { StreamTarget, StreamView, Wait } from "../../services/ports.ts";
import { waitDto } from "./torrent.ts";

export type SessionDto = ReturnType<typeof sessionDto>;
export type AudioTrackDto = ReturnType<typeof audioTrackDto>;
export type TracksDto = ReturnType<typeof tracksDto>;
export type StreamInfoDto = ReturnType<typeof streamInfoDto>;

export function sessionDto({ id, decision, url }: SessionView) {
  return {
    session: id,
    mode: decision.mode,
    is_playable: decision.isPlayable,
    url,
    reasons: decision.reasons,
    quality: decision.quality,
    qualities: decision.offers.map(({ quality }) => quality),
    audio: decision.audioIndex,
  };
}

export function audioTrackDto(track: TracksView["audio"][number]) {
  return {
    index: track.index,
    language: track.language,
    codec: track.codec,
    channels: track.channels,
    title: track.title,
    default: track.isDefault,
    commentary: track.isCommentary,
  };
}

export function tracksDto({ video, audio, subtitles }: TracksView) {
  return {
    video: video && {
      codec: video.codec,
      codec_string: video.codecString,
      profile: video.profile,
      width: video.width,
      height: video.height,
      frames_per_sec: video.framesPerSec,
      bit_depth: video.bitDepth,
      dynamic_range: video.dynamicRange,
      interlaced: video.isInterlaced,
    },
    audio: audio.map(audioTrackDto),
    subtitles: subtitles.map(subtitleDto),
  };
}

/** Pictures are told of, with why they are not to be had. */
function subtitleDto(subtitle: ListedSubtitle) {
  if (subtitle.kind === "sidecar") {
    const { language, title, isForced, format } = subtitle.sidecar;
    const shared = { index: subtitle.index, language, title, codec: format as string };
    return { ...shared, default: false, forced: isForced, source: "file", available: true, reason: null };
  }
  const { language, title, codec, isDefault, isForced, isText } = subtitle.track;
  return {
    index: subtitle.index,
    language,
    title,
    codec,
    default: isDefault,
    forced: isForced,
    source: "embedded",
    available: isText,
    reason: isText ? null : "SubtitleCodecNotSupported",
  };
}

export interface InfoFacts {
  readonly target: StreamTarget;
  readonly play: PlayInfo;
  readonly wait: Wait | null;
  /** Of the viewer, else of anybody. */
  readonly stream: StreamView | undefined;
}

export function streamInfoDto({ target, play, wait, stream }: InfoFacts) {
  return {
    mode: play.mode,
    is_complete: target.isComplete,
    size: target.lengthBytes,
    duration_sec: play.tracks?.durationSec ?? null,
    position_sec: play.positionSec,
    tracks: play.tracks === null ? null : tracksDto(play.tracks),
    wait: waitDto(wait),
    window:
      stream === undefined ? null : { position_bytes: stream.positionBytes, ahead_bytes: stream.aheadBytes },
  };
}
