// Cues (RFC 9559 §5.1.5): times of key frames of the film's track and the clusters that hold them. Other tracks have
// cue points too; they say nothing about where video can be cut.

import { ElementCursor } from "./ebml.ts";
import type { KeyframeList } from "./keyframe-list.ts";

const CUE_POINT = 0xbb;
const CUE_TIME = 0xb3;
const CUE_TRACK_POSITIONS = 0xb7;
const CUE_TRACK = 0xf7;
const CUE_CLUSTER_POSITION = 0xf1;
const NS_PER_SEC = 1e9;

export interface CueScope {
  readonly trackNumber: number;
  readonly scaleNs: number;
  readonly segmentDataStart: number;
  /** No frame lies before it. */
  readonly firstClusterStart: number;
}

export function readCues(content: Uint8Array, scope: CueScope, keyframes: KeyframeList): void {
  const cursor = new ElementCursor(content);
  while (cursor.next()) {
    if (cursor.id === CUE_POINT) readCuePoint(cursor.children(), scope, keyframes);
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
