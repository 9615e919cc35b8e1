// What this browser can play, asked of the browser itself and never guessed from its name. The server knows which names
// stand for devices that answer wrongly. The tallest picture is left out: no browser tells it but by the levels of its
// codecs, which are asked.

import type { Caps } from "../api/types.ts";

const MP4_CODECS = [
  ...["avc1.42e01e", "avc1.4d0028", "avc1.640028", "avc1.640033", "avc1.640034", "avc1.6e0033"],
  ...["hvc1.1.6.L120.B0", "hvc1.1.6.L153.B0", "hvc1.2.4.L120.B0", "hvc1.2.4.L153.B0"],
  ...["av01.0.08M.08", "av01.0.08M.10", "av01.0.13M.10", "vp09.00.41.08", "vp09.00.51.08", "vp09.02.51.10"],
  ...["mp4a.40.2", "mp4a.40.5", "ac-3", "ec-3", "opus", "flac"],
];
const WEBM_CODECS = ["vp8", "vp9", "vp09.02.51.10", "av01.0.13M.10", "opus", "vorbis"];
const DOLBY_VISION = 'video/mp4; codecs="dvh1.05.06"';

/** Those that the server can make something of. */
export const ASKED_TYPES: readonly string[] = [
  ...MP4_CODECS.map((codec) => `video/mp4; codecs="${codec}"`),
  ...WEBM_CODECS.map((codec) => `video/webm; codecs="${codec}"`),
];

/** What is asked; a test answers in a browser's place. */
export interface MediaAnswers {
  /** null where there is no MediaSource of any kind. */
  readonly mediaSource: { isTypeSupported(type: string): boolean } | null;
  canPlayType(type: string): string;
  matchMedia(query: string): { readonly matches: boolean };
}

export function capsOf({ mediaSource, canPlayType, matchMedia }: MediaAnswers): Caps {
  const plays = (type: string) =>
    mediaSource === null ? canPlayType(type) !== "" : mediaSource.isTypeSupported(type);
  // Unknown queries match nothing.
  const isHdr = ["(dynamic-range: high)", "(video-dynamic-range: high)"].some(
    (query) => matchMedia(query).matches,
  );
  const hdr = plays(DOLBY_VISION) ? (["hdr10", "hlg", "dolby_vision"] as const) : (["hdr10", "hlg"] as const);
  return {
    mse: mediaSource !== null,
    native_hls: canPlayType("application/vnd.apple.mpegurl") !== "",
    types: ASKED_TYPES.map((type) => ({ type, plays: plays(type) })),
    ...(isHdr ? { hdr } : {}),
  };
}

export function browserCaps(): Caps {
  const video = document.createElement("video");
  return capsOf({
    mediaSource: findMediaSource(),
    canPlayType: (type) => video.canPlayType(type),
    matchMedia: (query) => window.matchMedia(query),
  });
}

/** iPhones have a ManagedMediaSource alone. */
function findMediaSource(): MediaAnswers["mediaSource"] {
  const { ManagedMediaSource, MediaSource } = window as Partial<
    Record<"ManagedMediaSource" | "MediaSource", typeof globalThis.MediaSource>
  >;
  return ManagedMediaSource ?? MediaSource ?? null;
}
