// What a rendition takes of the viewer's line, as BANDWIDTH and AVERAGE-BANDWIDTH tell it (RFC 8216 §4.3.4.2): of copied
// video from the places of its key frames, before a byte of it is there.

import type { SegmentPlan } from "../ports.ts";
import { durationOf } from "./segment-plan.ts";

export interface Bandwidth {
  readonly peakBitsPerSec: number;
  readonly averageBitsPerSec: number;
}

export interface BandwidthFacts {
  /** Of the whole file. */
  readonly lengthBytes: number;
  /** The track's own rate as the probe tells it; used where the index tells none. */
  readonly bitsPerSec: number | null;
  /** The sum of what is known of the rates of the file's other tracks, whose bytes lie between. */
  readonly otherBitsPerSec: number;
}

/** Where only an average is known. */
const PEAK_OF_AVERAGE = 1.5;
/** A peak is that of so many segments in a row: a player's buffer evens out a single one. */
const PEAK_SEGMENTS = [2, 3];
/** Tags may claim more for the other tracks than the file holds. */
const OWN_SHARE_MIN = 0.1;

/** Whole numbers, at least 1, the peak not below the average. */
export function bandwidthOf(plan: SegmentPlan, facts: BandwidthFacts): Bandwidth {
  return fromPlaces(plan, facts) ?? fromRate(plan, facts);
}

/** Of what goes over the line together. */
export function sumOfBandwidths(parts: readonly Bandwidth[]): Bandwidth {
  return {
    peakBitsPerSec: parts.reduce((sum, { peakBitsPerSec }) => sum + peakBitsPerSec, 0),
    averageBitsPerSec: parts.reduce((sum, { averageBitsPerSec }) => sum + averageBitsPerSec, 0),
  };
}

/**
 * The last segment says nothing: what lies behind the last key frame can be the container's index. Null where the
 * places say nothing either.
 */
function fromPlaces(plan: SegmentPlan, facts: BandwidthFacts): Bandwidth | null {
  const places = plan.keyframes?.positionsBytes;
  if (places === undefined || places.length < 2) return null;
  const average = rateBetween(plan, places, [0, places.length - 1]);
  if (average <= 0) return null;
  let peak = average;
  for (const count of PEAK_SEGMENTS) {
    for (let to = count; to < places.length; to++) {
      peak = Math.max(peak, rateBetween(plan, places, [to - count, to]));
    }
  }
  const own = (rate: number) => Math.max(rate - facts.otherBitsPerSec, rate * OWN_SHARE_MIN);
  return whole(own(peak), own(average));
}

/** Bits per second from the start of one segment to that of another. */
function rateBetween(plan: SegmentPlan, places: Float64Array, [from, to]: readonly [number, number]): number {
  const bytes = (places[to] ?? 0) - (places[from] ?? 0);
  const sec = (plan.boundariesSec[to] ?? 0) - (plan.boundariesSec[from] ?? 0);
  return (bytes * 8) / sec;
}

function fromRate(plan: SegmentPlan, { lengthBytes, bitsPerSec }: BandwidthFacts): Bandwidth {
  const average = bitsPerSec !== null && bitsPerSec > 0 ? bitsPerSec : (lengthBytes * 8) / durationOf(plan);
  return whole(average * PEAK_OF_AVERAGE, average);
}

function whole(peak: number, average: number): Bandwidth {
  const bounded = (rate: number) => Math.max(1, Math.min(Math.ceil(rate), 2 ** 50));
  return { peakBitsPerSec: bounded(Math.max(peak, average)), averageBitsPerSec: bounded(average) };
}
