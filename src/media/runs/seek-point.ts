// Where in the film a run has ffmpeg begin, so that it gets the segment's first frame and as little before as may be.

import type { SegmentPlan } from "../ports.ts";
import {
  AAC_FRAME,
  encodedSampleRate,
  isVideo,
  PREROLL_FRAMES,
  type RunJob,
  type RunStart,
} from "./run-job.ts";

export interface SeekPoint {
  /** The film's own time that is sought; null begins at the film's first byte. */
  readonly seekSec: number | null;
  /** Where the bytes are that will be read first behind the header; null where unknown. */
  readonly fromBytes: number | null;
  /** The segment starts at a key frame that the index knows: the first picture cannot be later. */
  readonly isKeyframe: boolean;
}

/** ffmpeg seeks 3/23 s (0.1304) earlier than told where a stream has B-frames; this gets past that, and little more. */
const PAST_KEYFRAME_SEC = 0.15;
/** Lands on the key frame before, whichever that is; MP4 seeks by decoding time, which may be some frames earlier. */
const BEFORE_KEYFRAME_SEC = 0.5;
/** An index rounds to milliseconds. */
const INDEX_ERROR_SEC = 0.001;
/** Sound lies up to so far from the pictures of its time in the file. */
const INTERLEAVE_SEC = 0.7;
const COPY_INTERLEAVE_SEC = 0.3;
/** One step back where there are no key frames to count. */
const STEP_BACK_SEC = 10;

export function seekPointOf(job: RunJob, start: RunStart): SeekPoint {
  if (!isVideo(job.work)) return audioSeekPoint(job, start);
  const atSec = job.plan.boundariesSec[start.segment] ?? 0;
  if (start.segment === 0) return { seekSec: null, fromBytes: null, isKeyframe: false };
  if (job.plan.keyframes === null) return plainSeek(atSec - start.stepsBack * STEP_BACK_SEC);
  return keyframeSeekPoint(job.plan, atSec, start.stepsBack);
}

function keyframeSeekPoint(plan: SegmentPlan, atSec: number, stepsBack: number): SeekPoint {
  const timesSec = plan.keyframes?.timesSec ?? new Float64Array(0);
  const i = lastAtOrBefore(timesSec, atSec + INDEX_ERROR_SEC);
  const keyframeSec = timesSec[i];
  if (keyframeSec === undefined || i === 0) return { seekSec: null, fromBytes: null, isKeyframe: i === 0 };
  if (stepsBack > 0) {
    const { seekSec } = plainSeek(keyframeSec - BEFORE_KEYFRAME_SEC - (stepsBack - 1) * STEP_BACK_SEC);
    return { seekSec, fromBytes: null, isKeyframe: true };
  }
  const nextSec = plan.nextKeyframesSec?.[i] ?? timesSec[i + 1] ?? Number.POSITIVE_INFINITY;
  return {
    seekSec: keyframeSec + Math.min((nextSec - keyframeSec) / 2, PAST_KEYFRAME_SEC),
    fromBytes: plan.keyframes?.positionsBytes[i] ?? null,
    isKeyframe: true,
  };
}

function audioSeekPoint(job: RunJob, start: RunStart): SeekPoint {
  const atSec = job.plan.boundariesSec[start.segment] ?? 0;
  const backSec = start.stepsBack * STEP_BACK_SEC;
  if (job.work.kind === "copy_audio") return plainSeek(atSec - COPY_INTERLEAVE_SEC - backSec);
  const rate = encodedSampleRate(job.plan.sampleRate ?? 0);
  return plainSeek(firstSampleOf(job, start) / rate - INTERLEAVE_SEC - backSec);
}

/** The sample with which an encode of sound begins: some frames before the segment, on the grid. */
export function firstSampleOf(job: RunJob, start: RunStart): number {
  const rate = encodedSampleRate(job.plan.sampleRate ?? 0);
  const atSec = job.plan.boundariesSec[start.segment] ?? 0;
  const frame = Math.round((atSec * rate) / AAC_FRAME) - PREROLL_FRAMES;
  return Math.max(0, frame) * AAC_FRAME;
}

function plainSeek(sec: number): SeekPoint {
  return { seekSec: sec > 0 ? sec : null, fromBytes: null, isKeyframe: false };
}

function lastAtOrBefore(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
