// Where in a media file its index lies, told from the file's first bytes: players read it before they show anything,
// so it is fetched beside the start. Pure, and safe on any bytes: walks are bounded by the head that is given.

import type { ByteRange } from "../../base/byte-range.ts";
import { locateMatroskaCues } from "./matroska-cues.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** With this much of the head and still no answer the file counts as unknown. */
const HEAD_MAX_BYTES = 256 * KIB;
const TAIL_MAX_BYTES = 8 * MIB;
const TAIL_SHARE = 0.05;
const INDEX_MAX_BYTES = 32 * MIB;

/** What a walk found: ranges, "more" for more head bytes, "unknown" where it is no such container. */
export type Located = readonly ByteRange[] | "more" | "unknown";

/**
 * Bytes of the file that hold its index, empty where it lies at the start and comes by itself. null = ask again with
 * more of the head (at most 256 KiB are ever needed).
 */
export function locateIndex(head: Uint8Array, fileLengthBytes: number): ByteRange[] | null {
  if (fileLengthBytes <= 0) return [];
  const isAll = head.length >= Math.min(fileLengthBytes, HEAD_MAX_BYTES);
  if (head.length < 16 && !isAll) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const located = walk(view, fileLengthBytes);
  if (located === "more" && !isAll) return null;
  if (typeof located === "string") return [tailOf(fileLengthBytes)];
  return located.map((range) => clamp(range, fileLengthBytes)).filter((range) => range.start < range.end);
}

function walk(view: DataView, fileLengthBytes: number): Located {
  if (view.byteLength < 16) return "unknown";
  const magic = view.getUint32(0);
  if (magic === EBML_MAGIC) return locateMatroskaCues(view, fileLengthBytes);
  if (magic === RIFF_MAGIC && view.getUint32(8) === AVI_MAGIC) return locateAviIndex(view);
  if (MP4_FIRST_BOXES.has(boxType(view, 0))) return locateMoov(view, fileLengthBytes);
  return "unknown";
}

const EBML_MAGIC = 0x1a45dfa3;
const RIFF_MAGIC = 0x52494646;
const AVI_MAGIC = 0x41564920;
const MP4_FIRST_BOXES: ReadonlySet<string> = new Set([
  "ftyp",
  "styp",
  "moov",
  "mdat",
  "free",
  "skip",
  "wide",
  "pnot",
]);

/** ISO 14496-12 §4.2: top-level boxes up to moov or mdat; a moov behind mdat reaches to the end of the file. */
function locateMoov(view: DataView, fileLengthBytes: number): Located {
  let at = 0;
  while (at + 16 <= view.byteLength) {
    const type = boxType(view, at);
    if (type === "moov") return [];
    const sizeBytes = boxSize(view, at, fileLengthBytes);
    if (sizeBytes < 8) return "unknown";
    at += sizeBytes;
    if (type === "mdat") return [{ start: at, end: Math.min(fileLengthBytes, at + INDEX_MAX_BYTES) }];
    if (at >= fileLengthBytes) return [];
  }
  return "more";
}

function boxSize(view: DataView, at: number, fileLengthBytes: number): number {
  const size = view.getUint32(at);
  if (size === 0) return fileLengthBytes - at;
  if (size !== 1) return size;
  const large = view.getBigUint64(at + 8);
  return large > BigInt(fileLengthBytes) ? fileLengthBytes - at : Number(large);
}

function boxType(view: DataView, at: number): string {
  return String.fromCharCode(
    view.getUint8(at + 4),
    view.getUint8(at + 5),
    view.getUint8(at + 6),
    view.getUint8(at + 7),
  );
}

/** AVI 1.0: idx1 follows the movi list. */
function locateAviIndex(view: DataView): Located {
  const riffEnd = 8 + view.getUint32(4, true);
  let at = 12;
  while (at + 12 <= view.byteLength) {
    const sizeBytes = view.getUint32(at + 4, true);
    const isMovi = view.getUint32(at) === LIST_MAGIC && view.getUint32(at + 8) === MOVI_MAGIC;
    at += 8 + sizeBytes + (sizeBytes & 1);
    if (isMovi) return [{ start: at, end: Math.min(riffEnd, at + INDEX_MAX_BYTES) }];
  }
  return "more";
}

const LIST_MAGIC = 0x4c495354;
const MOVI_MAGIC = 0x6d6f7669;

function tailOf(fileLengthBytes: number): ByteRange {
  const lengthBytes = Math.ceil(Math.min(TAIL_MAX_BYTES, TAIL_SHARE * fileLengthBytes));
  return { start: fileLengthBytes - lengthBytes, end: fileLengthBytes };
}

function clamp(range: ByteRange, fileLengthBytes: number): ByteRange {
  return { start: Math.min(range.start, fileLengthBytes), end: Math.min(range.end, fileLengthBytes) };
}
