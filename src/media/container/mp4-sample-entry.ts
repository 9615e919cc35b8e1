// The first sample description of a track: which codec, and the bytes that set its decoder up (ISO 14496-12 §8.5.2,
// 14496-14 §5.6; the QuickTime forms of sound descriptions).

import type { TrackKind } from "../ports.ts";
import { keptPrivate } from "./index-draft.ts";
import type { Box } from "./mp4-boxes.ts";
import { readEsds } from "./mp4-esds.ts";

export interface SampleEntry {
  readonly codecId: string;
  readonly codecPrivate: Uint8Array | null;
}

/** Boxes whose whole content is what a decoder wants. */
const PRIVATE_BOXES: ReadonlySet<string> = new Set([
  "avcC",
  "hvcC",
  "av1C",
  "vpcC",
  "dac3",
  "dec3",
  "dOps",
  "dfLa",
]);

/** Behind the eight bytes with which every sample entry begins. */
const VIDEO_FIELDS_BYTES = 78;
const SOUND_FIELDS_BYTES = 28;
/** QuickTime's longer sound descriptions, by version. */
const SOUND_EXTRA_BYTES: readonly number[] = [0, 16, 36];

/** MPEG-4 names the codec in esds; "mp4a" and "mp4v" stand for MPEG-4's own, the others get its number: "mp4a.6b". */
const OWN_OBJECT_TYPES: ReadonlySet<number> = new Set([0x20, 0x40, 0x66, 0x67, 0x68]);

export function readSampleEntry(stsd: Box | null, kind: TrackKind): SampleEntry {
  // version and flags, then a count of entries
  const entry = stsd === null || stsd.lengthBytes < 8 ? undefined : stsd.children(8)[0];
  if (entry === undefined) return { codecId: "", codecPrivate: null };
  const boxes = descriptionBoxes(entry, kind);
  const esds = boxes.find((box) => box.type === "esds");
  if (esds !== undefined) return fromEsds(entry.type, esds);
  const box = boxes.find(({ type }) => PRIVATE_BOXES.has(type));
  return { codecId: entry.type, codecPrivate: box === undefined ? null : keptPrivate(box.bytes(0)) };
}

function fromEsds(type: string, esds: Box): SampleEntry {
  const told = readEsds(esds);
  if (told === null) return { codecId: type, codecPrivate: null };
  const isOwn = OWN_OBJECT_TYPES.has(told.objectType);
  const codecId = isOwn ? type : `${type}.${told.objectType.toString(16).padStart(2, "0")}`;
  return { codecId, codecPrivate: told.decoderConfig };
}

function descriptionBoxes(entry: Box, kind: TrackKind): readonly Box[] {
  if (kind === "video")
    return entry.lengthBytes < VIDEO_FIELDS_BYTES ? [] : entry.children(VIDEO_FIELDS_BYTES);
  if (kind !== "audio" || entry.lengthBytes < SOUND_FIELDS_BYTES) return [];
  const boxes = soundBoxes(entry);
  // QuickTime wraps them once more.
  const wave = boxes.find((box) => box.type === "wave");
  return wave === undefined ? boxes : [...boxes, ...wave.children()];
}

/** Version 1 has more fields in QuickTime files, and not in MP4 files: told apart by what makes boxes. */
function soundBoxes(entry: Box): readonly Box[] {
  const extraBytes = SOUND_EXTRA_BYTES[entry.u16(8)] ?? 0;
  const at = SOUND_FIELDS_BYTES + extraBytes;
  if (extraBytes === 0 || at > entry.lengthBytes) return entry.children(SOUND_FIELDS_BYTES);
  const isPlain = entry.u16(8) === 1 && isBoxAt(entry, SOUND_FIELDS_BYTES);
  return entry.children(isPlain ? SOUND_FIELDS_BYTES : at);
}

function isBoxAt(entry: Box, at: number): boolean {
  if (at + 8 > entry.lengthBytes) return false;
  const size = entry.u32(at);
  return size >= 8 && at + size <= entry.lengthBytes && /^[A-Za-z][\w ]{3}$/.test(entry.code(at + 4));
}
