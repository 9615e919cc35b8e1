// Where an encode is told to put key frames: at every boundary, and inside segments too long to seek in well. The list
// is one of absolute times (with -copyts an expression would count from the run's start), and the same for any run.

export interface ForcedKeyframes {
  readonly timesSec: readonly number[];
  /** The first segment whose start is not in the list; a run must end before it. */
  readonly end: number;
}

const LONG_SEC = 6;
const STEP_SEC = 4;
/** No film has a segment of more than an hour; a broken index may. */
const PARTS_MAX = 1_000;

/** From segment `from` on, not more than `most` of them. */
export function forcedKeyframes(boundariesSec: Float64Array, from: number, most: number): ForcedKeyframes {
  const segments = boundariesSec.length - 1;
  const timesSec: number[] = [];
  for (let n = from; n < segments; n++) {
    const within = insideOf(boundariesSec[n] ?? 0, boundariesSec[n + 1] ?? 0);
    if (n > from && timesSec.length + 1 + within.length > most) return { timesSec, end: n };
    timesSec.push(boundariesSec[n] ?? 0, ...within.slice(0, most));
  }
  return { timesSec, end: segments };
}

/** The times that cut a long segment into equal parts. */
function insideOf(startSec: number, endSec: number): number[] {
  const lengthSec = endSec - startSec;
  if (!(lengthSec > LONG_SEC)) return [];
  const parts = Math.min(Math.ceil(lengthSec / STEP_SEC), PARTS_MAX);
  return Array.from({ length: parts - 1 }, (_, i) => startSec + ((i + 1) * lengthSec) / parts);
}
