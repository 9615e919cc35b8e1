// Edit lists (ISO 14496-12 §8.6.6): from the track's own times to those at which ffmpeg gives its frames with -copyts.
// The rules are ffmpeg's, because a run's packets are compared with what comes out here: the first frame that an edit
// shows is put where the edit begins, whatever its own time; frames before it that are needed to decode come earlier.

import { LIMITS } from "../../base/limits.ts";
import { IndexFault } from "./index-fault.ts";
import type { Box } from "./mp4-boxes.ts";
import type { SampleTable } from "./mp4-samples.ts";

export interface Edit {
  /** In ticks of the track; infinite where it lasts to the end. */
  readonly durationTicks: number;
  /** Where in the track's own times it begins; null = nothing is shown for so long. */
  readonly mediaTicks: number | null;
}

export interface EditScale {
  readonly trackTimescale: number;
  readonly movieTimescale: number;
}

/** Empty where the track is shown as it is. */
export function readEdits(trak: Box, scale: EditScale): readonly Edit[] {
  const elst = trak.descendant("edts", "elst");
  if (elst === null || scale.movieTimescale === 0) return [];
  const isLong = elst.version === 1;
  const entryBytes = isLong ? 20 : 12;
  const count = elst.u32(4);
  if (count > LIMITS.mediaIndex.edits) throw new IndexFault("too_large");
  elst.requireTable(8, count, entryBytes);
  const edits: Edit[] = [];
  for (let at = 8; edits.length < count; at += entryBytes) {
    const duration = isLong ? elst.u64(at) : elst.u32(at);
    const media = isLong ? elst.i64(at + 8) : elst.i32(at + 4);
    edits.push({ durationTicks: ticksOf(duration, media, scale), mediaTicks: media < 0 ? null : media });
  }
  return edits;
}

/** A duration of 0 is written by those who could not know it yet. */
function ticksOf(movieTicks: number, media: number, scale: EditScale): number {
  if (movieTicks === 0 && media >= 0) return Number.POSITIVE_INFINITY;
  return Math.round((movieTicks * scale.trackTimescale) / scale.movieTimescale);
}

/** What fragments are shifted by, in ticks: of their edits only the first start counts. */
export function fragmentOffsetTicks(edits: readonly Edit[]): number {
  const [first, second] = edits;
  if (first === undefined) return 0;
  if (first.mediaTicks !== null) return first.mediaTicks;
  return (second?.mediaTicks ?? 0) - first.durationTicks;
}

/** A sample and when it is shown, in ticks of the track. */
export type OnKeyframe = (ticks: number, sample: number) => void;

/** Calls `onKeyframe` for every key frame that is shown, and for the one that the first shown frame needs. */
export function presentKeyframes(table: SampleTable, edits: readonly Edit[], onKeyframe: OnKeyframe): void {
  if (edits.length === 0) {
    for (let sample = 0; sample < table.count; sample++) {
      if (table.isSync[sample] === 1) onKeyframe(table.showTicks[sample] ?? 0, sample);
    }
    return;
  }
  new Presentation(table, onKeyframe).run(edits);
}

class Presentation {
  readonly #table: SampleTable;
  readonly #onKeyframe: OnKeyframe;
  readonly #found: { readonly ticks: number; readonly sample: number }[] = [];
  /** When the earliest frame of all edits is shown. */
  #firstTicks = Number.POSITIVE_INFINITY;

  constructor(table: SampleTable, onKeyframe: OnKeyframe) {
    this.#table = table;
    this.#onKeyframe = onKeyframe;
  }

  run(edits: readonly Edit[]): void {
    let beginTicks = 0;
    let emptyTicks = 0;
    let isFirst = true;
    // Each edit looks at every sample.
    if (edits.length * this.#table.count > LIMITS.mediaIndex.editedSamples) throw new IndexFault("too_large");
    for (const { mediaTicks, durationTicks } of edits) {
      if (mediaTicks === null && isFirst) emptyTicks += durationTicks;
      if (mediaTicks !== null) {
        this.#edit({ mediaTicks, endTicks: mediaTicks + durationTicks, beginTicks, isFirst });
        isFirst = false;
      }
      beginTicks += durationTicks;
    }
    // A first frame that comes late, but for what an empty edit asks, is put to the start.
    const lateTicks = Math.max(0, this.#firstTicks - emptyTicks);
    for (const { ticks, sample } of this.#found) this.#onKeyframe(ticks - lateTicks, sample);
  }

  #edit(edit: { mediaTicks: number; endTicks: number; beginTicks: number; isFirst: boolean }): void {
    const { showTicks, decodeTicks, isSync, count } = this.#table;
    const { mediaTicks, endTicks } = edit;
    const start = this.#lastKeyframeAt(mediaTicks);
    const firstShown = this.#firstShown(start, mediaTicks, endTicks);
    if (firstShown === count) return;
    // Decoding goes on evenly from the first frame shown, in the order of decoding.
    const shift = edit.beginTicks - (decodeTicks[firstShown] ?? 0);
    const isNeeded = edit.isFirst && start < firstShown && isSync[start] === 1;
    if (isNeeded) this.#add((showTicks[start] ?? 0) + shift, start);
    let earliest = Number.POSITIVE_INFINITY;
    for (let sample = firstShown; sample < count; sample++) {
      const ticks = showTicks[sample] ?? 0;
      if (ticks < mediaTicks || ticks >= endTicks) continue;
      if (ticks < earliest) earliest = ticks;
      if (isSync[sample] === 1) this.#add(ticks + shift, sample);
    }
    this.#firstTicks = Math.min(this.#firstTicks, earliest + shift);
  }

  /** Edits may show the same key frame again and again, so what they find is bounded here, before it is kept. */
  #add(ticks: number, sample: number): void {
    if (this.#found.length >= LIMITS.mediaIndex.keyframes) throw new IndexFault("too_large");
    this.#found.push({ ticks, sample });
  }

  /** The last key frame in decoding order that is shown at or before these ticks; 0 where none is. */
  #lastKeyframeAt(mediaTicks: number): number {
    const { showTicks, isSync } = this.#table;
    let last = 0;
    for (let sample = 0; sample < showTicks.length; sample++) {
      if (isSync[sample] === 1 && (showTicks[sample] ?? 0) <= mediaTicks) last = sample;
    }
    return last;
  }

  #firstShown(start: number, mediaTicks: number, endTicks: number): number {
    const { showTicks, count } = this.#table;
    for (let sample = start; sample < count; sample++) {
      const ticks = showTicks[sample] ?? 0;
      if (ticks >= mediaTicks && ticks < endTicks) return sample;
    }
    return count;
  }
}
