// The boundaries of a plan in ticks of a track.

export class Boundaries {
  readonly #ticks: Float64Array;
  readonly #slackTicks: number;

  /** A time that lies at most `slackSec` before a boundary counts as on it: containers round, to milliseconds mostly. */
  constructor(boundariesSec: Float64Array, timescale: number, slackSec: number) {
    this.#ticks = boundariesSec.map((sec) => Math.round(sec * timescale));
    this.#slackTicks = Math.round(slackSec * timescale);
  }

  /** Segments. */
  get count(): number {
    return this.#ticks.length - 1;
  }

  /** Where segment n begins; `count` for the end of the last. */
  startOf(n: number): number {
    return this.#ticks[n] ?? Number.POSITIVE_INFINITY;
  }

  /** Whether `ticks` is not before segment n. */
  isFrom(n: number, ticks: number): boolean {
    return ticks >= this.startOf(n) - this.#slackTicks;
  }

  /** The segment that `ticks` belongs to, searched from `from` on; what lies behind the end belongs to the last. */
  segmentAt(ticks: number, from: number): number {
    let n = Math.max(0, Math.min(from, this.count - 1));
    while (n > 0 && !this.isFrom(n, ticks)) n--;
    while (n + 1 < this.count && this.isFrom(n + 1, ticks)) n++;
    return n;
  }
}
