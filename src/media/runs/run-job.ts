// What a rendition's runs are to make: of which track, in which form, cut where, with what ffmpeg can do here.

import type { AudioTrack, SegmentPlan, TrackMaking, VideoEncoder, VideoTrack } from "../ports.ts";

type MakingOf<Kind extends TrackMaking["kind"]> = Extract<TrackMaking, { readonly kind: Kind }>;

export interface FfmpegTools {
  /** Threads that one run may use for decoding, and for encoding. */
  readonly threads: number;
  /** Without the filter `zscale` HDR is brought to SDR by a rougher rule (see filters.ts). */
  readonly hasZscale: boolean;
}

export interface CopyVideo {
  readonly kind: "copy_video";
  readonly track: VideoTrack;
  readonly making: MakingOf<"copy_video">;
}

export interface EncodeVideo {
  readonly kind: "encode_video";
  readonly track: VideoTrack;
  readonly making: MakingOf<"encode_video">;
  readonly encoder: VideoEncoder;
}

export interface CopyAudio {
  readonly kind: "copy_audio";
  readonly track: AudioTrack;
  readonly making: MakingOf<"copy_audio">;
}

export interface EncodeAudio {
  readonly kind: "encode_audio";
  readonly track: AudioTrack;
  readonly making: MakingOf<"encode_audio">;
}

export type RunWork = CopyVideo | EncodeVideo | CopyAudio | EncodeAudio;

export interface RunJob {
  readonly work: RunWork;
  readonly plan: SegmentPlan;
  readonly tools: FfmpegTools;
}

/** Where a run starts. */
export interface RunStart {
  /** The first segment that it is to give. */
  readonly segment: number;
  /** How many times it has to begin one step earlier than need be, as it landed badly before. */
  readonly stepsBack: number;
}

export const AAC_FRAME = 1024;
/** The encoder starts so many frames early, that its first frame of use has a past as in a run from 0. */
export const PREROLL_FRAMES = 24;

export function segmentsOf(plan: SegmentPlan): number {
  return Math.max(0, plan.boundariesSec.length - 1);
}

export function isVideo(work: RunWork): work is CopyVideo | EncodeVideo {
  return work.kind === "copy_video" || work.kind === "encode_video";
}

/** Samples per second of what an audio run gives: browsers take 44.1 and 48 kHz everywhere, others become 48. */
export function encodedSampleRate(sourceRate: number): 44_100 | 48_000 {
  return sourceRate === 44_100 ? 44_100 : 48_000;
}
