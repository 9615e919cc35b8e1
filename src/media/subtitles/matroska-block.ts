// Blocks of a Matroska cluster (RFC 9559 §5.1.3, §10) that hold lines of text.

import { LIMITS } from "../../base/limits.ts";
import { ElementCursor, elementHeaderAt } from "../container/ebml.ts";
import type { MediaSource } from "../ports.ts";
import { readWithin } from "./read-within.ts";

const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const BLOCK_DURATION = 0x9b;
const BLOCK_ADDITIONS = 0x75a1;
const BLOCK_MORE = 0xa6;
const BLOCK_ADDITIONAL = 0xa5;
const LACING = 0x06;
/** A line of text with its header nearly always fits. */
const BLOCK_READ_BYTES = 1_024;

export interface Block {
  readonly trackNumber: number;
  /** Relative to the cluster's time. */
  readonly ticks: number;
  readonly durationTicks: number | null;
  readonly payload: Uint8Array;
  /** BlockAdditional. */
  readonly addition: Uint8Array | null;
}

export function isBlockElement(id: number): boolean {
  return id === SIMPLE_BLOCK || id === BLOCK_GROUP;
}

/**
 * The block whose element begins at `at`; null where there is none, or one too large to be a line of text. IndexFault
 * "broken" where its parts do not add up.
 */
export async function blockAt(source: MediaSource, at: number, signal: AbortSignal): Promise<Block | null> {
  const head = await readWithin(source, { at, lengthBytes: BLOCK_READ_BYTES, signal });
  const header = elementHeaderAt(head, 0);
  if (header === null || header.dataBytes === null || !isBlockElement(header.id)) return null;
  const lengthBytes = header.headerBytes + header.dataBytes;
  if (lengthBytes > LIMITS.subtitles.sampleBytes || at + lengthBytes > source.lengthBytes) return null;
  const whole = lengthBytes <= head.length ? head : await readWithin(source, { at, lengthBytes, signal });
  const content = whole.subarray(header.headerBytes, lengthBytes);
  return header.id === SIMPLE_BLOCK ? withoutGroup(content) : readGroup(new ElementCursor(content));
}

/** The track of the block whose element's content begins with these bytes; null where they do not tell. */
export function trackNumberOf(id: number, content: Uint8Array): number | null {
  if (id === SIMPLE_BLOCK) return vintAt(content)?.value ?? null;
  for (let at = 0; at < content.length; ) {
    const child = elementHeaderAt(content, at);
    if (child === null || child.dataBytes === null) return null;
    if (child.id === BLOCK) return vintAt(content.subarray(at + child.headerBytes))?.value ?? null;
    at += child.headerBytes + child.dataBytes;
  }
  return null;
}

function readGroup(cursor: ElementCursor): Block | null {
  let block: Block | null = null;
  let durationTicks: number | null = null;
  let addition: Uint8Array | null = null;
  while (cursor.next()) {
    if (cursor.id === BLOCK) block = withoutGroup(cursor.data());
    if (cursor.id === BLOCK_DURATION) durationTicks = cursor.uint();
    if (cursor.id === BLOCK_ADDITIONS) addition = readAddition(cursor.children());
  }
  return block === null ? null : { ...block, durationTicks, addition };
}

function readAddition(cursor: ElementCursor): Uint8Array | null {
  while (cursor.next()) {
    if (cursor.id !== BLOCK_MORE) continue;
    const more = cursor.children();
    while (more.next()) if (more.id === BLOCK_ADDITIONAL) return more.data();
  }
  return null;
}

/** Track number, time, flags, then the frame. Laced frames are not text. */
function withoutGroup(content: Uint8Array): Block | null {
  const track = vintAt(content);
  if (track === null || content.length < track.lengthBytes + 3) return null;
  const view = new DataView(content.buffer, content.byteOffset + track.lengthBytes);
  if ((view.getUint8(2) & LACING) !== 0) return null;
  return {
    trackNumber: track.value,
    ticks: view.getInt16(0),
    durationTicks: null,
    payload: content.subarray(track.lengthBytes + 3),
    addition: null,
  };
}

/** Track numbers have at most two bytes in practice; four are read. */
function vintAt(bytes: Uint8Array): { value: number; lengthBytes: number } | null {
  const first = bytes[0] ?? 0;
  const lengthBytes = first === 0 ? 0 : Math.clz32(first) - 23;
  if (lengthBytes === 0 || lengthBytes > 4 || bytes.length < lengthBytes) return null;
  let value = first & (0xff >> lengthBytes);
  for (let i = 1; i < lengthBytes; i++) value = value * 256 + (bytes[i] ?? 0);
  return { value, lengthBytes };
}
