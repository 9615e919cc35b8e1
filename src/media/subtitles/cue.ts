// A cue, and what holds for every list of cues that leaves a parser: sorted by start, each with 0 ≤ start < end, none
// twice, bounded in number and length.

import { LIMITS } from "../../base/limits.ts";

declare const cueText: unique symbol;

/**
 * WebVTT cue text: & < > are escaped, the only tags are <i> <b> <u>, properly nested and closed; lines are parted by
 * \n, none is blank. Made by cue-text.ts alone.
 */
export type CueText = string & { readonly [cueText]: true };

export interface Cue {
  readonly startSec: number;
  readonly endSec: number;
  readonly text: CueText;
  /** WebVTT cue settings ("line:0 align:left"), checked; null where the player's own place is right. */
  readonly settings: string | null;
}

/** Longest time that can be written down as hh:mm:ss.mmm with two digits of hours, whole seconds. */
const TIME_MAX_SEC = 99 * 3600 + 59 * 60 + 59;
/** How long a cue stays whose end is missing or lies before its start, unless the next one comes sooner. */
const UNKNOWN_END_SEC = 3;
const SHORTEST_SEC = 0.2;
/** Typeset signs come as one event per frame: the same text, each beginning where the last one ends. */
const SAME_TEXT_GAP_SEC = 0.06;

/** Brings what a file says in order; see the head of this file. Reads at most LIMITS.subtitles.cues of them. */
export function tidied(cues: readonly Cue[]): Cue[] {
  const sorted = cues
    .slice(0, LIMITS.subtitles.cues)
    .filter((cue) => cue.text !== "" && Number.isFinite(cue.startSec) && cue.startSec <= TIME_MAX_SEC)
    .sort((a, b) => a.startSec - b.startSec);
  const timed = sorted.map((cue, i) => withEnd(cue, sorted[i + 1]));
  return withoutRepeats(timed.filter((cue) => cue.endSec > 0).map(clamped));
}

function withEnd(cue: Cue, next: Cue | undefined): Cue {
  if (cue.endSec > cue.startSec) return cue;
  const untilNextSec = next === undefined ? UNKNOWN_END_SEC : next.startSec - cue.startSec;
  const lastsSec = Math.max(SHORTEST_SEC, Math.min(UNKNOWN_END_SEC, untilNextSec));
  return { ...cue, endSec: cue.startSec + lastsSec };
}

function clamped(cue: Cue): Cue {
  if (cue.startSec >= 0 && cue.endSec <= TIME_MAX_SEC) return cue;
  const startSec = Math.max(0, cue.startSec);
  return { ...cue, startSec, endSec: Math.max(startSec + 0.001, Math.min(cue.endSec, TIME_MAX_SEC)) };
}

/** Drops copies (layers of one line) and joins what only goes on. */
function withoutRepeats(cues: readonly Cue[]): Cue[] {
  const kept: Cue[] = [];
  const lastOf = new Map<string, number>();
  for (const cue of cues) {
    const key = `${cue.settings ?? ""}\n${cue.text}`;
    const at = lastOf.get(key);
    const last = at === undefined ? undefined : kept[at];
    if (at !== undefined && last !== undefined && cue.startSec <= last.endSec + SAME_TEXT_GAP_SEC) {
      kept[at] = { ...last, endSec: Math.max(last.endSec, cue.endSec) };
    } else {
      lastOf.set(key, kept.push(cue) - 1);
    }
  }
  return kept;
}
