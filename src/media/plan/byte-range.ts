// Where in the file a segment's bytes lie, so that they are asked of the swarm before ffmpeg starts to read. An estimate:
// containers interleave their tracks by about a second, and ffmpeg's own reads say the rest.

import type { ByteRange } from "../../base/byte-range.ts";
import type { SegmentPlan } from "../ports.ts";
import { durationOf, segmentCountOf, upperBound } from "./segment-plan.ts";

export interface FilmFile {
  readonly lengthBytes: number;
  /** The plan of the film's video where it has key frames: it knows the places of all other tracks as well. */
  readonly video: SegmentPlan | null;
}

/** Never empty while the file is not; inside the file for any segment number. */
export function byteRangeOf(plan: SegmentPlan, segment: number, file: FilmFile): ByteRange {
  const last = segmentCountOf(plan) - 1;
  const n = Math.max(0, Math.min(segment, last));
  const fromSec = plan.boundariesSec[n] ?? 0;
  const toSec = plan.boundariesSec[n + 1] ?? fromSec;
  const wholeSec = durationOf(plan);
  const found =
    indexed(file, fromSec, toSec) ?? proportional(file.lengthBytes, fromSec / wholeSec, toSec / wholeSec);
  return inside(found, file.lengthBytes);
}

function indexed({ lengthBytes, video }: FilmFile, fromSec: number, toSec: number): ByteRange | null {
  if (video === null || video.keyframes === null) return null;
  const { positionsBytes } = video.keyframes;
  const first = Math.max(0, upperBound(video.boundariesSec, fromSec) - 1);
  const start = positionsBytes[Math.min(first, positionsBytes.length - 1)] ?? 0;
  let next = first;
  while (next < positionsBytes.length && (video.boundariesSec[next] ?? 0) < toSec) next++;
  // Several key frames can lie in one cluster, and then share its place.
  while (next < positionsBytes.length && (positionsBytes[next] ?? 0) <= start) next++;
  return { start, end: positionsBytes[next] ?? lengthBytes };
}

function proportional(lengthBytes: number, fromShare: number, toShare: number): ByteRange {
  return { start: Math.floor(fromShare * lengthBytes), end: Math.ceil(toShare * lengthBytes) };
}

/** An index may lie about the length of the file. */
function inside({ start, end }: ByteRange, lengthBytes: number): ByteRange {
  const from = Math.max(0, Math.min(start, lengthBytes - 1));
  return { start: from, end: Math.max(Math.min(end, lengthBytes), Math.min(from + 1, lengthBytes)) };
}
