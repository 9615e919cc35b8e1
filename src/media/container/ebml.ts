// EBML (RFC 8794): headers of elements, and a cursor over elements that are in memory. Whatever a length claims, a
// cursor stays within the bytes of its parent.

import { broken } from "./index-fault.ts";

export const EBML_MAGIC = 0x1a45dfa3;
/** The longest header: four bytes of ID, eight of size. */
export const ELEMENT_HEADER_BYTES = 12;
const ID_BYTES_MAX = 4;

export interface ElementHeader {
  readonly id: number;
  readonly headerBytes: number;
  /** null = unknown: it lasts until an element that cannot be its child. */
  readonly dataBytes: number | null;
}

/** null where there is no header. */
export function elementHeaderAt(bytes: Uint8Array, at: number): ElementHeader | null {
  const idBytes = vintLength(bytes[at]);
  const sizeBytes = vintLength(bytes[at + idBytes]);
  const headerBytes = idBytes + sizeBytes;
  if (!isHeader(idBytes, sizeBytes) || at + headerBytes > bytes.length) return null;
  const dataBytes = sizeAt(bytes, at + idBytes, sizeBytes);
  return { id: unsigned(bytes, at, at + idBytes), headerBytes, dataBytes: dataBytes < 0 ? null : dataBytes };
}

function isHeader(idBytes: number, sizeBytes: number): boolean {
  return idBytes > 0 && idBytes <= ID_BYTES_MAX && sizeBytes > 0;
}

/** 0 where the first byte of a variable-length integer cannot be one. */
function vintLength(first: number | undefined): number {
  return first === undefined || first === 0 ? 0 : Math.clz32(first) - 23;
}

/** −1 = all bits set, the size is unknown. Above 2^53 it is inexact, and longer than any file all the same. */
function sizeAt(bytes: Uint8Array, at: number, lengthBytes: number): number {
  const mask = 0xff >> lengthBytes;
  let value = (bytes[at] ?? 0) & mask;
  let isUnknown = value === mask;
  for (let i = 1; i < lengthBytes; i++) {
    const byte = bytes[at + i] ?? 0;
    isUnknown &&= byte === 0xff;
    value = value * 256 + byte;
  }
  return isUnknown ? -1 : value;
}

function unsigned(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

/**
 * Goes through the elements that follow one another in `bytes`; makes no object for any of them, for Cues have many.
 * IndexFault "broken" where they do not add up.
 */
export class ElementCursor {
  readonly #bytes: Uint8Array;
  readonly #limit: number;
  #id = 0;
  #start: number;
  #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#limit = end;
    this.#start = start;
    this.#end = start;
  }

  get id(): number {
    return this.#id;
  }

  /** Where the present element ends. */
  get endBytes(): number {
    return this.#end;
  }

  /** Steps to the next element; false behind the last. */
  next(): boolean {
    if (this.#end >= this.#limit) return false;
    const at = this.#end;
    const idBytes = vintLength(this.#bytes[at]);
    const sizeBytes = vintLength(this.#bytes[at + idBytes]);
    if (!isHeader(idBytes, sizeBytes)) throw broken();
    const dataBytes = sizeAt(this.#bytes, at + idBytes, sizeBytes);
    this.#id = unsigned(this.#bytes, at, at + idBytes);
    this.#start = at + idBytes + sizeBytes;
    this.#end = this.#start + dataBytes;
    if (dataBytes < 0 || this.#end > this.#limit) throw broken();
    return true;
  }

  children(): ElementCursor {
    return new ElementCursor(this.#bytes, this.#start, this.#end);
  }

  data(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  uint(): number {
    if (this.#end - this.#start > 8) throw broken();
    return unsigned(this.#bytes, this.#start, this.#end);
  }

  /** Of 0, 4 or 8 bytes. */
  float(): number {
    const lengthBytes = this.#end - this.#start;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#start, lengthBytes);
    if (lengthBytes === 0) return 0;
    if (lengthBytes === 4) return view.getFloat32(0);
    if (lengthBytes === 8) return view.getFloat64(0);
    throw broken();
  }

  /** ASCII; what comes behind a NUL is padding. */
  text(): string {
    return Buffer.from(this.data()).toString("latin1").replace(/\0.*$/s, "");
  }
}
