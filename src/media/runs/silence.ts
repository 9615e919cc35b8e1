// Silence as AAC-LC frames, one channel or two: what the film has no sound for. An AAC frame of zeros does not depend on
// the sample rate, nor on what came before it.

import type { Boundaries } from "./boundaries.ts";
import { AAC_FRAME } from "./run-job.ts";
import type { SlicedSegment } from "./slicer.ts";

const MONO = Uint8Array.of(0x00, 0xc8, 0x00, 0x80, 0x23, 0x80);
const STEREO = Uint8Array.of(0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c);

/** null for more channels. */
export function silentFrame(channels: number): Uint8Array | null {
  if (channels === 1) return MONO;
  return channels === 2 ? STEREO : null;
}

/** Segment n as nothing but silence. */
export function silentSegment(boundaries: Boundaries, n: number, frame: Uint8Array): SlicedSegment {
  const first = Math.round(boundaries.startOf(n) / AAC_FRAME);
  const end = Math.max(first + 1, Math.round(boundaries.startOf(n + 1) / AAC_FRAME));
  const samples = Array.from({ length: end - first }, (_, i) => {
    const pts = (first + i) * AAC_FRAME;
    return { dts: pts, pts, isSync: true, bytes: frame };
  });
  return { n, samples, endDts: end * AAC_FRAME };
}
