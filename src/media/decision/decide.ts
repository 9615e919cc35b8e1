// How a file goes out to one client: as it is, as HLS with copied video, or as HLS with encoded video; and why. Pure.

import { type MediaProbe, QUALITIES, type Quality, type VideoEncoder } from "../ports.ts";
import type { DecisionInput } from "./decision-input.ts";
import { directReasons } from "./direct-play.ts";
import { type Picture, pictureOf, sizeWanted, type VideoMaking } from "./picture.ts";
import { type Reason, reason } from "./reasons.ts";
import { type AudioMaking, audioMaking, audioReasons, audioToPlay } from "./sound.ts";

export interface Decision {
  readonly mode: "direct" | "remux" | "transcode";
  /** False: the mode is direct for want of anything better, and this client will not play it; another player may. */
  readonly isPlayable: boolean;
  /** What `video` is made for: may be smaller than what was asked for. */
  readonly quality: Quality;
  /** Null in direct mode and for sound alone. */
  readonly video: VideoMaking["making"] | null;
  readonly encoder: VideoEncoder | null;
  /** Of every audio track; empty in direct mode. */
  readonly audio: readonly AudioMaking[];
  /** The track that plays first. */
  readonly audioIndex: number | null;
  readonly subtitles: readonly { readonly index: number; readonly isAvailable: boolean }[];
  readonly reasons: readonly Reason[];
  /** What can be had as HLS, best first, with how it would be made. */
  readonly offers: readonly VideoMaking[];
  /** Without an index: segments of equal length, everything encoded. */
  readonly isLinear: boolean;
}

type Making = Pick<Decision, "video" | "encoder" | "quality" | "mode"> & {
  readonly reasons: readonly Reason[];
};

export function decide(input: DecisionInput): Decision {
  const against = directReasons(input);
  const hls = hlsOf(input);
  const isDirect = against.length === 0 && input.quality === "original" && input.isHlsForced !== true;
  if (isDirect) return direct(input, { isPlayable: true, reasons: [], offers: hls.offers });
  if (hls.making === null) {
    const reasons = [...against, ...hls.reasons];
    return direct(input, { isPlayable: against.length === 0, reasons, offers: [] });
  }
  return asHls(input, { making: hls.making, offers: hls.offers, against });
}

interface Hls {
  /** Null: HLS cannot be had, for `reasons`. */
  readonly making: Making | null;
  readonly offers: readonly VideoMaking[];
  readonly reasons: readonly Reason[];
}

function hlsOf(input: DecisionInput): Hls {
  const { probe, caps, index } = input;
  const none = (reasons: readonly Reason[]): Hls => ({ making: null, offers: [], reasons });
  if (!caps.hasMediaSource && !caps.hasNativeHls) return none([reason("HlsNotSupported")]);
  if (probe.durationSec === null && (index?.durationSec ?? null) === null)
    return none([reason("DurationUnknown")]);
  if (probe.video === null) return { making: soundAlone(input), offers: [], reasons: [] };
  const picture = pictureOf(probe.video, input);
  const making = chosen(picture, sizeWanted(probe.video, input.quality, caps));
  return making === null
    ? none(picture.reasons)
    : { making, offers: picture.offers, reasons: picture.reasons };
}

/** The offer nearest to what was asked for: that one, else the next smaller, else the smallest there is. */
function chosen(picture: Picture, wanted: Quality): Making | null {
  const least = QUALITIES.indexOf(wanted);
  const fitting = picture.offers.find((offer) => QUALITIES.indexOf(offer.quality) >= least);
  const offer = fitting ?? picture.offers.at(-1);
  if (offer === undefined) return null;
  const isCopied = offer.making.kind === "copy_video";
  return {
    mode: isCopied ? "remux" : "transcode",
    video: offer.making,
    encoder: offer.encoder,
    quality: offer.quality,
    reasons: [...picture.reasons, ...requestReasons(offer.quality, wanted)],
  };
}

function requestReasons(made: Quality, wanted: Quality): readonly Reason[] {
  const reasons: Reason[] = [];
  if (wanted !== "original" && made !== "original") reasons.push(reason("QualityRequested", "v0"));
  if (made !== wanted) reasons.push(reason("EncodingTooSlow"));
  return reasons;
}

function soundAlone(input: DecisionInput): Making {
  const isCopied = makingsOf(input, false).some(({ making }) => making.kind === "copy_audio");
  const mode = isCopied ? "remux" : "transcode";
  return { mode, video: null, encoder: null, quality: "original", reasons: [] };
}

function asHls(
  input: DecisionInput,
  found: { making: Making; offers: readonly VideoMaking[]; against: readonly Reason[] },
): Decision {
  const { probe } = input;
  const { reasons, ...making } = found.making;
  const isLinear = probe.video !== null && (input.index?.keyframes ?? null) === null;
  const sound = probe.audio.flatMap(audioReasons);
  return {
    ...making,
    isPlayable: true,
    audio: makingsOf(input, isLinear),
    ...tracksOf(input),
    reasons: distinct([...found.against, ...reasons, ...sound, ...subtitleReasons(probe)]),
    offers: found.offers,
    isLinear,
  };
}

function direct(
  input: DecisionInput,
  found: { isPlayable: boolean; reasons: readonly Reason[]; offers: readonly VideoMaking[] },
): Decision {
  return {
    mode: "direct",
    quality: "original",
    video: null,
    encoder: null,
    audio: [],
    ...tracksOf(input),
    isLinear: false,
    ...found,
    reasons: distinct([...found.reasons, ...subtitleReasons(input.probe)]),
  };
}

function makingsOf({ probe, index }: DecisionInput, isLinear: boolean): readonly AudioMaking[] {
  const canCopy = !isLinear && index !== null && index.container !== "other";
  return probe.audio.map((track) => audioMaking(track, canCopy));
}

function tracksOf({ probe, audio }: DecisionInput): Pick<Decision, "audioIndex" | "subtitles"> {
  return {
    audioIndex: audioToPlay(probe.audio, audio)?.index ?? null,
    subtitles: probe.subtitles.map(({ index, isText }) => ({ index, isAvailable: isText })),
  };
}

function subtitleReasons(probe: MediaProbe): readonly Reason[] {
  const pictures = probe.subtitles.filter(({ isText }) => !isText);
  return pictures.map(({ index }) => reason("SubtitleCodecNotSupported", `s${index}`));
}

function distinct(reasons: readonly Reason[]): readonly Reason[] {
  return [...new Map(reasons.map((entry) => [`${entry.code} ${entry.track}`, entry])).values()];
}
