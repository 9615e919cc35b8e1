// What becomes of the video in HLS: copied where the client can play it, else H.264 at a size that this machine makes
// in real time.

import { QUALITIES, type Quality, type TrackMaking, type VideoEncoder, type VideoTrack } from "../ports.ts";
import type { ClientCaps } from "./caps.ts";
import { cuttingReasons, pictureReasons, showsRange } from "./copying.ts";
import type { DecisionInput } from "./decision-input.ts";
import { encoderFor } from "./machine.ts";
import { type Reason, reason } from "./reasons.ts";

export interface VideoMaking {
  readonly quality: Quality;
  readonly making: Extract<TrackMaking, { kind: "copy_video" | "encode_video" }>;
  /** Null when copied. */
  readonly encoder: VideoEncoder | null;
}

export interface Picture {
  /** What can be offered, best first; empty = the video can be neither copied nor encoded. */
  readonly offers: readonly VideoMaking[];
  readonly reasons: readonly Reason[];
}

const VIDEO = "v0";
const HEIGHTS: Readonly<Record<Quality, number>> = { original: 1080, "720": 720, "480": 480 };

/** A size that the film does not reach, or its client does not take, is the original as it goes out anyway. */
export function sizeWanted(video: VideoTrack, quality: Quality, caps: ClientCaps): Quality {
  const tallest = Math.min(video.height, caps.heightLimit ?? video.height);
  return quality === "original" || HEIGHTS[quality] < tallest ? quality : "original";
}

export function pictureOf(video: VideoTrack, input: DecisionInput): Picture {
  const obstacles = unique([
    ...pictureReasons(video, input.caps, "mp4"),
    ...cuttingReasons(video, input.index),
  ]);
  const sizes = QUALITIES.filter((quality) => sizeWanted(video, quality, input.caps) === quality);
  const isCopied = obstacles.length === 0 && !isLostOnTheWay(video);
  const offers = sizes.flatMap((quality) =>
    isCopied && quality === "original" ? [copied(video)] : encoded(video, quality, input),
  );
  return { offers, reasons: isCopied ? [] : [...obstacles, ...encodingReasons(video, input, offers)] };
}

function copied(video: VideoTrack): VideoMaking {
  return {
    quality: "original",
    making: { kind: "copy_video", isHevc: video.codec === "hevc" },
    encoder: null,
  };
}

function encoded(video: VideoTrack, quality: Quality, { caps, machine }: DecisionInput): VideoMaking[] {
  if (isLostOnTheWay(video)) return [];
  const limit = Math.min(HEIGHTS[quality], caps.heightLimit ?? HEIGHTS[quality]);
  const heightLimit = limit < video.height ? limit : null;
  const toneMap = !showsRange(video, []);
  const encoder = encoderFor({ video, heightLimit, toneMap }, machine);
  if (encoder === null) return [];
  const making = { kind: "encode_video" as const, heightLimit, toneMap, deinterlace: video.isInterlaced };
  return [{ quality, making, encoder }];
}

function encodingReasons(
  video: VideoTrack,
  { machine }: DecisionInput,
  offers: readonly VideoMaking[],
): readonly Reason[] {
  if (isLostOnTheWay(video)) return [reason("DynamicRangeNotConvertible", VIDEO)];
  if (machine.encoders.length === 0) return [reason("EncodingNotAvailable")];
  if (offers.length === 0) return [reason("EncodingTooSlow")];
  const isRough = !machine.canToneMap && !showsRange(video, []);
  return isRough ? [reason("ToneMappingNotAvailable", VIDEO)] : [];
}

/**
 * Dolby Vision of profile 5 has no base layer: decoded as if it had, it is green and purple, and ffmpeg's MP4 leaves
 * out what would tell a player of it.
 */
function isLostOnTheWay({ dynamicRange, dolbyVision }: VideoTrack): boolean {
  return dynamicRange === "dolby_vision" && (dolbyVision?.base ?? null) === null;
}

function unique(reasons: readonly Reason[]): readonly Reason[] {
  return [...new Map(reasons.map((entry) => [entry.code, entry])).values()];
}
