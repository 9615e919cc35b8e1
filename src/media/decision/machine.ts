// What this machine can encode in real time. Work is counted in pixels as expensive as those that x264 makes: its speed
// is measured here (encoders/), what decoding and filters cost beside it was measured once.

import type { EncoderFacts } from "../encoders/encoder-facts.ts";
import type { VideoEncoder, VideoTrack } from "../ports.ts";

export interface Machine extends EncoderFacts {
  /** That this process may use. */
  readonly cores: number;
}

export interface EncodeWork {
  readonly video: VideoTrack;
  readonly heightLimit: number | null;
  readonly toneMap: boolean;
}

/** Reserve for scenes that are harder than the measured one, and for the rest of the server. */
const SPEED_NEEDED = 1.2;
/** Two cores do not do twice the work. */
const CORES_SHARE = 0.85;
/** One core of a small home server of 2015. */
const PIXELS_PER_CORE_SEC_ASSUMED = 25e6;
const FRAMES_PER_SEC_ASSUMED = 30;
/** Per pixel of the source, beside an x264 pixel of 1. */
const DECODE_COSTS: Readonly<Record<string, number>> = { h264: 0.25, hevc: 0.35, av1: 0.35, vp9: 0.25 };
const DECODE_COST_OTHER = 0.1;
const DEINTERLACE_COST = 0.1;
/** Per pixel that is encoded. */
const TONE_MAP_COST = 0.8;
const ENCODE_COSTS: Readonly<Record<VideoEncoder["kind"], number>> = {
  x264: 1,
  nvenc: 0.1,
  qsv: 0.1,
  vaapi: 0.1,
};

/** The first encoder that keeps up, or null. */
export function encoderFor(work: EncodeWork, machine: Machine): VideoEncoder | null {
  return machine.encoders.find((encoder) => encodeSpeed(work, encoder, machine) >= SPEED_NEEDED) ?? null;
}

/** Seconds of film that are made in a second when nothing else runs; an estimate. */
export function encodeSpeed(work: EncodeWork, encoder: VideoEncoder, machine: Machine): number {
  const { video } = work;
  const perCore = machine.x264PixelsPerCoreSec ?? PIXELS_PER_CORE_SEC_ASSUMED;
  const cores = machine.cores <= 1 ? machine.cores : machine.cores * CORES_SHARE;
  const perFrame =
    video.width * video.height * readCost(video) +
    pixelsOut(work) * (ENCODE_COSTS[encoder.kind] + mapCost(work));
  return (perCore * cores) / (perFrame * (video.framesPerSec ?? FRAMES_PER_SEC_ASSUMED));
}

function readCost(video: VideoTrack): number {
  return (DECODE_COSTS[video.codec] ?? DECODE_COST_OTHER) + (video.isInterlaced ? DEINTERLACE_COST : 0);
}

function mapCost(work: EncodeWork): number {
  return work.toneMap ? TONE_MAP_COST : 0;
}

function pixelsOut({ video, heightLimit }: EncodeWork): number {
  const scale = heightLimit === null ? 1 : Math.min(1, heightLimit / video.height);
  return video.width * video.height * scale ** 2;
}
