// The head of one fragment, `moof` (ISO 14496-12 §8.8): when its frames of a track are decoded and shown.

import type { Box } from "./mp4-boxes.ts";

export interface FragmentTimes {
  /** When its first frame is shown, before any edit, in ticks of the track. */
  readonly firstShowTicks: number;
  /** When the last frame shown is over, before any edit. */
  readonly endTicks: number;
}

const TFHD_BASE = 0x1;
const TFHD_DESCRIPTION = 0x2;
const TFHD_DURATION = 0x8;

const TRUN_DATA_OFFSET = 0x1;
const TRUN_FIRST_FLAGS = 0x4;
const TRUN_DURATION = 0x100;
const TRUN_SIZE = 0x200;
const TRUN_FLAGS = 0x400;
const TRUN_SHOW_OFFSET = 0x800;

/** null where the fragment has no frame of the track, or does not tell when it begins. */
export function readFragmentTimes(moof: Box, trackId: number, trexTicks: number): FragmentTimes | null {
  const traf = moof.children().find((box) => box.type === "traf" && box.child("tfhd")?.u32(4) === trackId);
  const boxes = traf?.children() ?? [];
  const tfhd = boxes.find((box) => box.type === "tfhd");
  const tfdt = boxes.find((box) => box.type === "tfdt");
  if (tfhd === undefined || tfdt === undefined) return null;
  const times = new FrameTimes(tfdt.version === 1 ? tfdt.u64(4) : tfdt.u32(4));
  for (const box of boxes) if (box.type === "trun") times.addRun(box, defaultTicks(tfhd) ?? trexTicks);
  return times.found();
}

/** How long a frame lasts where its run does not say. */
function defaultTicks(tfhd: Box): number | null {
  const flags = tfhd.u32(0);
  if ((flags & TFHD_DURATION) === 0) return null;
  return tfhd.u32(8 + (flags & TFHD_BASE ? 8 : 0) + (flags & TFHD_DESCRIPTION ? 4 : 0));
}

class FrameTimes {
  #decodeTicks: number;
  #endTicks = 0;
  #firstShowTicks: number | null = null;
  /** How far a frame is shown before it is decoded: ffmpeg shows all frames so much later. */
  #earlyTicks = 0;

  constructor(decodeTicks: number) {
    this.#decodeTicks = decodeTicks;
  }

  addRun(trun: Box, defaultDurationTicks: number): void {
    const flags = trun.u32(0);
    const durationBytes = flags & TRUN_DURATION ? 4 : 0;
    const offsetAt = durationBytes + (flags & TRUN_SIZE ? 4 : 0) + (flags & TRUN_FLAGS ? 4 : 0);
    const frameBytes = offsetAt + (flags & TRUN_SHOW_OFFSET ? 4 : 0);
    const start = 8 + (flags & TRUN_DATA_OFFSET ? 4 : 0) + (flags & TRUN_FIRST_FLAGS ? 4 : 0);
    const count = trun.u32(4);
    trun.requireTable(start, count, frameBytes);
    if (frameBytes === 0) {
      if (count > 0) this.#firstShowTicks ??= this.#decodeTicks;
      this.#decodeTicks += count * defaultDurationTicks;
      this.#endTicks = Math.max(this.#endTicks, this.#decodeTicks);
      return;
    }
    for (let frame = 0, at = start; frame < count; frame++, at += frameBytes) {
      const offset = flags & TRUN_SHOW_OFFSET ? trun.i32(at + offsetAt) : 0;
      this.#firstShowTicks ??= this.#decodeTicks + offset;
      this.#earlyTicks = Math.max(this.#earlyTicks, -offset);
      this.#decodeTicks += durationBytes > 0 ? trun.u32(at) : defaultDurationTicks;
      this.#endTicks = Math.max(this.#endTicks, this.#decodeTicks + offset);
    }
  }

  found(): FragmentTimes | null {
    if (this.#firstShowTicks === null) return null;
    return {
      firstShowTicks: this.#firstShowTicks + this.#earlyTicks,
      endTicks: this.#endTicks + this.#earlyTicks,
    };
  }
}
