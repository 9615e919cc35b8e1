// A film of a minute as its index and its probe tell of it, and sessions of it.

import type { InfoHash } from "../../../../src/base/brand.ts";
import {
  clientCaps,
  type Decision,
  type DecisionInput,
  decide,
  type Machine,
  type MediaIndex,
  type MediaProbe,
} from "../../../../src/media/index.ts";
import { Film } from "../../../../src/services/media/film.ts";
import type { MediaFacts, MediaFile } from "../../../../src/services/media/ports.ts";
import type { SessionPlan } from "../../../../src/services/media/sessions.ts";

export const TORRENT = "ab".repeat(20) as InfoHash;
export const FILE: MediaFile = { torrent: TORRENT, file: 2, lengthBytes: 60_000_000 };
export const FILM_SEC = 60;
const KEYFRAMES = Array.from({ length: FILM_SEC / 2 }, (_, i) => 2 * i);

export const INDEX: MediaIndex = {
  container: "matroska",
  durationSec: FILM_SEC,
  tracks: [],
  keyframes: {
    timesSec: Float64Array.from(KEYFRAMES),
    positionsBytes: Float64Array.from(KEYFRAMES, (sec) => 1_000_000 * sec),
  },
  noIndex: null,
  headBytes: [{ start: 0, end: 4_096 }],
};

export const PROBE: MediaProbe = {
  format: "matroska,webm",
  durationSec: FILM_SEC,
  bitsPerSec: 8_000_000,
  video: {
    kind: "video",
    stream: 0,
    codec: "h264",
    codecString: "avc1.640028",
    profile: "High",
    level: 40,
    width: 1920,
    height: 1080,
    framesPerSec: 25,
    bitDepth: 8,
    pixelFormat: "yuv420p",
    isInterlaced: false,
    dynamicRange: "sdr",
    bitsPerSec: null,
  },
  audio: [0, 1].map((index) => ({
    kind: "audio",
    stream: 1 + index,
    index,
    codec: "ac3",
    codecString: "ac-3",
    profile: null,
    channels: 6,
    sampleRate: 48_000,
    language: index === 0 ? "en" : "ru",
    title: null,
    isDefault: index === 0,
    isCommentary: false,
    bitsPerSec: 448_000,
  })),
  subtitles: [
    { codec: "subrip", isText: true },
    { codec: "hdmv_pgs_subtitle", isText: false },
  ].map((one, index) => ({
    kind: "subtitle",
    stream: 3 + index,
    index,
    ...one,
    language: "en",
    title: null,
    isDefault: false,
    isForced: false,
  })),
  attachments: 0,
};

export const FACTS: MediaFacts = { index: INDEX, probe: PROBE };

export const MACHINE: Machine = {
  encoders: [{ kind: "x264" }],
  x264PixelsPerCoreSec: 500e6,
  canToneMap: true,
  cores: 4,
};

const PLAYS = ["avc1.640033", "mp4a.40.2"].map((codec) => ({
  type: `video/mp4; codecs="${codec}"`,
  plays: true,
}));
export const CAPS = { mse: true, native_hls: false, types: PLAYS };

export function decisionInput(changes: Partial<DecisionInput> = {}): DecisionInput {
  const caps = clientCaps({ told: CAPS, userAgent: null, accept: null });
  return {
    ...FACTS,
    caps,
    quality: "original",
    audio: null,
    machine: MACHINE,
    mediaType: "video/x-matroska",
    ...changes,
  };
}

export function decided(changes: Partial<DecisionInput> = {}): Decision {
  return decide(decisionInput(changes));
}

export function sessionPlan(changes: Partial<SessionPlan> = {}): SessionPlan {
  return {
    reader: { viewer: "somebody", clientAddress: "192.0.2.1" },
    film: new Film(FILE, FACTS, 4),
    input: decisionInput(),
    decision: decided(),
    qualities: ["original"],
    positionSec: 0,
    implicitKey: null,
    ...changes,
  };
}
