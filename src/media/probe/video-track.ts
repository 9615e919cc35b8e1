// The picture of a file, of ffprobe's JSON: the first video stream that is no cover.

import { LIMITS } from "../../base/limits.ts";
import type { DolbyVision, DynamicRange, VideoTrack } from "../ports.ts";
import { videoCodecString } from "./codec-strings.ts";
import {
  hasDisposition,
  type JsonObject,
  nameIn,
  objectsIn,
  ratioIn,
  tagIn,
  wholeIn,
} from "./json-fields.ts";

const EDGE_MAX = LIMITS.probe.edgePixels;
const FRAMES_PER_SEC_MAX = 300;
/** A stream of fields or with a broken clock is told as 90000/1 and the like. */
const GUESSED_FRAMES_PER_SEC_MAX = 121;
const BITS_PER_SEC_MAX = 10e9;
const SIDE_DATA_MAX = 32;
const PICTURES = ["attached_pic", "still_image", "timed_thumbnails"];
const INTERLACED = new Set(["tt", "bb", "tb", "bt"]);

/** Null for what is no video that could be played: a cover, no codec, no size. */
export function videoTrackOf(stream: JsonObject): VideoTrack | null {
  const index = wholeIn(stream["index"], 0, 9_999);
  const codec = nameIn(stream["codec_name"]);
  const width = wholeIn(stream["width"], 1, EDGE_MAX);
  const height = wholeIn(stream["height"], 1, EDGE_MAX);
  if (index === null || codec === null || width === null || height === null) return null;
  if (PICTURES.some((name) => hasDisposition(stream, name))) return null;
  const facts = {
    kind: "video",
    stream: index,
    codec,
    profile: profileIn(stream),
    level: wholeIn(stream["level"], 0, 999),
    width,
    height,
    framesPerSec: framesPerSecIn(stream),
    bitDepth: bitDepthIn(stream),
    pixelFormat: nameIn(stream["pix_fmt"]),
    isInterlaced: INTERLACED.has(String(stream["field_order"])),
    ...rangeIn(stream),
    ...rotationIn(stream),
    bitsPerSec: bitsPerSecIn(stream),
  } as const;
  return { ...facts, codecString: videoCodecString(facts) };
}

export function bitsPerSecIn(stream: JsonObject): number | null {
  const told = wholeIn(stream["bit_rate"], 1, BITS_PER_SEC_MAX);
  // Matroska has no field for it; mkvmerge writes a tag.
  return told ?? wholeIn(tagIn(stream, "bps"), 1, BITS_PER_SEC_MAX);
}

/** "High 10"; null for "unknown" and for a bare number. */
export function profileIn(stream: JsonObject): string | null {
  const profile = nameIn(stream["profile"]);
  return profile === null || profile === "unknown" || /^-?\d+$/.test(profile) ? null : profile;
}

function framesPerSecIn(stream: JsonObject): number | null {
  return (
    ratioIn(stream["avg_frame_rate"], 0.1, FRAMES_PER_SEC_MAX) ??
    ratioIn(stream["r_frame_rate"], 0.1, GUESSED_FRAMES_PER_SEC_MAX)
  );
}

function bitDepthIn(stream: JsonObject): number {
  const format = nameIn(stream["pix_fmt"]) ?? "";
  const [, depth] = /(?:p|gray|gbrap?)(9|10|12|14|16)(?:le|be)?$/.exec(format) ?? [];
  if (depth !== undefined) return Number(depth);
  const [, packed] = /^p[0-4]?([01][0-9])(?:le|be)$/.exec(format) ?? [];
  if (packed !== undefined) return Number(packed);
  return format === "" ? (wholeIn(stream["bits_per_raw_sample"], 8, 16) ?? 8) : 8;
}

interface Range {
  readonly dynamicRange: DynamicRange;
  readonly dolbyVision?: DolbyVision;
}

function rangeIn(stream: JsonObject): Range {
  const base = transferRange(stream);
  const record = sideDataOf(stream, "DOVI configuration record");
  const isTagged = /^dv(h1|he|a1|av)$/.test(String(stream["codec_tag_string"]));
  if (record === undefined && !isTagged) return { dynamicRange: base };
  const profile = wholeIn(record?.["dv_profile"], 0, 99);
  const compatibility = wholeIn(record?.["dv_bl_signal_compatibility_id"], 0, 15);
  return {
    dynamicRange: "dolby_vision",
    dolbyVision: { profile, base: baseLayer(profile, compatibility, base) },
  };
}

function transferRange(stream: JsonObject): "sdr" | "hdr10" | "hlg" {
  const transfer = stream["color_transfer"];
  if (transfer === "smpte2084") return "hdr10";
  return transfer === "arib-std-b67" ? "hlg" : "sdr";
}

/** The ids of Dolby's "bl_signal_compatibility_id": 1 and 6 HDR10, 2 SDR, 4 HLG, 0 none. */
function baseLayer(
  profile: number | null,
  compatibility: number | null,
  told: "sdr" | "hdr10" | "hlg",
): DolbyVision["base"] {
  if (profile === 5 || compatibility === 0) return null;
  if (compatibility === 1 || compatibility === 6) return "hdr10";
  if (compatibility === 2) return "sdr";
  return compatibility === 4 ? "hlg" : told;
}

function rotationIn(stream: JsonObject): Pick<VideoTrack, "rotationDegrees"> {
  // ffprobe tells it counter-clockwise.
  const turned = wholeIn(sideDataOf(stream, "Display Matrix")?.["rotation"], -360, 360) ?? 0;
  const clockwise = (((-turned % 360) + 360) % 360) as number;
  if (clockwise === 90 || clockwise === 180 || clockwise === 270) return { rotationDegrees: clockwise };
  return {};
}

function sideDataOf(stream: JsonObject, type: string): JsonObject | undefined {
  const list = objectsIn(stream["side_data_list"], SIDE_DATA_MAX);
  return list.find((entry) => entry["side_data_type"] === type);
}
