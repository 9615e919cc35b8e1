// RFC 6381 names of codecs, put together of what ffprobe tells: profile, level, depth. Where the container's own
// configuration is known its name is exact and takes the place of these (with-index.ts).

import type { VideoTrack } from "../ports.ts";

type VideoFacts = Omit<VideoTrack, "codecString" | "kind">;

/** profile_idc and constraint flags, as in the first two bytes behind "avc1.". */
const H264_PROFILES: Readonly<Record<string, string>> = {
  "constrained baseline": "42e0",
  baseline: "4200",
  main: "4d40",
  extended: "5800",
  high: "6400",
  "high 10": "6e00",
  "high 10 intra": "6e10",
  "high 4:2:2": "7a00",
  "high 4:2:2 intra": "7a10",
  "high 4:4:4 predictive": "f400",
};
/** general_profile_idc and the compatibility flags, bits reversed (ISO 14496-15 E.3). */
const HEVC_PROFILES: Readonly<Record<string, string>> = {
  main: "1.6",
  "main 10": "2.4",
  "main still picture": "3.e",
  rext: "4.10",
};
const VP9_PROFILES: Readonly<Record<string, number>> = {
  "profile 0": 0,
  "profile 1": 1,
  "profile 2": 2,
  "profile 3": 3,
};
/** Level → luma samples per second and per picture (VP9 bitstream specification, annex A). */
const VP9_LEVELS: readonly (readonly [number, number, number])[] = [
  [10, 829_440, 36_864],
  [11, 2_764_800, 73_728],
  [20, 4_608_000, 122_880],
  [21, 9_216_000, 245_760],
  [30, 20_736_000, 552_960],
  [31, 36_864_000, 983_040],
  [40, 83_558_400, 2_228_224],
  [41, 160_432_128, 2_228_224],
  [50, 311_951_360, 8_912_896],
  [51, 588_251_136, 8_912_896],
  [52, 1_176_502_272, 8_912_896],
  [60, 1_176_502_272, 35_651_584],
  [61, 2_353_004_544, 35_651_584],
];
const VP9_LEVEL_MAX = 62;
const AV1_PROFILES: Readonly<Record<string, number>> = { main: 0, high: 1, professional: 2 };
const AAC_OBJECT_TYPES: Readonly<Record<string, string>> = {
  lc: "2",
  main: "1",
  ltp: "4",
  "he-aac": "5",
  "he-aacv2": "29",
  "xhe-aac": "42",
};
const PLAIN_AUDIO: Readonly<Record<string, string>> = {
  ac3: "ac-3",
  eac3: "ec-3",
  opus: "opus",
  flac: "flac",
  vorbis: "vorbis",
  alac: "alac",
  mp3: "mp4a.6B",
  mp2: "mp4a.69",
  truehd: "mlpa",
};

/** Null for a codec that no browser has a name for, and where profile or level are not told. */
export function videoCodecString(video: VideoFacts): string | null {
  switch (video.codec) {
    case "h264":
      return h264(video);
    case "hevc":
      return hevc(video);
    case "av1":
      return av1(video);
    case "vp9":
      return vp9(video);
    case "vp8":
      return "vp8";
    default:
      return null;
  }
}

export function audioCodecString(codec: string, profile: string | null): string | null {
  const name = profile?.toLowerCase() ?? "";
  if (codec === "aac") return `mp4a.40.${AAC_OBJECT_TYPES[name] ?? "2"}`;
  if (codec === "dts") return name.startsWith("dts-hd") ? "dtsh" : "dtsc";
  return PLAIN_AUDIO[codec] ?? null;
}

function h264({ profile, level }: VideoFacts): string | null {
  const bytes = H264_PROFILES[profile?.toLowerCase() ?? ""];
  return bytes === undefined || level === null ? null : `avc1.${bytes}${hexByte(level)}`;
}

function hevc({ profile, level }: VideoFacts): string | null {
  const name = HEVC_PROFILES[profile?.toLowerCase() ?? ""];
  return name === undefined || level === null ? null : `hvc1.${name}.L${level}.B0`;
}

function av1({ profile, level, bitDepth }: VideoFacts): string | null {
  const number = AV1_PROFILES[profile?.toLowerCase() ?? ""];
  return number === undefined || level === null ? null : `av01.${number}.${two(level)}M.${two(bitDepth)}`;
}

function vp9(video: VideoFacts): string {
  const guess = video.bitDepth > 8 ? 2 : 0;
  const profile = VP9_PROFILES[video.profile?.toLowerCase() ?? ""] ?? guess;
  return `vp09.${two(profile)}.${two(vp9Level(video))}.${two(video.bitDepth)}`;
}

/** WebM does not tell it. */
function vp9Level({ width, height, framesPerSec }: VideoFacts): number {
  const perPicture = width * height;
  const perSec = perPicture * (framesPerSec ?? 30);
  const fitting = VP9_LEVELS.find(([, rate, size]) => perSec <= rate && perPicture <= size);
  return fitting?.[0] ?? VP9_LEVEL_MAX;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

function hexByte(number: number): string {
  return (number & 0xff).toString(16).padStart(2, "0");
}
