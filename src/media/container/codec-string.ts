// RFC 6381 names of codecs as browsers ask for them, from the bytes that set a decoder up: exact, or null. For the forms
// see ISO 14496-15 Annex E (avc1, hvc1), the AV1 and VP9 ISOBMFF bindings, and RFC 6381 §3.3 (mp4a).

import type { IndexedTrack } from "../ports.ts";
import { av1CodecString, avcCodecString, hevcCodecString, vp9CodecString } from "./codec-video.ts";

type FromPrivate = (codecPrivate: Uint8Array) => string | null;

/** Codecs whose name depends on their configuration. Copies of HEVC go out as hvc1, however they came. */
const CONFIGURED: ReadonlyMap<string, FromPrivate> = new Map<string, FromPrivate>([
  ["V_MPEG4/ISO/AVC", avcCodecString],
  ["avc1", avcCodecString],
  ["avc3", avcCodecString],
  ["V_MPEGH/ISO/HEVC", hevcCodecString],
  ["hvc1", hevcCodecString],
  ["hev1", hevcCodecString],
  ["V_AV1", av1CodecString],
  ["av01", av1CodecString],
  ["V_VP9", (features) => vp9CodecString(features, "matroska")],
  ["vp09", (vpcC) => vp9CodecString(vpcC, "mp4")],
  ["A_AAC", aacCodecString],
  ["mp4a", aacCodecString],
]);

const FIXED: ReadonlyMap<string, string> = new Map([
  ["A_MPEG/L3", "mp4a.6B"],
  ["mp4a.6b", "mp4a.6B"],
  ["mp4a.69", "mp4a.69"],
  [".mp3", "mp4a.6B"],
  ["A_AC3", "ac-3"],
  ["ac-3", "ac-3"],
  ["mp4a.a5", "ac-3"],
  ["A_EAC3", "ec-3"],
  ["ec-3", "ec-3"],
  ["mp4a.a6", "ec-3"],
  ["A_OPUS", "Opus"],
  ["Opus", "Opus"],
  ["A_FLAC", "fLaC"],
  ["fLaC", "fLaC"],
]);

/** null where the container does not tell, or no browser has a name for the codec. */
export function codecStringOf(track: IndexedTrack): string | null {
  const fixed = FIXED.get(track.codecId);
  if (fixed !== undefined) return fixed;
  const configured = CONFIGURED.get(track.codecId);
  if (configured === undefined || track.codecPrivate === null) return null;
  return configured(track.codecPrivate);
}

const ESCAPED_OBJECT_TYPE = 31;

/** ISO 14496-3 §1.6.2.1: AudioSpecificConfig begins with five bits of audio object type, or an escape and six more. */
function aacCodecString(config: Uint8Array): string | null {
  const [first = 0, second = 0] = config;
  if (config.length < 2) return null;
  const short = first >> 3;
  const objectType = short === ESCAPED_OBJECT_TYPE ? 32 + (((first & 7) << 3) | (second >> 5)) : short;
  return objectType === 0 ? null : `mp4a.40.${objectType}`;
}
