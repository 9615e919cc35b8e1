// From a run's stdout to its init segment and its finished segments. Pure: bytes in, bytes out, no process, no clock.

import { LIMITS } from "../../base/limits.ts";
import { FragmentStream } from "../fmp4/fragment-stream.ts";
import type { InitTrack } from "../fmp4/init-facts.ts";
import { writeSegment } from "../fmp4/segment-writer.ts";
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
import { seekPointOf } from "./seek-point.ts";
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
/** Players bridge less by themselves: what pictures that are decoded ahead leave free. */
const LATE_FILM_SEC = 0.2;
/** Where no key frame is known the first picture of a segment need not lie on its boundary, but soon behind it. */
const LANDING_SLACK_SEC = 0.1;
const LANDING_SLACK_FRAMES = 1.5;

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
    const startTicks = boundaries.startOf(start.segment);
    const onSegment = (segment: SlicedSegment) => sink.segment(segment.n, packed(track, segment));
    const first = start.segment;
    if (isVideo(work)) {
      const lateSec = isStrict ? latestStartSec(job, start) : null;
      return new VideoSlicer({
        boundaries,
        first,
        latestStart: lateSec === null ? null : startTicks + Math.round(lateSec * track.timescale),
        lateFilm: LATE_FILM_SEC * track.timescale,
        refuseOpenStart: isStrict && work.kind === "copy_video" && first > 0,
        onSegment,
      });
    }
    const isChecked = isStrict && work.kind === "copy_audio" && first > 0;
    const latestStart = isChecked ? startTicks + (grid.frameTicks ?? AAC_FRAME) : null;
    return new AudioSlicer({ boundaries, first, latestStart, grid, silence: silenceFor(work), onSegment });
  }
}

/** Ticks of one frame; null where frames differ, and for pictures. */
export function frameTicksOf(job: RunJob): number | null {
  const { work } = job;
  if (work.kind === "encode_audio") return AAC_FRAME;
  if (work.kind !== "copy_audio") return null;
  return work.track.codec === "aac" ? AAC_FRAME : null;
}

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

/** How much later than its segment a run's first picture may be; null where nothing can be said of it. */
function latestStartSec(job: RunJob, start: RunStart): number | null {
  if (seekPointOf(job, start).isKeyframe) return videoSlackSec(job);
  if (job.plan.keyframes !== null || start.segment === 0) return null;
  const framesPerSec = isVideo(job.work) ? job.work.track.framesPerSec : null;
  if (framesPerSec === null || framesPerSec <= 0) return LANDING_SLACK_SEC;
  return Math.max(LANDING_SLACK_SEC, LANDING_SLACK_FRAMES / framesPerSec);
}

function packed(track: InitTrack, segment: SlicedSegment): Uint8Array {
  const { n, samples, endDts } = segment;
  return writeSegment({ trackId: track.trackId, sequence: n + 1, samples, endDts });
}
