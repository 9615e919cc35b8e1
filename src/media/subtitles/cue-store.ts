// The cues of one track that have been read so far, and for which stretches of the film they are all of them.

import { LIMITS } from "../../base/limits.ts";
import { type Cue, tidied } from "./cue.ts";
import { cuesWithin } from "./write-vtt.ts";

/** Film time [fromSec, toSec). */
export interface TimeRange {
  readonly fromSec: number;
  readonly toSec: number;
}

/** What two windows give of one line may differ by rounding alone. */
const NEAR_SEC = 1;

export class CueStore {
  #known: readonly TimeRange[] = [];
  /** Ascending by start. */
  #cues: readonly Cue[] = [];

  /** Ascending, disjoint, not touching one another. */
  get known(): readonly TimeRange[] {
    return this.#known;
  }

  get all(): readonly Cue[] {
    return this.#cues;
  }

  /** Stretches of [fromSec, toSec) that have not been read. */
  missing(fromSec: number, toSec: number): TimeRange[] {
    const gaps: TimeRange[] = [];
    let at = fromSec;
    for (const range of this.#known) {
      if (range.toSec <= at) continue;
      if (range.fromSec >= toSec) break;
      if (range.fromSec > at) gaps.push({ fromSec: at, toSec: range.fromSec });
      at = range.toSec;
    }
    if (at < toSec) gaps.push({ fromSec: at, toSec });
    return gaps;
  }

  /** `cues` are all that are on the screen within the range; those known already are not doubled. */
  add(range: TimeRange, cues: readonly Cue[]): void {
    this.#known = united(this.#known, range);
    if (cues.length === 0) return;
    const around = cues.reduce(spanning, range);
    const isNear = (cue: Cue) =>
      cue.startSec < around.toSec + NEAR_SEC && cue.endSec > around.fromSec - NEAR_SEC;
    const others = this.#cues.filter((cue) => !isNear(cue));
    const near = tidied([...this.#cues.filter(isNear), ...cues]);
    this.#cues = merged(others, near).slice(0, LIMITS.subtitles.cues);
  }

  within(fromSec: number, toSec: number): Cue[] {
    return cuesWithin(this.#cues, fromSec, toSec);
  }
}

function spanning(range: TimeRange, cue: Cue): TimeRange {
  return { fromSec: Math.min(range.fromSec, cue.startSec), toSec: Math.max(range.toSec, cue.endSec) };
}

function united(known: readonly TimeRange[], range: TimeRange): TimeRange[] {
  if (!(range.fromSec < range.toSec)) return [...known];
  const apart = known.filter(({ fromSec, toSec }) => toSec < range.fromSec || fromSec > range.toSec);
  const touching = known.filter((other) => !apart.includes(other));
  const union = touching.reduce(
    (a, b) => ({ fromSec: Math.min(a.fromSec, b.fromSec), toSec: Math.max(a.toSec, b.toSec) }),
    range,
  );
  return [...apart, union].sort((a, b) => a.fromSec - b.fromSec);
}

/** Of two lists ascending by start. */
function merged(a: readonly Cue[], b: readonly Cue[]): Cue[] {
  const out: Cue[] = [];
  let next = 0;
  for (const cue of a) {
    for (let other = b[next]; other !== undefined && other.startSec < cue.startSec; other = b[next]) {
      out.push(other);
      next++;
    }
    out.push(cue);
  }
  return [...out, ...b.slice(next)];
}
