// Cuts a video track at the key frames with which the plan's segments begin. A segment goes from the first key frame
// that is not before its start to the first that is not before the next one's; numbers never shift:
//  - no key frame within a segment → its pictures belong to the one before, which is longer, and it is given out itself
//    as the group of pictures that covers its time;
//  - what comes before the segment that the run was started for is dropped.
// The cut is seen one picture late: only the picture behind a key frame tells whether it opened an open GOP.

import type { Sample } from "../fmp4/fragment.ts";
import type { Boundaries } from "./boundaries.ts";
import { BadStart, checkHeld, type SlicedSegment, type Slicer } from "./slicer.ts";
import { type NextStart, timeSegment } from "./video-timing.ts";

export interface VideoSlicerOptions {
  readonly boundaries: Boundaries;
  /** The segment that the run was started for. */
  readonly first: number;
  /** Where its first picture may not be behind of, in ticks; null where only the film itself can tell. */
  readonly latestStart: number | null;
  /** A film whose first picture is behind this, in ticks, shows it from 0 on. */
  readonly lateFilm: number;
  /** Refuse to begin with an open GOP (BadStart), as nothing came before it. */
  readonly refuseOpenStart: boolean;
  readonly onSegment: (segment: SlicedSegment) => void;
}

export class VideoSlicer implements Slicer {
  readonly #options: VideoSlicerOptions;
  #next: number;
  /** The segment's pictures; before it has begun, the last group of pictures before it. */
  #samples: Sample[] = [];
  #heldBytes = 0;
  #hasBegun = false;
  #sawAny = false;
  /** A key frame behind the segment, not yet known to be open or closed. */
  #cut: Sample | null = null;

  constructor(options: VideoSlicerOptions) {
    this.#options = options;
    this.#next = options.first;
  }

  get next(): number {
    return this.#next;
  }

  push(sample: Sample): void {
    this.#checkStart(sample);
    const cut = this.#cut;
    if (cut !== null) this.#beginAt(cut, !sample.isSync && sample.pts < cut.pts);
    if (!sample.isSync) this.#hold(sample);
    else if (this.#endsSegment(sample)) this.#cut = sample;
    else this.#holdKeyframe(sample);
  }

  end(): SlicedSegment | null {
    const cut = this.#cut;
    if (cut !== null) this.#beginAt(cut, false);
    if (!this.#hasBegun || this.#samples.length === 0) return null;
    return {
      n: this.#next,
      ...timeSegment(this.#fromStart(this.#samples), { keyframePts: null, isOpen: false }),
    };
  }

  /** The playlist promises pictures from 0 on, and players stop where there are none. */
  #fromStart(samples: readonly Sample[]): readonly Sample[] {
    const [first, ...others] = samples;
    if (this.#next > 0 || first === undefined || first.pts <= this.#options.lateFilm) return samples;
    return [{ ...first, pts: 0 }, ...others];
  }

  /** A key frame ends what is held when it begins the segment that was asked for, or a later one than the present. */
  #endsSegment(keyframe: Sample): boolean {
    const { boundaries } = this.#options;
    if (!this.#hasBegun) return this.#next === 0 || boundaries.isFrom(this.#next, keyframe.pts);
    return this.#next + 1 < boundaries.count && boundaries.isFrom(this.#next + 1, keyframe.pts);
  }

  #beginAt(cut: Sample, isOpen: boolean): void {
    this.#cut = null;
    const { boundaries } = this.#options;
    const isFirstPicture = !this.#hasBegun && this.#samples.length === 0;
    if (isOpen && isFirstPicture && this.#options.refuseOpenStart) throw new BadStart("open_gop");
    // Nothing in the film comes before its first picture: it is what the segment has, wherever it lies.
    const begins = isFirstPicture ? this.#next : boundaries.segmentAt(cut.pts, this.#next);
    this.#giveOutUpTo(begins, { keyframePts: cut.pts, isOpen });
    this.#hasBegun = true;
    this.#clear();
    this.#hold(cut);
  }

  #giveOutUpTo(begins: number, next: NextStart): void {
    if (this.#hasBegun) this.#giveOut(this.#samples, next);
    if (this.#next === begins) return;
    const lastKeyframe = this.#samples.findLastIndex(({ isSync }) => isSync);
    if (lastKeyframe < 0) throw new BadStart("late");
    const covering = this.#samples.slice(lastKeyframe);
    while (this.#next < begins) this.#giveOut(covering, next);
  }

  #giveOut(samples: readonly Sample[], next: NextStart): void {
    const segment = { n: this.#next, ...timeSegment(this.#fromStart(samples), next) };
    this.#next++;
    this.#options.onSegment(segment);
  }

  #checkStart(sample: Sample): void {
    if (this.#sawAny) return;
    this.#sawAny = true;
    const { latestStart } = this.#options;
    if (latestStart !== null && sample.pts > latestStart) throw new BadStart("late");
  }

  /** Before the segment has begun, only the last group of pictures is kept. */
  #holdKeyframe(keyframe: Sample): void {
    if (!this.#hasBegun) this.#clear();
    this.#hold(keyframe);
  }

  #clear(): void {
    this.#samples = [];
    this.#heldBytes = 0;
  }

  #hold(sample: Sample): void {
    this.#samples.push(sample);
    this.#heldBytes += sample.bytes.length;
    checkHeld(this.#heldBytes, this.#samples.length);
  }
}
