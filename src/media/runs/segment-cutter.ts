// From a run's stdout to its init segment and its finished segments. Pure: bytes in, bytes out, no process, no clock.

import { LIMITS } from "../../base/limits.ts";
import { FragmentStream } from "../fmp4/fragment-stream.ts";
import type { InitTrack } from "../fmp4/init-facts.ts";
import { writeSegment } from "../fmp4/segment-writer.ts";
import type { VideoTrack } from "../ports.ts";
import { AudioSlicer, type FrameGrid } from "./audio-slicer.ts";
import { Boundaries } from "./boundaries.ts";
import {
  AAC_FRAME,
  type CopyAudio,
  type EncodeAudio,
  isVideo,
  type RunJob,
  type RunStart,
} from "./run-job.ts";
import { silentFrame, silentSegment } from "./silence.ts";
import type { SlicedSegment, Slicer } from "./slicer.ts";
import { VideoSlicer } from "./video-slicer.ts";

export interface CutterSink {
  init(bytes: Uint8Array): void;
  segment(n: number, bytes: Uint8Array): void;
}

export interface CutterOptions {
  readonly job: RunJob;
  readonly start: RunStart;
  /** A beginning that may lack something throws BadStart; else it is taken for what the film has. */
  readonly isStrict: boolean;
  /** Shared by all runs of a rendition. */
  readonly grid: FrameGrid;
  readonly sink: CutterSink;
}

/** Below half a frame, and beyond the rounding of a container to milliseconds. */
const VIDEO_SLACK_SEC = 0.011;
const VIDEO_SLACK_FRAMES = 0.4;
const VIDEO_SLACK_MIN_SEC = 0.002;
const AUDIO_SLACK_SEC = 0.005;
const MIN_FRAMES_PER_SEC = 10;

export class SegmentCutter {
  readonly #options: CutterOptions;
  readonly #stream: FragmentStream;
  #track: InitTrack | null = null;
  #slicer: Slicer | null = null;

  constructor(options: CutterOptions) {
    this.#options = options;
    this.#stream = new FragmentStream(LIMITS.runs.boxBytes, {
      init: (bytes, track) => this.#begin(bytes, track),
      sample: (sample) => this.#slicer?.push(sample),
    });
  }

  /** The segment that comes out next. */
  get next(): number {
    return this.#slicer?.next ?? this.#options.start.segment;
  }

  /** Throws BadStart, and TorrxError for output that is none. */
  push(chunk: Uint8Array): void {
    this.#stream.push(chunk);
  }

  /** What there is of the segment that had begun when the output ended; null for nothing. */
  end(): Uint8Array | null {
    this.#stream.end();
    const rest = this.#slicer?.end() ?? null;
    return rest === null || this.#track === null ? null : packed(this.#track, rest);
  }

  #begin(bytes: Uint8Array, track: InitTrack): void {
    this.#track = track;
    this.#slicer = this.#slicerFor(track);
    this.#options.sink.init(bytes);
  }

  #slicerFor(track: InitTrack): Slicer {
    const { job, start, isStrict, grid, sink } = this.#options;
    const { work } = job;
    const boundaries = boundariesOf(job, track);
    const first = start.segment;
    const lateSec = isStrict && first > 0 ? latenessSec(job) : null;
    const common = {
      boundaries,
      first,
      latestStart:
        lateSec === null ? null : boundaries.startOf(first) + Math.round(lateSec * track.timescale),
      onSegment: (segment: SlicedSegment) => sink.segment(segment.n, packed(track, segment)),
    };
    if (!isVideo(work)) return new AudioSlicer({ ...common, grid, silence: silenceFor(work) });
    const refuseOpenStart = isStrict && work.kind === "copy_video" && first > 0;
    return new VideoSlicer({ ...common, refuseOpenStart });
  }
}

/** How far behind its segment's start a run may begin, if nothing is missing; null where that tells nothing. */
function latenessSec(job: RunJob): number | null {
  switch (job.work.kind) {
    case "copy_video":
      return videoSlackSec(job);
    case "encode_video":
      return job.plan.keyframes === null ? blindSlackSec(job.work.track) : videoSlackSec(job);
    case "copy_audio":
      return (frameTicksOf(job) ?? AAC_FRAME) / job.work.track.sampleRate;
    case "encode_audio":
      // It fills up with silence what it does not have.
      return null;
  }
}

/** Boundaries that are not key frames lie between pictures. */
function blindSlackSec(track: VideoTrack): number {
  return 1.5 / Math.max(MIN_FRAMES_PER_SEC, track.framesPerSec ?? MIN_FRAMES_PER_SEC);
}

/** Ticks of one frame; null where frames differ, and for pictures. */
export function frameTicksOf(job: RunJob): number | null {
  const { work } = job;
  if (work.kind === "encode_audio") return AAC_FRAME;
  if (work.kind !== "copy_audio") return null;
  return FRAME_TICKS[work.track.codec] ?? null;
}

const FRAME_TICKS: Readonly<Record<string, number>> = { aac: AAC_FRAME, ac3: 1536, eac3: 1536 };

/** A frame of silence in the form of what an audio rendition gives, or null. */
export function silenceFor(work: EncodeAudio | CopyAudio): Uint8Array | null {
  if (work.kind === "encode_audio") return silentFrame(work.making.channels === 1 ? 1 : 2);
  return work.track.codec === "aac" ? silentFrame(work.track.channels) : null;
}

/** Segment n of a film whose sound has ended before it, or null where that cannot be made. */
export function segmentOfSilence(job: RunJob, n: number, init: InitTrack): Uint8Array | null {
  if (isVideo(job.work)) return null;
  const frame = silenceFor(job.work);
  return frame === null ? null : packed(init, silentSegment(boundariesOf(job, init), n, frame));
}

function boundariesOf(job: RunJob, track: InitTrack): Boundaries {
  const slackSec = isVideo(job.work) ? videoSlackSec(job) : AUDIO_SLACK_SEC;
  return new Boundaries(job.plan.boundariesSec, track.timescale, slackSec);
}

function videoSlackSec(job: RunJob): number {
  const framesPerSec = isVideo(job.work) ? job.work.track.framesPerSec : null;
  if (framesPerSec === null || framesPerSec <= 0) return VIDEO_SLACK_SEC;
  return Math.max(VIDEO_SLACK_MIN_SEC, Math.min(VIDEO_SLACK_SEC, VIDEO_SLACK_FRAMES / framesPerSec));
}

function packed(track: InitTrack, segment: SlicedSegment): Uint8Array {
  const { n, samples, endDts } = segment;
  return writeSegment({ trackId: track.trackId, sequence: n + 1, samples, endDts });
}
