// The playlist of one rendition: VOD, whole from the first answer, so that the seek bar is. Boundaries are written in
// whole microseconds, so that lengths add up to the film's without drift.

import type { RenditionId, SegmentPlan } from "../ports.ts";
import { type UriOf, uriText } from "./playlist-part.ts";

const MICROSECONDS = 1e6;

export interface MediaPlaylist {
  readonly plan: SegmentPlan;
  readonly rendition: RenditionId;
  readonly uriOf: UriOf;
}

/** Text of the playlist. Segments of subtitles are WebVTT, all others fragmented MP4 behind one init segment. */
export function mediaPlaylist({ plan, rendition, uriOf }: MediaPlaylist): string {
  const lengths = lengthsInMicroseconds(plan.boundariesSec);
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${targetDuration(lengths)}`,
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    "#EXT-X-INDEPENDENT-SEGMENTS",
  ];
  if (rendition.kind !== "subtitle") {
    lines.push(`#EXT-X-MAP:URI="${uriText(uriOf({ part: "init", rendition }))}"`);
  }
  lengths.forEach((length, segment) => {
    lines.push(`#EXTINF:${(length / MICROSECONDS).toFixed(6)},`);
    lines.push(uriText(uriOf({ part: "segment", rendition, segment })));
  });
  lines.push("#EXT-X-ENDLIST", "");
  return lines.join("\n");
}

function lengthsInMicroseconds(boundariesSec: Float64Array): number[] {
  const at = Array.from(boundariesSec, (sec) => Math.round(sec * MICROSECONDS));
  return at.slice(1).map((end, i) => end - (at[i] ?? 0));
}

/** No segment, rounded to seconds, may be longer (RFC 8216 §4.3.3.1). */
function targetDuration(lengths: readonly number[]): number {
  return lengths.reduce((longest, length) => Math.max(longest, Math.round(length / MICROSECONDS)), 1);
}
