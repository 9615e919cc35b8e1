// May the video of a file go out as it is? Everything that speaks against it, each as a reason.

import type { MediaIndex, VideoTrack } from "../ports.ts";
import type { ClientCaps, HighRange } from "./caps.ts";
import { type CodecVerdict, judgeCodec, type PlayedContainer } from "./codec-support.ts";
import { type Reason, type ReasonCode, reason } from "./reasons.ts";

const VIDEO = "v0";
const VERDICT_REASONS: Readonly<Record<Exclude<CodecVerdict, "plays">, ReasonCode>> = {
  codec: "VideoCodecNotSupported",
  profile: "VideoProfileNotSupported",
  level: "VideoLevelNotSupported",
  bit_depth: "VideoBitDepthNotSupported",
};
/** 4:2:0; players answer for names of profiles, and some decode none but this in any of them. */
const PLAIN_CHROMA = /^(?:yuvj?420p|nv12|nv21|p010|p016|yuv420p)/;
const COPIED_CODECS = new Set(["h264", "hevc", "av1", "vp9"]);
/** A segment longer than this does not fit the buffers of browsers. */
const KEYFRAME_GAP_SEC_MAX = 20;

/** What keeps the decoder of the client from this picture. */
export function pictureReasons(
  video: VideoTrack,
  caps: ClientCaps,
  container: PlayedContainer,
): readonly Reason[] {
  const codes: (ReasonCode | null)[] = [
    codecReason(video, caps, container),
    PLAIN_CHROMA.test(video.pixelFormat ?? "yuv420p") ? null : "VideoProfileNotSupported",
    showsRange(video, caps.dynamicRanges) ? null : "VideoRangeTypeNotSupported",
    caps.heightLimit !== null && shortSide(video) > caps.heightLimit ? "VideoResolutionNotSupported" : null,
    video.isInterlaced ? "InterlacedVideoNotSupported" : null,
  ];
  const told = new Set(codes.filter((code) => code !== null));
  return [...told].map((code) => reason(code, VIDEO));
}

/** What keeps it from being cut into segments as it is. */
export function cuttingReasons(video: VideoTrack, index: MediaIndex | null): readonly Reason[] {
  const keyframes = index?.keyframes ?? null;
  if (keyframes === null || keyframes.timesSec.length === 0) return [reason("NoIndex", VIDEO)];
  if (!COPIED_CODECS.has(video.codec)) return [reason("VideoCodecNotSupported", VIDEO)];
  const isSparse = longestGap(keyframes.timesSec, index?.durationSec ?? null) > KEYFRAME_GAP_SEC_MAX;
  return isSparse ? [reason("KeyframesTooFarApart", VIDEO)] : [];
}

/** Dolby Vision goes out as what its base layer is. */
export function showsRange(video: VideoTrack, shown: readonly HighRange[]): boolean {
  const { dynamicRange } = video;
  if (dynamicRange === "sdr" || shown.includes(dynamicRange)) return true;
  if (dynamicRange !== "dolby_vision") return false;
  const base = video.dolbyVision?.base ?? null;
  return base === "sdr" || (base !== null && shown.includes(base));
}

function codecReason(video: VideoTrack, caps: ClientCaps, container: PlayedContainer): ReasonCode | null {
  if (video.codecString === null) return "VideoCodecNotSupported";
  const verdict = judgeCodec(caps.types, container, video.codecString);
  return verdict === "plays" ? null : VERDICT_REASONS[verdict];
}

/** Films on end are as wide as others are tall. */
function shortSide({ width, height }: VideoTrack): number {
  return Math.min(width, height);
}

function longestGap(timesSec: Float64Array, durationSec: number | null): number {
  let longest = 0;
  for (let i = 1; i < timesSec.length; i++) {
    longest = Math.max(longest, (timesSec[i] ?? 0) - (timesSec[i - 1] ?? 0));
  }
  const last = timesSec.at(-1) ?? 0;
  return Math.max(longest, (durationSec ?? last) - last);
}
