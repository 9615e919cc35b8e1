// What a client can play, as its player tells it with POST …/session {"caps": …}. The schema documents the fields and
// holds the bounds; the parser reads them from it. Unknown fields are refused like anywhere in the API.

import { TorrxError } from "../../base/errors.ts";
import type { DynamicRange } from "../ports.ts";

export type HighRange = Exclude<DynamicRange, "sdr">;

export const PLATFORMS = [
  "desktop",
  "ios",
  "android",
  "tizen",
  "webos",
  "chromecast",
  "xbox",
  "playstation",
  "unknown",
] as const;
export type Platform = (typeof PLATFORMS)[number];
const HIGH_RANGES: readonly HighRange[] = ["hdr10", "hlg", "dolby_vision"];

export interface TypeAnswer {
  /** A MIME type as for MediaSource.isTypeSupported, mostly with codecs. */
  readonly type: string;
  readonly plays: boolean;
}

export interface ClientCaps {
  readonly platform: Platform;
  readonly hasMediaSource: boolean;
  readonly hasNativeHls: boolean;
  /** VLC and its like: any container, any codec. */
  readonly readsContainers: boolean;
  readonly types: readonly TypeAnswer[];
  /** The tallest picture that the client decodes; null = no limit known. */
  readonly heightLimit: number | null;
  /** High dynamic ranges that it shows, or turns into what its screen can show. */
  readonly dynamicRanges: readonly HighRange[];
}

/**
 * What the web player should ask its browser: of each kind of codec the highest form that matters, and lower ones for
 * those who play no more. Answers for a higher profile and level hold for the lower ones.
 */
export const TYPES_TO_ASK: readonly string[] = [
  ...["avc1.42e01e", "avc1.4d0028", "avc1.640028", "avc1.640033", "avc1.640034", "avc1.6e0033"],
  ...["hvc1.1.6.L120.B0", "hvc1.1.6.L153.B0", "hvc1.2.4.L120.B0", "hvc1.2.4.L153.B0"],
  ...["av01.0.08M.08", "av01.0.08M.10", "av01.0.13M.10", "vp09.00.41.08", "vp09.00.51.08", "vp09.02.51.10"],
  ...["mp4a.40.2", "mp4a.40.5", "ac-3", "ec-3", "opus", "flac"],
]
  .map((codec) => `video/mp4; codecs="${codec}"`)
  .concat(
    ["vp8", "vp9", "vp09.02.51.10", "av01.0.13M.10", "opus", "vorbis"].map(
      (codec) => `video/webm; codecs="${codec}"`,
    ),
  );

export const CAPS_SCHEMA = {
  type: "object",
  description: "What the player's browser can play",
  additionalProperties: false,
  required: ["mse", "native_hls", "types"],
  properties: {
    mse: { type: "boolean", description: "There is a MediaSource or ManagedMediaSource" },
    native_hls: {
      type: "boolean",
      description: "The video element plays application/vnd.apple.mpegurl by itself",
    },
    types: {
      type: "array",
      maxItems: 96,
      description:
        "Media types that were asked of MediaSource.isTypeSupported, or of canPlayType where there is no MediaSource; " +
        "what is not listed counts as not playable",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["type", "plays"],
        properties: {
          type: {
            type: "string",
            minLength: 3,
            maxLength: 160,
            description: 'As video/mp4; codecs="avc1.640028"',
          },
          plays: { type: "boolean", description: "The answer; for canPlayType anything but an empty text" },
        },
      },
    },
    max_height: {
      type: "integer",
      minimum: 144,
      maximum: 8640,
      description:
        "The tallest picture that the device decodes (not the size of its screen); left out = not known",
    },
    hdr: {
      type: "array",
      maxItems: 3,
      items: { enum: HIGH_RANGES },
      description:
        "High dynamic ranges that the screen shows (media query dynamic-range: high); left out = none",
    },
    platform: {
      enum: PLATFORMS,
      description: "What the player knows of its device; left out = told by the User-Agent",
    },
  },
} as const;

export interface ToldCaps extends Omit<ClientCaps, "platform" | "readsContainers"> {
  readonly platform: Platform | null;
}

const FIELDS = CAPS_SCHEMA.properties;
const TYPE_FIELDS = FIELDS.types.items.properties;

/** Throws TorrxError("validation"), naming the field and never its value. */
export function parseCaps(value: unknown): ToldCaps {
  const caps = closedObject(value, "caps", Object.keys(FIELDS));
  return {
    hasMediaSource: flag(caps["mse"], "caps.mse"),
    hasNativeHls: flag(caps["native_hls"], "caps.native_hls"),
    types: list(caps["types"], "caps.types", FIELDS.types.maxItems).map(typeAnswer),
    heightLimit: caps["max_height"] === undefined ? null : height(caps["max_height"]),
    dynamicRanges: ranges(caps["hdr"]),
    platform: caps["platform"] === undefined ? null : oneOf(caps["platform"], PLATFORMS, "caps.platform"),
  };
}

function typeAnswer(value: unknown, place: number): TypeAnswer {
  const name = `caps.types[${place}]`;
  const answer = closedObject(value, name, Object.keys(TYPE_FIELDS));
  const { minLength, maxLength } = TYPE_FIELDS.type;
  const type = answer["type"];
  if (typeof type !== "string" || type.length < minLength || type.length > maxLength) {
    throw refused(`${name}.type`, `text of ${minLength} to ${maxLength} characters`);
  }
  return { type, plays: flag(answer["plays"], `${name}.plays`) };
}

function ranges(value: unknown): readonly HighRange[] {
  if (value === undefined) return [];
  const entries = list(value, "caps.hdr", FIELDS.hdr.maxItems);
  return entries.map((entry) => oneOf(entry, HIGH_RANGES, "caps.hdr"));
}

function height(value: unknown): number {
  const { minimum, maximum } = FIELDS.max_height;
  if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum)
    return value;
  throw refused("caps.max_height", `a whole number from ${minimum} to ${maximum}`);
}

function closedObject(
  value: unknown,
  name: string,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refused(name, "an object");
  if (Object.keys(value).some((key) => !known.includes(key))) {
    throw refused(name, `an object of nothing but ${known.join(", ")}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, name: string, lengthMax: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= lengthMax) return value;
  throw refused(name, `a list of at most ${lengthMax} entries`);
}

function flag(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw refused(name, "true or false");
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], name: string): T {
  const found = allowed.find((entry) => entry === value);
  if (found === undefined) throw refused(name, allowed.join(", "));
  return found;
}

function refused(name: string, allowed: string): TorrxError {
  return new TorrxError("validation", `${name} must be ${allowed}`);
}
