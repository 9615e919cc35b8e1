// Exact codec names: the container's own configuration tells what ffprobe leaves out (constraint flags, tiers).

import type { IndexedTrack, MediaIndex, MediaProbe, TrackKind } from "../ports.ts";

type CodecStringOf = (track: IndexedTrack) => string | null;

/** The probe with every name that the index knows better; `codecStringOf` is container/'s. */
export function withIndex(probe: MediaProbe, index: MediaIndex, codecStringOf: CodecStringOf): MediaProbe {
  const exact = <
    T extends { readonly kind: TrackKind; readonly stream: number; readonly codecString: string | null },
  >(
    track: T,
  ): T => {
    const known = index.tracks.find((other) => other.stream === track.stream && other.kind === track.kind);
    const codecString = known === undefined ? null : codecStringOf(known);
    return codecString === null ? track : { ...track, codecString };
  };
  return {
    ...probe,
    durationSec: probe.durationSec ?? index.durationSec,
    video: probe.video === null ? null : exact(probe.video),
    audio: probe.audio.map(exact),
  };
}
