// Cuts an audio track at the plan's boundaries. Frames of a codec with a fixed frame length are put on a grid of that
// length: containers round times to milliseconds, and only on a grid do two runs join without a gap or a frame twice.
// The grid of all renditions begins at 0, so a frame moves by half of its length at most, and all by the same.

import { TorrxError } from "../../base/errors.ts";
import type { Sample } from "../fmp4/fragment.ts";
import type { SegmentSample } from "../fmp4/segment-writer.ts";
import type { Boundaries } from "./boundaries.ts";
import { BadStart, checkHeld, type SlicedSegment, type Slicer } from "./slicer.ts";

/** More than this is no hole to be filled in passing: about ten minutes. */
const HOLE_FRAMES_MAX = 30_000;

/** Where a track's frames lie beside the grid. One of a rendition, so that all runs round the same way. */
export class FrameGrid {
  #phaseTicks: number | null = null;

  /** null: the codec's frames differ in length, and their times are taken as they are. */
  constructor(readonly frameTicks: number | null) {}

  /**
   * Where on the grid a frame belongs that the container says is at `pts`. `expected` is where the one before ends:
   * small errors do not lead away from it.
   */
  placeOf(pts: number, expected: number | null): number {
    const frame = this.frameTicks;
    if (frame === null) return Math.max(pts, expected ?? pts);
    this.#phaseTicks ??= pts - Math.round(pts / frame) * frame;
    const onGrid = pts - this.#phaseTicks;
    if (expected !== null && Math.abs(onGrid - expected) < 0.75 * frame) return expected;
    return Math.round(onGrid / frame) * frame;
  }
}

export interface AudioSlicerOptions {
  readonly boundaries: Boundaries;
  readonly first: number;
  /** Where the run's first frame may not be behind of, in ticks; null where only the film itself can tell. */
  readonly latestStart: number | null;
  readonly grid: FrameGrid;
  /** A frame of silence, where the codec has one that fits. It fills what the film has no sound for. */
  readonly silence: Uint8Array | null;
  readonly onSegment: (segment: SlicedSegment) => void;
}

export class AudioSlicer implements Slicer {
  readonly #options: AudioSlicerOptions;
  #next: number;
  #samples: SegmentSample[] = [];
  #heldBytes = 0;
  /** Where the last frame ends. */
  #end: number | null = null;

  constructor(options: AudioSlicerOptions) {
    this.#options = options;
    this.#next = options.first;
  }

  get next(): number {
    return this.#next;
  }

  push(sample: Sample): void {
    const { boundaries, grid, latestStart } = this.#options;
    if (this.#next >= boundaries.count) return;
    if (this.#end === null && latestStart !== null && sample.pts > latestStart) throw new BadStart("late");
    const pts = grid.placeOf(sample.pts, this.#end);
    // The same frame twice, or times that step back.
    if (this.#end !== null && pts < this.#end) return;
    const duration = grid.frameTicks ?? sample.duration;
    if (boundaries.isFrom(this.#options.first, pts)) {
      this.#fillTo(pts);
      this.#add(pts, sample.bytes);
    }
    this.#end = pts + duration;
    this.#giveOutUpTo(this.#end);
  }

  /** What has begun is filled up with silence, where the codec has it. */
  end(): SlicedSegment | null {
    if (this.#samples.length === 0 || this.#end === null) return null;
    const { boundaries, grid, silence } = this.#options;
    const frame = grid.frameTicks;
    for (
      ;
      silence !== null && frame !== null && !boundaries.isFrom(this.#next + 1, this.#end);
      this.#end += frame
    ) {
      this.#add(this.#end, silence);
    }
    return { n: this.#next, samples: this.#samples, endDts: this.#end };
  }

  /** What the film has no frames for, up to `pts`. */
  #fillTo(pts: number): void {
    const { boundaries, first, grid, silence } = this.#options;
    const frame = grid.frameTicks;
    if (silence === null || frame === null) {
      this.#giveOutUpTo(pts);
      return;
    }
    let at = Math.max(this.#end ?? 0, Math.ceil(boundaries.startOf(first) / frame) * frame);
    if (pts - at > HOLE_FRAMES_MAX * frame) throw new TorrxError("unsupported_media", "the sound has a hole");
    for (; at + frame / 2 < pts; at += frame) {
      this.#add(at, silence);
      this.#giveOutUpTo(at + frame);
    }
    this.#end = at;
  }

  #add(pts: number, bytes: Uint8Array): void {
    this.#samples.push({ dts: pts, pts, isSync: true, bytes });
    this.#heldBytes += bytes.length;
    checkHeld(this.#heldBytes, this.#samples.length);
  }

  /** Gives out the segment when the next frame, at `pts`, is the next segment's. */
  #giveOutUpTo(pts: number): void {
    const { boundaries, onSegment } = this.#options;
    if (this.#samples.length === 0 || !boundaries.isFrom(this.#next + 1, pts)) return;
    const segment = { n: this.#next, samples: this.#samples, endDts: pts };
    this.#next = boundaries.segmentAt(pts, this.#next + 1);
    if (this.#next === segment.n) this.#next++;
    this.#samples = [];
    this.#heldBytes = 0;
    onSegment(segment);
  }
}
