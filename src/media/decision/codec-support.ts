// Whether a codec by its RFC 6381 name is among what a client answered. An exact answer counts first; else a yes for
// a higher profile and level of the same codec holds for lower ones.

import type { TypeAnswer } from "./caps.ts";

export type CodecVerdict = "plays" | "codec" | "profile" | "level" | "bit_depth";
export type PlayedContainer = "mp4" | "webm";

interface CodecName {
  readonly family: string;
  /** Higher includes lower; profiles that are no subset of one another are families of their own. */
  readonly profile: number;
  readonly level: number;
  readonly bitDepth: number;
}

/** profile_idc → place in the order in which each decodes the ones below it. */
const H264_PROFILES: ReadonlyMap<number, number> = new Map([
  [66, 0],
  [77, 1],
  [88, 1],
  [100, 2],
  [110, 3],
  [122, 4],
  [244, 5],
]);
const H264_TEN_BIT = 110;
const ALIASES: Readonly<Record<string, string>> = {
  "mp4a.40.34": "mp3",
  "mp4a.69": "mp3",
  "mp4a.6b": "mp3",
  "mp4a.a5": "ac-3",
  "mp4a.a6": "ec-3",
};
/** AAC object types: HE-AAC v2 includes HE-AAC includes LC. */
const AAC_TYPES: ReadonlyMap<string, number> = new Map([
  ["2", 0],
  ["02", 0],
  ["5", 1],
  ["05", 1],
  ["29", 2],
]);
const PLAIN = { profile: 0, level: 0, bitDepth: 8 };

/** What of `codecString` keeps the client from playing it in this container, or "plays". */
export function judgeCodec(
  answers: readonly TypeAnswer[],
  container: PlayedContainer,
  codecString: string,
): CodecVerdict {
  const wanted = parseCodec(codecString);
  const relevant = answers.flatMap((answer) => codecsOf(answer, container));
  const exact = relevant.find(({ name }) => name === codecString.toLowerCase());
  if (exact?.plays === true) return "plays";
  const played = relevant.filter(({ plays }) => plays).map(({ name }) => parseCodec(name));
  const sameFamily = played.filter(({ family }) => family === wanted.family);
  const verdict = bestOf(sameFamily, wanted);
  return exact?.plays === false && verdict === "plays" ? "profile" : verdict;
}

function bestOf(sameFamily: readonly CodecName[], wanted: CodecName): CodecVerdict {
  if (sameFamily.length === 0) return "codec";
  const deep = sameFamily.filter(({ bitDepth }) => bitDepth >= wanted.bitDepth);
  if (deep.length === 0) return "bit_depth";
  const profiled = deep.filter(({ profile }) => profile >= wanted.profile);
  if (profiled.length === 0) return "profile";
  return profiled.some(({ level }) => level >= wanted.level) ? "plays" : "level";
}

/** A no to several codecs at once says nothing about any of them. */
function codecsOf(
  { type, plays }: TypeAnswer,
  container: PlayedContainer,
): { name: string; plays: boolean }[] {
  const [, inside, codecs] =
    /^\s*(?:video|audio)\/(mp4|webm)\s*;\s*codecs\s*=\s*"?([^"]*)"?\s*$/i.exec(type) ?? [];
  if (inside?.toLowerCase() !== container || codecs === undefined) return [];
  const names = codecs.split(",").map((name) => name.trim().toLowerCase());
  return plays || names.length === 1 ? names.map((name) => ({ name, plays })) : [];
}

function parseCodec(codecString: string): CodecName {
  const name = codecString.toLowerCase();
  const [kind = "", ...parts] = name.split(".");
  switch (kind) {
    case "avc1":
    case "avc3":
      return h264(parts[0] ?? "");
    case "hvc1":
    case "hev1":
      return hevc(parts);
    case "av01":
      return av1(parts);
    case "vp09":
      return vp9(parts);
    case "vp9":
      return { family: "vp9", profile: 0, level: Number.POSITIVE_INFINITY, bitDepth: 8 };
    case "vp08":
      return { family: "vp8", ...PLAIN };
    case "mp4a":
      return mp4a(name, parts);
    default:
      return { family: kind, ...PLAIN };
  }
}

function h264(bytes: string): CodecName {
  const idc = Number.parseInt(bytes.slice(0, 2), 16);
  const level = Number.parseInt(bytes.slice(4, 6), 16);
  const profile = H264_PROFILES.get(idc);
  if (profile === undefined)
    return { family: `h264 profile ${bytes.slice(0, 2)}`, ...PLAIN, level: level || 0 };
  return { family: "h264", profile, level: level || 0, bitDepth: idc >= H264_TEN_BIT ? 10 : 8 };
}

function hevc([profileText = "", , tierAndLevel = ""]: readonly string[]): CodecName {
  const profile = Number(/\d+$/.exec(profileText)?.[0] ?? 0);
  const level = Number(/^[lh](\d+)$/.exec(tierAndLevel)?.[1] ?? 0);
  return { family: "hevc", profile, level, bitDepth: profile === 2 ? 10 : profile > 3 ? 12 : 8 };
}

function av1([profile = "0", level = "0", bitDepth = "8"]: readonly string[]): CodecName {
  return {
    family: "av1",
    profile: Number(profile),
    level: Number.parseInt(level, 10) || 0,
    bitDepth: Number(bitDepth),
  };
}

/** Profiles 1 and 3 are those of 4:2:2 and 4:4:4. */
function vp9([profileText = "0", level = "0", bitDepth = "8"]: readonly string[]): CodecName {
  const profile = Number(profileText);
  const family = profile % 2 === 0 ? "vp9" : "vp9 4:4:4";
  return { family, profile, level: Number(level), bitDepth: Number(bitDepth) };
}

function mp4a(name: string, [kind, objectType = ""]: readonly string[]): CodecName {
  const alias = ALIASES[name];
  if (alias !== undefined) return { family: alias, ...PLAIN };
  const profile = kind === "40" ? AAC_TYPES.get(objectType) : undefined;
  return profile === undefined ? { family: name, ...PLAIN } : { family: "aac", ...PLAIN, profile };
}
