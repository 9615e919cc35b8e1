// Cues (RFC 9559 §5.1.5): times of key frames of the film's track and the clusters that hold them. Other tracks have
// cue points too; they say nothing about where video can be cut.

import { setImmediate } from "node:timers/promises";
import { ElementCursor } from "./ebml.ts";
import type { KeyframeList } from "./keyframe-list.ts";

const CUE_POINT = 0xbb;
const CUE_TIME = 0xb3;
const CUE_TRACK_POSITIONS = 0xb7;
const CUE_TRACK = 0xf7;
const CUE_CLUSTER_POSITION = 0xf1;
const NS_PER_SEC = 1e9;
const PAUSE_BYTES = 256 * 1024;

export interface CueScope {
  readonly trackNumber: number;
  readonly scaleNs: number;
  readonly segmentDataStart: number;
  /** No frame lies before it. */
  readonly firstClusterStart: number;
}

/** Lets other work of the thread in between: Cues can be of 64 MiB. */
export async function readCues(content: Uint8Array, scope: CueScope, keyframes: KeyframeList): Promise<void> {
  const cursor = new ElementCursor(content);
  let pausedAtBytes = 0;
  while (cursor.next()) {
    if (cursor.id === CUE_POINT) readCuePoint(cursor.children(), scope, keyframes);
    if (cursor.endBytes - pausedAtBytes < PAUSE_BYTES) continue;
    pausedAtBytes = cursor.endBytes;
    await setImmediate();
  }
}

/** CueTime stands before the positions, and is not repeated for each. */
function readCuePoint(cursor: ElementCursor, scope: CueScope, keyframes: KeyframeList): void {
  let time: number | null = null;
  while (cursor.next()) {
    if (cursor.id === CUE_TIME) time = cursor.uint();
    if (cursor.id !== CUE_TRACK_POSITIONS || time === null) continue;
    const position = clusterOf(cursor.children(), scope.trackNumber);
    if (position === null) continue;
    const start = scope.segmentDataStart + position;
    if (start >= scope.firstClusterStart) keyframes.add((time * scope.scaleNs) / NS_PER_SEC, start);
  }
}

/** null where the positions are those of another track. */
function clusterOf(cursor: ElementCursor, trackNumber: number): number | null {
  let track = 0;
  let position: number | null = null;
  while (cursor.next()) {
    if (cursor.id === CUE_TRACK) track = cursor.uint();
    if (cursor.id === CUE_CLUSTER_POSITION) position ??= cursor.uint();
  }
  return track === trackNumber ? position : null;
}
