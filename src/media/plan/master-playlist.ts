// The list of a film's renditions: the qualities of its video, best first, and what goes with any of them (RFC 8216
// §4.3.4.2). A player starts with the first.

import type { Quality, VideoTrack } from "../ports.ts";
import { type AttributeValue, attributeList, decimal, quoted } from "./attributes.ts";
import { type Bandwidth, sumOfBandwidths } from "./bandwidth.ts";
import { type UriOf, uriText } from "./playlist-part.ts";
import {
  AUDIO_GROUP,
  type AudioRendition,
  audioTags,
  SUBTITLE_GROUP,
  type SubtitleRendition,
  subtitleTags,
} from "./rendition-tags.ts";

/** Size, codec and range are those of what is delivered. */
export interface VideoVariant
  extends Pick<VideoTrack, "width" | "height" | "framesPerSec" | "codecString" | "dynamicRange"> {
  readonly quality: Quality;
  readonly bandwidth: Bandwidth;
}

export interface MasterPlaylist {
  /** None for a film without video; one of both there must be. */
  readonly video: readonly VideoVariant[];
  readonly audio: readonly AudioRendition[];
  readonly subtitles: readonly SubtitleRendition[];
  /** ?audio=n; null for the one that the film's maker meant. */
  readonly chosenAudio: number | null;
  readonly uriOf: UriOf;
}

export function masterPlaylist(film: MasterPlaylist): string {
  const { video, audio, subtitles, uriOf } = film;
  const chosen = chosenAudioOf(film);
  const variants = video.length > 0 ? video.map((variant) => videoVariant(film, variant)) : [];
  if (video.length === 0 && chosen !== null) variants.push(audioVariant(film, chosen));
  return [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    ...audioTags(audio, chosen, uriOf),
    ...subtitleTags(subtitles, uriOf),
    ...variants,
    "",
  ].join("\n");
}

function chosenAudioOf({ audio, chosenAudio }: MasterPlaylist): AudioRendition | null {
  const asked = audio.find(({ index }) => index === chosenAudio);
  return asked ?? audio.find(({ isDefault }) => isDefault) ?? audio[0] ?? null;
}

function videoVariant(film: MasterPlaylist, variant: VideoVariant): string {
  const { width, height, framesPerSec } = variant;
  const hasSize = decimal(width) !== null && decimal(height) !== null;
  const attributes = {
    ...bandwidthAttributes([variant.bandwidth, ...widest(film.audio)]),
    RESOLUTION: hasSize ? `${width}x${height}` : null,
    "FRAME-RATE": framesPerSec !== null && framesPerSec > 0 ? framesPerSec.toFixed(3) : null,
    CODECS: codecs([variant, ...film.audio]),
    "VIDEO-RANGE": VIDEO_RANGES[variant.dynamicRange],
    ...groups(film),
  };
  const rendition = { kind: "video", track: 0, quality: variant.quality } as const;
  return streamLines(attributes, film.uriOf({ part: "playlist", rendition }));
}

/** The variant is the chosen track's own playlist, so that a player loads it once. */
function audioVariant(film: MasterPlaylist, chosen: AudioRendition): string {
  const attributes = {
    ...bandwidthAttributes(widest(film.audio)),
    CODECS: codecs(film.audio),
    ...groups(film),
  };
  const rendition = { kind: "audio", track: chosen.index, quality: "original" } as const;
  return streamLines(attributes, film.uriOf({ part: "playlist", rendition }));
}

/** Dolby Vision that is played without it is HDR10 at best, so its transfer is PQ. */
const VIDEO_RANGES = { sdr: "SDR", hdr10: "PQ", hlg: "HLG", dolby_vision: "PQ" } as const;

function streamLines(attributes: Readonly<Record<string, AttributeValue>>, uri: string): string {
  return `#EXT-X-STREAM-INF:${attributeList(attributes)}\n${uriText(uri)}`;
}

/** A viewer takes one audio track at a time: the widest is what has to be reckoned with. */
function widest(audio: readonly AudioRendition[]): Bandwidth[] {
  if (audio.length === 0) return [];
  const most = (of: keyof Bandwidth) => Math.max(...audio.map(({ bandwidth }) => bandwidth[of]));
  return [{ peakBitsPerSec: most("peakBitsPerSec"), averageBitsPerSec: most("averageBitsPerSec") }];
}

function bandwidthAttributes(parts: readonly Bandwidth[]): Record<string, AttributeValue> {
  const { peakBitsPerSec, averageBitsPerSec } = sumOfBandwidths(parts);
  return {
    BANDWIDTH: decimal(peakBitsPerSec) ?? "1",
    "AVERAGE-BANDWIDTH": decimal(averageBitsPerSec),
  };
}

/** All that the variant and its group hold, or nothing: a list with a gap would promise too much. */
function codecs(tracks: readonly { readonly codecString: string | null }[]): AttributeValue {
  const known = tracks.map(({ codecString }) => codecString ?? "");
  if (!known.every((codec) => /^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*$/.test(codec))) return null;
  return quoted([...new Set(known)].join(","));
}

function groups({ audio, subtitles }: MasterPlaylist): Record<string, AttributeValue> {
  return {
    AUDIO: audio.length > 0 ? quoted(AUDIO_GROUP) : null,
    SUBTITLES: subtitles.length > 0 ? quoted(SUBTITLE_GROUP) : null,
  };
}
