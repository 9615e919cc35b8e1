// What becomes of each audio track in HLS. AAC is encoded anew in all forms but the one that plays everywhere: mixed
// forms of it (HE-AAC, surround) break some players in the middle of a film.

import type { AudioTrack, TrackMaking } from "../ports.ts";
import { type Reason, type ReasonCode, reason } from "./reasons.ts";

export interface AudioMaking {
  /** AudioTrack.index */
  readonly index: number;
  readonly making: Extract<TrackMaking, { kind: "copy_audio" | "encode_audio" }>;
}

const COPIED_SAMPLE_RATES = [44_100, 48_000];
const CHANNELS_MAX = 2;
const AAC_LC = "mp4a.40.2";

/** `canCopy`: the places of a copied track's samples can be relied on. */
export function audioMaking(track: AudioTrack, canCopy: boolean): AudioMaking {
  const isCopied = canCopy && copyObstacle(track) === null && track.channels === CHANNELS_MAX;
  const channels = Math.min(track.channels, CHANNELS_MAX);
  const making = isCopied ? { kind: "copy_audio" as const } : { kind: "encode_audio" as const, channels };
  return { index: track.index, making };
}

/** Why it is not copied; nothing for mono, which is encoded for our own convenience. */
export function audioReasons(track: AudioTrack): readonly Reason[] {
  const code = copyObstacle(track);
  return code === null ? [] : [reason(code, `a${track.index}`)];
}

function copyObstacle(track: AudioTrack): ReasonCode | null {
  if (track.codec !== "aac") return "AudioCodecNotSupported";
  if (track.profile !== "LC" || track.codecString !== AAC_LC) return "AudioProfileNotSupported";
  if (track.channels > CHANNELS_MAX) return "AudioChannelsNotSupported";
  return COPIED_SAMPLE_RATES.includes(track.sampleRate) ? null : "AudioSampleRateNotSupported";
}

/** The track that was asked for, else the one that the file marks, else the first that is no commentary. */
export function audioToPlay(tracks: readonly AudioTrack[], wanted: number | null): AudioTrack | null {
  return (
    tracks.find((track) => track.index === wanted) ??
    tracks.find((track) => track.isDefault && !track.isCommentary) ??
    tracks.find((track) => !track.isCommentary) ??
    tracks[0] ??
    null
  );
}
