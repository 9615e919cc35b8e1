// The playlists of a session: what its film's parts are like once they are delivered, in the words of HLS.

import {
  type AudioRendition,
  type AudioTrack,
  type Bandwidth,
  bandwidthOf,
  masterPlaylist,
  type Quality,
  type SegmentPlan,
  type SubtitleRendition,
  type UriOf,
  type VideoMaking,
  type VideoTrack,
  type VideoVariant,
} from "../../media/index.ts";
import type { Film } from "./film.ts";
import type { PlaybackSession } from "./sessions.ts";

const AAC_CODEC = "mp4a.40.2";
const AAC_CHANNELS_MAX = 2;
const AAC_BANDWIDTH: Bandwidth = { peakBitsPerSec: 200_000, averageBitsPerSec: 160_000 };
/** Of what is encoded, by its height: what the encoder is held to at most. */
const ENCODED: readonly { readonly height: number; readonly codec: string; readonly bitsPerSec: number }[] = [
  { height: 480, codec: "avc1.64001e", bitsPerSec: 2_000_000 },
  { height: 720, codec: "avc1.64001f", bitsPerSec: 4_000_000 },
  { height: 1080, codec: "avc1.64002a", bitsPerSec: 8_000_000 },
  { height: Number.POSITIVE_INFINITY, codec: "avc1.640033", bitsPerSec: 16_000_000 },
];

export interface MasterAsked {
  readonly session: Pick<PlaybackSession, "film" | "decision">;
  /** Listed, best first; of them those that the session was offered. */
  readonly qualities: readonly Quality[];
  readonly subtitles: readonly SubtitleRendition[];
  readonly chosenAudio: number | null;
  readonly uriOf: UriOf;
}

export function masterOf({ session, qualities, subtitles, chosenAudio, uriOf }: MasterAsked): string {
  const { film, decision } = session;
  return masterPlaylist({
    video: variantsOf(film, decision.offers, qualities),
    audio: film.facts.probe.audio
      .filter(({ index }) => film.planOf({ kind: "audio", track: index }))
      .map(audioOf),
    subtitles,
    chosenAudio: chosenAudio ?? decision.audioIndex,
    uriOf,
  });
}

function variantsOf(
  film: Film,
  offers: readonly VideoMaking[],
  qualities: readonly Quality[],
): VideoVariant[] {
  const { video: plan } = film;
  const { video } = film.facts.probe;
  if (video === null || plan === null) return [];
  return offers
    .filter(({ quality }) => qualities.includes(quality))
    .map((offer) => ({
      quality: offer.quality,
      ...pictureOf(video, offer),
      bandwidth: widthOf(film, plan, offer),
    }));
}

/** Of what is delivered. */
function pictureOf(video: VideoTrack, { making }: VideoMaking) {
  const { width, height, framesPerSec, codecString, dynamicRange } = video;
  if (making.kind === "copy_video") return { width, height, framesPerSec, codecString, dynamicRange };
  const scaled = Math.min(height, making.heightLimit ?? height);
  const even = (size: number) => 2 * Math.round(size / 2);
  return {
    width: even((width * scaled) / height),
    height: even(scaled),
    framesPerSec,
    codecString: encodedLike(scaled).codec,
    dynamicRange: "sdr" as const,
  };
}

function widthOf(film: Film, plan: SegmentPlan, { making }: VideoMaking): Bandwidth {
  const { video, audio } = film.facts.probe;
  if (making.kind === "encode_video") {
    const { bitsPerSec } = encodedLike(
      Math.min(video?.height ?? 0, making.heightLimit ?? Number.POSITIVE_INFINITY),
    );
    return { peakBitsPerSec: bitsPerSec, averageBitsPerSec: bitsPerSec };
  }
  return bandwidthOf(plan, {
    lengthBytes: film.file.lengthBytes,
    bitsPerSec: video?.bitsPerSec ?? null,
    otherBitsPerSec: audio.reduce((sum, track) => sum + (track.bitsPerSec ?? 0), 0),
  });
}

function encodedLike(height: number) {
  return ENCODED.find((one) => height <= one.height) ?? { codec: null, bitsPerSec: 0 };
}

/** Every track is delivered as AAC; what is copied is AAC already. */
function audioOf({ index, title, language, channels, isDefault, isCommentary }: AudioTrack): AudioRendition {
  return {
    index,
    title,
    language,
    channels: Math.min(channels, AAC_CHANNELS_MAX),
    codecString: AAC_CODEC,
    isDefault,
    isCommentary,
    bandwidth: AAC_BANDWIDTH,
  };
}
