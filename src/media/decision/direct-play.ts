// May the client have the file itself? Browsers read MP4 and WebM; they play its first audio track and no other.

import type { AudioTrack } from "../ports.ts";
import { judgeCodec, type PlayedContainer } from "./codec-support.ts";
import { pictureReasons } from "./copying.ts";
import type { DecisionInput } from "./decision-input.ts";
import { type Reason, reason } from "./reasons.ts";
import { audioToPlay } from "./sound.ts";

const WEBM_CODECS = new Set(["vp8", "vp9", "av1", "opus", "vorbis"]);

/** Everything that speaks against it; empty = the file as it is. */
export function directReasons(input: DecisionInput): readonly Reason[] {
  const { probe, caps } = input;
  if (caps.readsContainers) return [];
  const container = browserContainer(input);
  const reasons = container === null ? [reason("ContainerNotSupported")] : [];
  const inside = container ?? "mp4";
  const picture = probe.video === null ? [] : pictureReasons(probe.video, caps, inside);
  return [...reasons, ...picture, ...soundReasons(input, inside)];
}

function browserContainer({ probe, mediaType }: DecisionInput): PlayedContainer | null {
  if (probe.format.startsWith("mov,mp4") && isServedAs(mediaType, "mp4")) return "mp4";
  const codecs = [...probe.audio, ...(probe.video === null ? [] : [probe.video])].map(({ codec }) => codec);
  const isWebm = probe.format.includes("webm") && codecs.every((codec) => WEBM_CODECS.has(codec));
  return isWebm && isServedAs(mediaType, "webm") ? "webm" : null;
}

/** Browsers believe the Content-Type more than the bytes. */
function isServedAs(mediaType: string, container: PlayedContainer): boolean {
  return mediaType === `video/${container}` || mediaType === `audio/${container}`;
}

function soundReasons({ probe, caps, audio }: DecisionInput, inside: PlayedContainer): readonly Reason[] {
  const track = audioToPlay(probe.audio, audio);
  if (track === null) return [];
  const isAlone = probe.audio.length === 1;
  const name = `a${track.index}`;
  const reasons = isAlone ? [] : [reason("SecondaryAudioNotSupported", name)];
  return playsSound(track, inside, caps.types)
    ? reasons
    : [...reasons, reason("AudioCodecNotSupported", name)];
}

function playsSound(
  track: AudioTrack,
  inside: PlayedContainer,
  types: DecisionInput["caps"]["types"],
): boolean {
  return track.codecString !== null && judgeCodec(types, inside, track.codecString) === "plays";
}
