// Matroska and WebM (RFC 9559): the SeekHead at the start of the Segment tells where the Cues are.

import type { Located } from "./index-locator.ts";

const SEGMENT = 0x18538067;
const SEEK_HEAD = 0x114d9b74;
const SEEK = 0x4dbb;
const SEEK_ID = 0x53ab;
const SEEK_POSITION = 0x53ac;
const CUES = 0x1c53bb6b;
const CLUSTER = 0x1f43b675;
/** Cues of hours of film stay below this; their true size stands where we cannot read yet. */
const CUES_MAX_BYTES = 1024 * 1024;

interface Element {
  readonly id: number;
  readonly dataAt: number;
  /** Infinity where the size is not told (RFC 8794 §6.2). */
  readonly end: number;
}

export function locateMatroskaCues(view: DataView, fileLengthBytes: number): Located {
  const header = elementAt(view, 0);
  if (header === null) return "unknown";
  const segment = elementAt(view, header.end);
  if (segment === null) return header.end + 12 > view.byteLength ? "more" : "unknown";
  if (segment.id !== SEGMENT) return "unknown";
  let next = segment.dataAt;
  while (next + 12 <= view.byteLength) {
    const element = elementAt(view, next);
    if (element === null) return "unknown";
    if (element.id === CUES) return [];
    if (element.id === CLUSTER) return "unknown";
    if (element.id === SEEK_HEAD) {
      if (element.end > view.byteLength) return "more";
      const position = soughtPosition(view, element);
      if (position !== null) {
        const start = segment.dataAt + position;
        return start >= fileLengthBytes ? "unknown" : [{ start, end: start + CUES_MAX_BYTES }];
      }
    }
    next = element.end;
  }
  return "more";
}

/** Where the SeekHead says the Cues are; else where it says that another SeekHead is. Relative to the Segment's data. */
function soughtPosition(view: DataView, seekHead: Element): number | null {
  let second: number | null = null;
  for (let at = seekHead.dataAt; at < seekHead.end; ) {
    const seek = elementAt(view, at);
    if (seek === null || seek.end > seekHead.end) return second;
    at = seek.end;
    if (seek.id !== SEEK) continue;
    const { target, position } = readSeek(view, seek);
    if (target === CUES && position !== null) return position;
    if (target === SEEK_HEAD) second = position;
  }
  return second;
}

function readSeek(view: DataView, seek: Element): { target: number | null; position: number | null } {
  let target: number | null = null;
  let position: number | null = null;
  for (let at = seek.dataAt; at < seek.end; ) {
    const field = elementAt(view, at);
    if (field === null || field.end > seek.end) break;
    at = field.end;
    if (field.id === SEEK_ID) target = unsignedOf(view, field);
    if (field.id === SEEK_POSITION) position = unsignedOf(view, field);
  }
  return { target, position };
}

/** null where the bytes are no element or its head is cut off. Always ends behind `at`. */
function elementAt(view: DataView, at: number): Element | null {
  const id = vintAt(view, at, true);
  if (id === null || id.width > 4) return null;
  const size = vintAt(view, at + id.width, false);
  if (size === null) return null;
  const dataAt = at + id.width + size.width;
  const isUnknown = size.value === 2 ** (7 * size.width) - 1;
  return { id: id.value, dataAt, end: isUnknown ? Number.POSITIVE_INFINITY : dataAt + size.value };
}

/** A variable-size integer (RFC 8794 §4), its marker bit kept for ids. */
function vintAt(view: DataView, at: number, keepMarker: boolean): { value: number; width: number } | null {
  if (at >= view.byteLength) return null;
  const first = view.getUint8(at);
  const width = Math.clz32(first) - 23;
  if (width > 8 || at + width > view.byteLength) return null;
  let value = keepMarker ? first : first & (0xff >> width);
  for (let i = 1; i < width; i++) value = value * 256 + view.getUint8(at + i);
  return { value, width };
}

function unsignedOf(view: DataView, field: Element): number | null {
  const lengthBytes = field.end - field.dataAt;
  if (lengthBytes < 1 || lengthBytes > 8 || field.end > view.byteLength) return null;
  let value = 0;
  for (let i = 0; i < lengthBytes; i++) value = value * 256 + view.getUint8(field.dataAt + i);
  return value;
}
