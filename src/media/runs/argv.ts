// The arguments of ffmpeg for one run: one track of one input, as fragmented MP4 on stdout, with the film's own times.
// What any two runs make joins without a gap because of: -copyts and -avoid_negative_ts disabled (no shift),
// -use_editlist 0 (none in the header either), frag_discont (tfdt begins at the run's time, not at 0),
// negative_cts_offsets (the first decoding time is not before 0), frag_every_frame (we see each frame as it comes, and
// cut and pack them ourselves).

import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { loopbackUrl, number, wholeNumber } from "./argument.ts";
import { audioFilter, videoFilters } from "./filters.ts";
import { forcedKeyframes } from "./forced-keyframes.ts";
import {
  type EncodeVideo,
  encodedSampleRate,
  type RunJob,
  type RunStart,
  type RunWork,
  segmentsOf,
} from "./run-job.ts";
import { firstSampleOf, seekPointOf } from "./seek-point.ts";
import { encoderArguments, encoderDevice, uploadFilters } from "./video-encoders.ts";

/** Containers that ffmpeg may take the input for; what names other files or URLs (hls, concat …) is not among them. */
export const INPUT_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf";

const QUIET = ["-nostdin", "-hide_banner", "-loglevel", "error"];

const ONLY_LOOPBACK = ["-protocol_whitelist", "http,tcp", "-format_whitelist", INPUT_FORMATS];

/**
 * The input may stall for minutes while pieces are waited for: that is no error, who waits decides. A broken
 * connection is taken up again where it broke; otherwise ffmpeg would go on behind a hole and still exit with 0.
 * No -multiple_requests: ffmpeg leaves an answer in the middle when it seeks, so there is nothing to keep.
 */
const PATIENT_HTTP = [
  ...["-seekable", "1", "-rw_timeout", "300000000"],
  ...["-reconnect", "1", "-reconnect_on_network_error", "1"],
  ...["-reconnect_on_http_error", "503", "-reconnect_delay_max", "4"],
];

/** ffmpeg 5.1 takes a shift by exactly a file's start for its own, and begins each mapped stream at 0: out of step. */
const BESIDE_START_SEC = 0.000001;

const FRAGMENTS = [
  ...["-f", "mp4", "-use_editlist", "0", "-movflags"],
  "+empty_moov+default_base_moof+frag_every_frame+frag_discont+skip_sidx+negative_cts_offsets",
  "pipe:1",
];

/**
 * What stands before `-i` in each call of a program that reads a film, and the input itself. `startSec`: what the
 * file's clock says at the film's 0; from here on there is the film's time alone.
 */
export function inputArgv(url: string, seekSec: number | null, startSec = 0): string[] {
  const seek =
    seekSec === null ? [] : ["-noaccurate_seek", "-seek_timestamp", "1", "-ss", number(seekSec + startSec)];
  const shift = startSec === 0 ? [] : ["-itsoffset", number(BESIDE_START_SEC - startSec)];
  return [...ONLY_LOOPBACK, ...PATIENT_HTTP, ...seek, ...shift, "-i", loopbackUrl(url)];
}

/** Every argument behind the name of the program. */
export function runArgv(job: RunJob, start: RunStart, url: string): readonly string[] {
  const { work } = job;
  if (!(start.segment >= 0 && start.segment < segmentsOf(job.plan))) {
    throw new TorrxError("internal", "a run that starts outside of its plan");
  }
  const { seekSec } = seekPointOf(job, start);
  const threads = ["-threads", wholeNumber(threadsOf(job))];
  return [
    ...QUIET,
    ...(work.kind === "encode_video" ? encoderDevice(work.encoder) : []),
    ...threads,
    ...inputArgv(url, seekSec, job.plan.startSec),
    ...["-map", `0:${wholeNumber(work.track.stream)}`, "-copyts", "-avoid_negative_ts", "disabled"],
    ...workArguments(job, start),
    ...(isCopy(work) ? [] : threads),
    ...FRAGMENTS,
  ];
}

/** The last segment + 1 that a run from `start` can give: as many key frames as fit an argument can be forced. */
export function endOfRun(job: RunJob, start: RunStart): number {
  if (job.work.kind !== "encode_video") return segmentsOf(job.plan);
  return forcedKeyframes(job.plan.boundariesSec, start.segment, LIMITS.runs.forcedKeyframes).end;
}

function isCopy(work: RunWork): boolean {
  return work.kind === "copy_video" || work.kind === "copy_audio";
}

/** Sound and copies need one; pictures get what the machine can give. */
function threadsOf(job: RunJob): number {
  return job.work.kind === "encode_video" ? Math.max(1, Math.floor(job.tools.threads)) : 1;
}

function workArguments(job: RunJob, start: RunStart): string[] {
  const { work } = job;
  switch (work.kind) {
    case "copy_video":
      // Apple's players know HEVC under this tag alone.
      return ["-copypriorss", "1", "-c:v", "copy", ...(work.making.isHevc ? ["-tag:v", "hvc1"] : [])];
    case "encode_video":
      return encodeVideo(job, work, start);
    case "copy_audio":
      return ["-copypriorss", "1", "-c:a", "copy"];
    case "encode_audio": {
      const rate = encodedSampleRate(job.plan.sampleRate ?? 0);
      const filter = audioFilter(work, rate, firstSampleOf(job, start));
      const channels = work.making.channels === 1 ? 1 : 2;
      const bits = channels === 1 ? "96k" : "160k";
      return [
        "-af",
        filter,
        "-c:a",
        "aac",
        "-ac",
        wholeNumber(channels),
        "-ar",
        wholeNumber(rate),
        "-b:a",
        bits,
      ];
    }
  }
}

function encodeVideo(job: RunJob, work: EncodeVideo, start: RunStart): string[] {
  const early = earlySec(work.track.framesPerSec);
  const atSec = job.plan.boundariesSec[start.segment] ?? 0;
  const fromSec = start.segment === 0 ? null : atSec - early;
  const filters = [...videoFilters(work, job.tools, fromSec), ...uploadFilters(work.encoder)];
  const { timesSec } = forcedKeyframes(job.plan.boundariesSec, start.segment, LIMITS.runs.forcedKeyframes);
  const forced = timesSec.map((sec) => number(Math.max(0, sec - early))).join(",");
  return [
    ...["-vf", filters.join(","), "-fps_mode", "passthrough", "-enc_time_base", "1:90000"],
    ...["-force_key_frames", forced],
    ...encoderArguments(work),
    ...(work.making.toneMap ? SDR_TAGS : []),
  ];
}

const SDR_TAGS = [
  ...["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
  ...["-color_range", "tv"],
];

/** Times are rounded differently on the way: a boundary is told a little early, by less than half a frame. */
function earlySec(framesPerSec: number | null): number {
  return Math.min(0.004, 0.25 / Math.max(1, framesPerSec ?? 60));
}
