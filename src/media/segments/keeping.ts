// How long a rendition's segments are worth keeping, by where its viewers are. What is copied is made again in a moment,
// so only what is near a viewer stays; what had to be encoded stays as long as there is room.

import type { SegmentPlan } from "../ports.ts";

const COPIED_BEHIND_SEC = 120;
const COPIED_AHEAD_SEC = 60;

export interface ViewedRendition {
  readonly plan: SegmentPlan;
  readonly isCopied: boolean;
  /** Where its viewers are; none: nobody is known to watch, and all is kept while there is room. */
  readonly placesSec: readonly number[];
}

/** What NeededIn tells of one of the rendition's segments. */
export function neededInSec(viewed: ViewedRendition, segment: number | "init"): number | null {
  const { plan, isCopied, placesSec } = viewed;
  if (placesSec.length === 0) return Number.POSITIVE_INFINITY;
  if (segment === "init") return 0;
  const startSec = plan.boundariesSec[segment] ?? Number.POSITIVE_INFINITY;
  const endSec = plan.boundariesSec[segment + 1] ?? startSec;
  let soonestSec = Number.POSITIVE_INFINITY;
  let isNear = false;
  for (const placeSec of placesSec) {
    isNear ||= endSec >= placeSec - COPIED_BEHIND_SEC && startSec <= placeSec + COPIED_AHEAD_SEC;
    if (endSec > placeSec) soonestSec = Math.min(soonestSec, Math.max(0, startSec - placeSec));
  }
  return isCopied && !isNear ? null : soonestSec;
}
