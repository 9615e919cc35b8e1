// Where the segments of each kind of rendition begin. Pure: the same film gives the same plan on every start, which is
// what lets a cached segment, a playlist in a player and a new run agree.
// Copied video can be cut at its key frames alone; what is encoded from the same film takes the same boundaries, so
// that a player changes over at any of them.

import { LIMITS } from "../../base/limits.ts";
import type { KeyframeIndex, SegmentPlan } from "../ports.ts";
import { cleanKeyframes, TIME_GRAIN_SEC } from "./clean-keyframes.ts";

/** Frames of AAC in a segment of audio: 4.01 s at 48 kHz, 4.37 s at 44.1 kHz. */
export const AUDIO_SEGMENT_FRAMES = 188;
export const AAC_FRAME_SAMPLES = 1024;

/** A last segment shorter than this belongs to the one before it. */
const TAIL_SEC = 1;
/** What a film lasts at least behind its last key frame: a picture, or a bit more where nothing tells the length. */
const PICTURE_SEC = 0.04;
const UNTOLD_TAIL_SEC = 1;

export interface VideoFilm {
  readonly keyframes: KeyframeIndex;
  /** As the container tells it. */
  readonly durationSec: number | null;
  /** Segments are at least this long, and as much longer as the next key frame is late. */
  readonly targetSec: number;
}

/** Video with an index. Null where not one key frame is usable: such video is not copied. */
export function planVideo(film: VideoFilm): SegmentPlan | null {
  const keyframes = cleanKeyframes(film.keyframes);
  const lastSec = keyframes.timesSec.at(-1);
  if (lastSec === undefined) return null;
  const endSec = endOfVideo(lastSec, film.durationSec);
  const stepSec = spacing(film.targetSec - TIME_GRAIN_SEC, endSec);
  const chosen = cutPoints(keyframes.timesSec, endSec, stepSec);
  const { timesSec, positionsBytes } = keyframes;
  const boundariesSec = Float64Array.from([0, ...chosen.slice(1).map((i) => timesSec[i] ?? 0), endSec]);
  return {
    boundariesSec,
    keyframes: {
      timesSec: Float64Array.from(chosen, (i) => timesSec[i] ?? 0),
      positionsBytes: Float64Array.from(chosen, (i) => positionsBytes[i] ?? 0),
    },
    nextKeyframesSec: Float64Array.from(chosen, (i) => timesSec[i + 1] ?? Number.POSITIVE_INFINITY),
    sampleRate: null,
  };
}

/** Encoded video of a film without an index; null where its length is not known. Boundaries lie on pictures. */
export function planLinear(film: {
  readonly durationSec: number | null;
  readonly targetSec: number;
  readonly framesPerSec: number | null;
  /** As in SegmentPlan. */
  readonly startSec?: number;
}): SegmentPlan | null {
  const endSec = boundedDuration(film.durationSec);
  if (endSec === null) return null;
  const stepSec = spacing(film.targetSec, endSec);
  const rate = film.framesPerSec;
  const onPicture = (sec: number) =>
    rate !== null && rate >= 1 && rate <= 1000 ? Math.round(sec * rate) / rate : sec;
  const plan = gridPlan({ endSec, startOf: (segment) => onPicture(segment * stepSec), sampleRate: null });
  return onClock(plan, film.startSec);
}

/** The rates that audio is delivered in; whatever else becomes 48 kHz. */
export function gridRateOf(sampleRate: number): 44100 | 48000 {
  return sampleRate === 44100 ? 44100 : 48000;
}

/** Audio, copied or encoded. `durationSec` is that of the film's video where it has any. */
export function planAudio(film: {
  readonly durationSec: number | null;
  readonly sampleRate: number;
  /** As in SegmentPlan. */
  readonly startSec?: number;
}): SegmentPlan | null {
  const durationSec = boundedDuration(film.durationSec);
  if (durationSec === null) return null;
  const sampleRate = gridRateOf(film.sampleRate);
  const segmentSamples = AUDIO_SEGMENT_FRAMES * AAC_FRAME_SAMPLES;
  const frames = Math.ceil((durationSec * sampleRate) / AAC_FRAME_SAMPLES - TIME_GRAIN_SEC);
  const endSec = (Math.max(1, frames) * AAC_FRAME_SAMPLES) / sampleRate;
  const startOf = (segment: number) => (segment * segmentSamples) / sampleRate;
  return onClock(gridPlan({ endSec, startOf, sampleRate }), film.startSec);
}

/** Subtitles, on the boundaries of the film's video (or of its audio where it has no video). */
export function planSubtitles(film: SegmentPlan): SegmentPlan {
  return { boundariesSec: film.boundariesSec, keyframes: null, sampleRate: null };
}

export function segmentCountOf(plan: SegmentPlan): number {
  return plan.boundariesSec.length - 1;
}

/** What all segments of a plan last together. */
export function durationOf(plan: SegmentPlan): number {
  return plan.boundariesSec.at(-1) ?? 0;
}

/** The longest of a plan's segments: key frames may be so rare that copying serves nobody. */
export function longestSegmentSec(plan: SegmentPlan): number {
  let longest = 0;
  plan.boundariesSec.forEach((sec, i, all) => {
    if (i > 0) longest = Math.max(longest, sec - (all[i - 1] ?? 0));
  });
  return longest;
}

/** The segment that is shown at `sec`: the first before the film, the last behind it. */
export function segmentAt(plan: SegmentPlan, sec: number): number {
  return Math.max(0, Math.min(segmentCountOf(plan), upperBound(plan.boundariesSec, sec)) - 1);
}

/** How many of `ascending` are not above `value`. */
export function upperBound(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function boundedDuration(sec: number | null): number | null {
  return sec !== null && sec > 0 ? Math.min(sec, LIMITS.hls.filmSec) : null;
}

function endOfVideo(lastKeyframeSec: number, told: number | null): number {
  const durationSec = boundedDuration(told);
  if (durationSec === null) return lastKeyframeSec + UNTOLD_TAIL_SEC;
  return Math.max(durationSec, lastKeyframeSec + PICTURE_SEC);
}

/** Long enough that no plan has more segments than the limit. */
function spacing(targetSec: number, endSec: number): number {
  return Math.max(targetSec, endSec / (LIMITS.hls.segments - 1));
}

/** Positions in the list of the key frames that segments start at. The film begins with the first, whenever that is. */
function cutPoints(timesSec: Float64Array, endSec: number, stepSec: number): number[] {
  const chosen = [0];
  let last = 0;
  for (let i = 1; i < timesSec.length; i++) {
    const sec = timesSec[i] ?? 0;
    if (sec - last < stepSec) continue;
    chosen.push(i);
    last = sec;
  }
  if (chosen.length > 1 && endSec - last < TAIL_SEC) chosen.pop();
  return chosen;
}

/** Segments from `startOf` one number to the next, as many as there is film. */
function gridPlan(grid: {
  readonly endSec: number;
  readonly startOf: (segment: number) => number;
  readonly sampleRate: number | null;
}): SegmentPlan {
  const starts = [0];
  for (let sec = grid.startOf(1); grid.endSec - sec >= TAIL_SEC; sec = grid.startOf(starts.length)) {
    starts.push(sec);
  }
  const boundariesSec = Float64Array.from([...starts, grid.endSec]);
  return { boundariesSec, keyframes: null, sampleRate: grid.sampleRate };
}

function onClock(plan: SegmentPlan, startSec = 0): SegmentPlan {
  return startSec === 0 ? plan : { ...plan, startSec };
}
