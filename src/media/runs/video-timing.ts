// Decoding times of a segment's pictures, made from nothing but when they are shown: what a muxer writes as decoding
// time depends on where its run began, and any two runs must give the same segment.
//
// The n-th picture in the order of decoding gets the n-th smallest presentation time, moved so that the key frame has
// its own. So a segment begins exactly where the playlist says, also when pictures that are shown before the key frame
// follow it (open GOP).

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
  const shown = samples.map(({ pts }) => pts).sort((a, b) => a - b);
  const shift = (samples[0]?.pts ?? 0) - (shown[0] ?? 0);
  const boundary = next.keyframePts ?? Number.POSITIVE_INFINITY;
  const timed = samples.map(({ pts, isSync, bytes }, i) => {
    // Strictly before the next segment, whatever the shift: decoding times never step back.
    const latest = boundary - (samples.length - i);
    const dts = Math.max(0, Math.min((shown[i] ?? pts) + shift, latest));
    return { dts, pts, isSync, bytes };
  });
  return { samples: timed, endDts: endOf(samples, timed.at(-1)?.dts ?? 0, next) };
}

function endOf(samples: readonly Sample[], lastDts: number, next: NextStart): number {
  const own = lastDts + (samples.at(-1)?.duration ?? 0);
  if (next.keyframePts === null) return own;
  // Not up to an open GOP's key frame: the pictures before it are the next segment's.
  const end = next.isOpen ? Math.min(own, next.keyframePts) : next.keyframePts;
  return Math.max(end, lastDts);
}
