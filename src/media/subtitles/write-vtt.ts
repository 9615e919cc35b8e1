// WebVTT out. The text of a cue is escaped already (CueText); times are written to the millisecond, rounded the same way
// wherever a cue is repeated, so that a player knows it again.

import type { Cue } from "./cue.ts";

export interface VttOptions {
  /** Only cues that are on the screen within [fromSec, toSec), with their whole times. */
  readonly fromSec?: number;
  readonly toSec?: number;
  /** Added to every time; what would end before 0 is left out. */
  readonly shiftSec?: number;
  /** For a segment of an HLS rendition (RFC 8216 §3.5): our clock begins at 0 in all renditions. */
  readonly isSegment?: boolean;
}

export function vttOf(cues: readonly Cue[], options: VttOptions = {}): string {
  const { fromSec = 0, toSec = Number.POSITIVE_INFINITY, shiftSec = 0, isSegment = false } = options;
  const head = isSegment ? "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n" : "WEBVTT\n";
  const parts = [head];
  for (const cue of cuesWithin(cues, fromSec, toSec)) {
    const startMs = Math.max(0, Math.round((cue.startSec + shiftSec) * 1_000));
    const endMs = Math.round((cue.endSec + shiftSec) * 1_000);
    if (endMs <= startMs) continue;
    const settings = cue.settings === null ? "" : ` ${cue.settings}`;
    parts.push(`\n${timestamp(startMs)} --> ${timestamp(endMs)}${settings}\n${cue.text}\n`);
  }
  return parts.join("");
}

/** Those on the screen at some time of [fromSec, toSec). */
export function cuesWithin(cues: readonly Cue[], fromSec: number, toSec: number): Cue[] {
  return cues.filter((cue) => cue.startSec < toSec && cue.endSec > fromSec);
}

/** hh:mm:ss.mmm; hours may have more than two digits. */
function timestamp(ms: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = Math.floor(ms / 1_000) % 60;
  return `${two(hours)}:${two(minutes)}:${two(seconds)}.${String(ms % 1_000).padStart(3, "0")}`;
}
