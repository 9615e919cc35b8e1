// What a client can play that tells nothing but its name: a player that got a bare link. Rather too little than too
// much is believed; H.264 up to 4.2 and AAC are assumed of everyone.

import type { ClientCaps, HighRange, Platform, TypeAnswer } from "./caps.ts";
import { readsContainers } from "./players.ts";

interface Device {
  readonly name: RegExp;
  /** Names that such a device has besides, and is not. */
  readonly but?: RegExp;
  readonly platform: Platform;
  readonly codecs: readonly string[];
  readonly hasMediaSource?: boolean;
  readonly hasNativeHls?: boolean;
  readonly heightLimit?: number;
  readonly ranges?: readonly HighRange[];
}

const BASE = ["avc1.64002a", "mp4a.40.2", "mp3"];
const TALL = ["avc1.640034", "mp4a.40.2", "mp3"];
const APPLE = [...TALL, "hvc1.2.4.L153.B0", "mp4a.40.29", "ac-3", "ec-3", "flac", "alac", "opus"];
const OPEN = [...TALL, "vp09.02.51.10", "av01.0.13M.10", "vp8", "opus", "flac", "vorbis"];
const TELEVISION = [...TALL, "hvc1.2.4.L153.B0", "vp09.02.51.10", "ac-3", "ec-3", "opus", "flac"];
/** Those who show HDR on an SDR screen by themselves. */
const TONE_MAPPED: readonly HighRange[] = ["hdr10", "hlg"];

/** The first that fits. */
const DEVICES: readonly Device[] = [
  {
    name: /\b(Web0S|webOS|NetCast)\b/i,
    platform: "webos",
    codecs: TELEVISION,
    hasNativeHls: true,
    ranges: [...TONE_MAPPED, "dolby_vision"],
  },
  {
    name: /\b(Tizen|SMART-TV|SmartHub|Maple)\b/i,
    but: /\bAndroid\b/,
    platform: "tizen",
    codecs: TELEVISION,
    hasNativeHls: true,
    ranges: TONE_MAPPED,
  },
  {
    name: /\bCrKey\b/,
    platform: "chromecast",
    codecs: [...BASE, "vp8", "vp09.00.41.08", "opus", "flac"],
    heightLimit: 1080,
  },
  {
    name: /\bXbox\b/i,
    platform: "xbox",
    codecs: [...TALL, "hvc1.2.4.L153.B0", "vp09.00.51.08"],
    ranges: ["hdr10"],
  },
  { name: /\bPlayStation\b/i, platform: "playstation", codecs: BASE, heightLimit: 1080 },
  {
    name: /\b(iPhone|iPad|iPod)\b|^AppleCoreMedia\/.*\b(iPhone|iPad|iPod|Apple TV)\b/,
    platform: "ios",
    codecs: APPLE,
    hasMediaSource: false,
    hasNativeHls: true,
    ranges: [...TONE_MAPPED, "dolby_vision"],
  },
  {
    name: /^AppleCoreMedia\/|\bQuickTime\b/i,
    platform: "desktop",
    codecs: APPLE,
    hasMediaSource: false,
    hasNativeHls: true,
    ranges: TONE_MAPPED,
  },
  {
    name: /\bMacintosh\b.*\bVersion\/[\d.]+ Safari\//,
    platform: "desktop",
    codecs: APPLE,
    hasNativeHls: true,
    ranges: TONE_MAPPED,
  },
  {
    name: /\bAndroid\b.*\b(Chrome|Firefox|Gecko|SamsungBrowser|Silk)\b/,
    platform: "android",
    codecs: [...BASE, "vp09.00.41.08", "vp8", "opus", "flac", "vorbis"],
    heightLimit: 1080,
  },
  { name: /\bFirefox\/\d/, but: /\bSeamonkey\b/i, platform: "desktop", codecs: OPEN },
  {
    name: /\b(Chrome|Chromium|HeadlessChrome|Edg)\/\d/,
    platform: "desktop",
    codecs: OPEN,
    ranges: TONE_MAPPED,
  },
];
const UNKNOWN: Device = {
  name: /^/,
  platform: "unknown",
  codecs: BASE,
  hasNativeHls: true,
  heightLimit: 1080,
};
const USER_AGENT_CHARS_MAX = 1_024;
const PLAYLIST_TYPE = /mpegurl/i;

/** What the name promises; a playlist type in Accept means that playlists are played without our help. */
export function capsOfUserAgent(userAgent: string | null, accept: string | null): ClientCaps {
  const name = (userAgent ?? "").slice(0, USER_AGENT_CHARS_MAX);
  const device = deviceOf(name);
  return {
    platform: device.platform,
    hasMediaSource: device.hasMediaSource ?? true,
    hasNativeHls: device.hasNativeHls === true || PLAYLIST_TYPE.test(accept ?? ""),
    readsContainers: readsContainers(name),
    types: device.codecs.flatMap(answersFor),
    heightLimit: device.heightLimit ?? null,
    dynamicRanges: device.ranges ?? [],
  };
}

/** The kind of device alone, for clients that tell their codecs themselves. */
export function platformOf(userAgent: string | null): Platform {
  return deviceOf((userAgent ?? "").slice(0, USER_AGENT_CHARS_MAX)).platform;
}

/** Chrome shows HDR on any screen of a desktop; on Android, and in Firefox anywhere, it comes out pale. */
export function highRangesOf(userAgent: string | null): readonly HighRange[] {
  return deviceOf((userAgent ?? "").slice(0, USER_AGENT_CHARS_MAX)).ranges ?? [];
}

function deviceOf(name: string): Device {
  return DEVICES.find((device) => device.name.test(name) && device.but?.test(name) !== true) ?? UNKNOWN;
}

function answersFor(codec: string): TypeAnswer[] {
  const inWebm = /^(vp|av01|opus|vorbis)/.test(codec);
  const types = codec === "vorbis" || codec === "vp8" ? [] : [`video/mp4; codecs="${codec}"`];
  if (inWebm) types.push(`video/webm; codecs="${codec}"`);
  return types.map((type) => ({ type, plays: true }));
}
