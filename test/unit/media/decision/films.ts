// Films and clients to decide on: a plain one of each, with what a test wants to be different.

import { type ClientCaps, TYPES_TO_ASK } from "../../../../src/media/decision/caps.ts";
import type { DecisionInput } from "../../../../src/media/decision/decision-input.ts";
import type { Machine } from "../../../../src/media/decision/machine.ts";
import type {
  AudioTrack,
  MediaIndex,
  MediaProbe,
  SubtitleTrack,
  VideoTrack,
} from "../../../../src/media/ports.ts";

export function video(different: Partial<VideoTrack> = {}): VideoTrack {
  return {
    kind: "video",
    stream: 0,
    codec: "h264",
    codecString: "avc1.640028",
    profile: "High",
    level: 40,
    width: 1920,
    height: 1080,
    framesPerSec: 24,
    bitDepth: 8,
    pixelFormat: "yuv420p",
    isInterlaced: false,
    dynamicRange: "sdr",
    bitsPerSec: null,
    ...different,
  };
}

export const HEVC_10 = {
  codec: "hevc",
  codecString: "hvc1.2.4.L120.B0",
  profile: "Main 10",
  level: 120,
  bitDepth: 10,
  pixelFormat: "yuv420p10le",
} as const;

export function audio(different: Partial<AudioTrack> = {}): AudioTrack {
  return {
    kind: "audio",
    stream: 1,
    index: 0,
    codec: "aac",
    codecString: "mp4a.40.2",
    profile: "LC",
    channels: 2,
    sampleRate: 48_000,
    language: "en",
    title: null,
    isDefault: true,
    isCommentary: false,
    bitsPerSec: null,
    ...different,
  };
}

export const AC3 = { codec: "ac3", codecString: "ac-3", profile: null, channels: 6 } as const;

export function subtitle(different: Partial<SubtitleTrack> = {}): SubtitleTrack {
  return {
    kind: "subtitle",
    stream: 2,
    index: 0,
    codec: "subrip",
    isText: true,
    language: null,
    title: null,
    isDefault: false,
    isForced: false,
    ...different,
  };
}

export function probe(different: Partial<MediaProbe> = {}): MediaProbe {
  return {
    format: "matroska,webm",
    durationSec: 5_400,
    bitsPerSec: null,
    video: video(),
    audio: [audio()],
    subtitles: [],
    attachments: 0,
    ...different,
  };
}

/** Key frames every so many seconds. */
export function indexed(gapSec = 4, container: MediaIndex["container"] = "matroska"): MediaIndex {
  const count = Math.ceil(5_400 / gapSec);
  const timesSec = Float64Array.from({ length: count }, (_, i) => i * gapSec);
  return {
    container,
    durationSec: 5_400,
    tracks: [],
    keyframes: { timesSec, positionsBytes: timesSec.map((time) => time * 1e6) },
    noIndex: null,
    headBytes: [],
  };
}

export const NO_INDEX: MediaIndex = {
  container: "other",
  durationSec: null,
  tracks: [],
  keyframes: null,
  noIndex: "container",
  headBytes: [],
};

/** As Debian's Chromium answers: no HEVC, no AC-3. */
export function chrome(different: Partial<ClientCaps> = {}): ClientCaps {
  return {
    platform: "desktop",
    hasMediaSource: true,
    hasNativeHls: false,
    readsContainers: false,
    types: TYPES_TO_ASK.map((type) => ({ type, plays: !/hvc1|ac-3|ec-3/.test(type) })),
    heightLimit: null,
    dynamicRanges: [],
    ...different,
  };
}

/** Plays all that is asked. */
export function safari(different: Partial<ClientCaps> = {}): ClientCaps {
  return chrome({
    hasNativeHls: true,
    types: TYPES_TO_ASK.map((type) => ({ type, plays: true })),
    dynamicRanges: ["hdr10", "hlg"],
    ...different,
  });
}

/** Two cores that encode 720p in real time and 1080p not. */
export function machine(different: Partial<Machine> = {}): Machine {
  return {
    encoders: [{ kind: "x264" }],
    x264PixelsPerCoreSec: 40e6,
    canToneMap: true,
    cores: 2,
    ...different,
  };
}

export function input(different: Partial<DecisionInput> = {}): DecisionInput {
  return {
    probe: probe(),
    index: indexed(),
    caps: chrome(),
    quality: "original",
    audio: null,
    machine: machine(),
    mediaType: "video/x-matroska",
    ...different,
  };
}
