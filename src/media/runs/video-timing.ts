// Decoding times of a segment's pictures, made from nothing but when they are shown: what a muxer writes as decoding
// time depends on where its run began, and any two runs must give the same segment.
//
// The n-th picture in the order of decoding gets the n-th smallest presentation time, moved so that the key frame has
// its own. So a segment begins exactly where the playlist says, also when pictures that are shown before the key frame
// follow it (open GOP).
//
// Pictures from before 0 (an edit list leaves them out; others need them to be decoded) are shown a tick each from 0 on:
// players throw away what is shown before 0, and everything up to the next key frame with it.

import type { Sample } from "../fmp4/fragment.ts";
import type { SegmentSample } from "../fmp4/segment-writer.ts";

export interface NextStart {
  /** When the key frame behind the segment is shown; null where the film ends. */
  readonly keyframePts: number | null;
  /** Pictures follow that key frame which are shown before it. */
  readonly isOpen: boolean;
}

export interface TimedSegment {
  readonly samples: readonly SegmentSample[];
  readonly endDts: number;
}

/** `samples` are in the order of decoding, at least one; the first is the key frame. */
export function timeSegment(samples: readonly Sample[], next: NextStart): TimedSegment {
  const pts = shownTimes(samples);
  const shown = pts.toSorted((a, b) => a - b);
  const shift = (pts[0] ?? 0) - (shown[0] ?? 0);
  const boundary = next.keyframePts ?? Number.POSITIVE_INFINITY;
  const timed = samples.map(({ isSync, bytes }, i) => {
    // Strictly before the next segment, whatever the shift: decoding times never step back.
    const latest = boundary - (samples.length - i);
    const dts = Math.max(0, Math.min((shown[i] ?? 0) + shift, latest));
    return { dts, pts: pts[i] ?? dts, isSync, bytes };
  });
  return { samples: timed, endDts: endOf(samples, timed.at(-1)?.dts ?? 0, next) };
}

/** When each is shown: at its time, and not before those that precede it have had a tick each from 0 on. */
function shownTimes(samples: readonly Sample[]): Float64Array {
  const times = Float64Array.from(samples, ({ pts }) => pts);
  const inOrder = samples.map(({ pts }, i) => ({ pts, i })).sort((a, b) => a.pts - b.pts);
  for (const [rank, { pts, i }] of inOrder.entries()) times[i] = Math.max(pts, rank);
  return times;
}

function endOf(samples: readonly Sample[], lastDts: number, next: NextStart): number {
  const own = lastDts + (samples.at(-1)?.duration ?? 0);
  if (next.keyframePts === null) return own;
  // Not up to an open GOP's key frame: the pictures before it are the next segment's.
  const end = next.isOpen ? Math.min(own, next.keyframePts) : next.keyframePts;
  return Math.max(end, lastDts);
}
