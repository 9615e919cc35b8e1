// Boxes of ISO 14496-12 §4.2 in memory. Reads are checked against the box they are made through: past its end they
// throw IndexFault "broken".

import { LIMITS } from "../../base/limits.ts";
import { broken, IndexFault } from "./index-fault.ts";

/** size, type, and a 64-bit size behind them. */
export const BOX_HEADER_BYTES = 16;

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

export interface BoxHeader {
  readonly type: string;
  readonly headerBytes: number;
  /** With its header; null = to the end of what surrounds it. */
  readonly sizeBytes: number | null;
}

/** null where no box can begin. */
export function boxHeaderAt(bytes: Uint8Array, at: number): BoxHeader | null {
  if (at + 8 > bytes.length) return null;
  const type = fourCharacters(bytes, at + 4);
  const size = u32At(bytes, at);
  if (size === 0) return { type, headerBytes: 8, sizeBytes: null };
  if (size >= 8) return { type, headerBytes: 8, sizeBytes: size };
  if (size !== 1 || at + 16 > bytes.length) return null;
  // Inexact above 2^53, and longer than any file all the same.
  const large = u32At(bytes, at + 8) * 2 ** 32 + u32At(bytes, at + 12);
  return large < 16 ? null : { type, headerBytes: 16, sizeBytes: large };
}

function u32At(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function fourCharacters(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
}

export class Box {
  readonly type: string;
  readonly #view: DataView;
  /** Kept, because each is looked for by its name. */
  #children: { readonly at: number; readonly boxes: readonly Box[] } | null = null;

  /** `content` begins behind the header. */
  constructor(type: string, content: Uint8Array) {
    this.type = type;
    this.#view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  }

  get lengthBytes(): number {
    return this.#view.byteLength;
  }

  u8(at: number): number {
    return this.#view.getUint8(this.#checked(at, 1));
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#checked(at, 2));
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#checked(at, 4));
  }

  i32(at: number): number {
    return this.#view.getInt32(this.#checked(at, 4));
  }

  /** Inexact above 2^53, where no time or position of a film lies. */
  u64(at: number): number {
    return Number(this.#view.getBigUint64(this.#checked(at, 8)));
  }

  i64(at: number): number {
    return Number(this.#view.getBigInt64(this.#checked(at, 8)));
  }

  /** Four characters. */
  code(at: number): string {
    return String.fromCharCode(this.u8(at), this.u8(at + 1), this.u8(at + 2), this.u8(at + 3));
  }

  /** Version of a full box; its flags are the three bytes behind it. */
  get version(): number {
    return this.u8(0);
  }

  bytes(start: number, end = this.lengthBytes): Uint8Array {
    this.#checked(start, end - start);
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, end - start);
  }

  /** Throws unless `count` entries of `entryBytes` lie behind `at`: a count may claim anything. */
  requireTable(at: number, count: number, entryBytes: number): void {
    this.#checked(at, count * entryBytes);
  }

  /** `count` numbers of four bytes in the machine's own order: tables are read a hundred times as fast like this. */
  u32s(at: number, count: number): Uint32Array {
    const bytes = Uint8Array.from(this.bytes(at, at + 4 * count));
    if (IS_LITTLE_ENDIAN) Buffer.from(bytes.buffer).swap32();
    return new Uint32Array(bytes.buffer);
  }

  /** Boxes from `at` on. What is too short to be a box ends the list; one that is longer than its parent is broken. */
  children(at = 0): readonly Box[] {
    if (this.#children?.at === at) return this.#children.boxes;
    const boxes = this.#childrenFrom(at);
    this.#children = { at, boxes };
    return boxes;
  }

  #childrenFrom(at: number): readonly Box[] {
    const content = this.bytes(0);
    const found: Box[] = [];
    for (let start = at; start + 8 <= content.length; ) {
      const header = boxHeaderAt(content, start);
      if (header === null) break;
      const end = header.sizeBytes === null ? content.length : start + header.sizeBytes;
      if (end > content.length) throw broken();
      if (found.length >= LIMITS.mediaIndex.boxes) throw new IndexFault("too_large");
      found.push(new Box(header.type, content.subarray(start + header.headerBytes, end)));
      start = end;
    }
    return found;
  }

  child(type: string): Box | null {
    return this.children().find((box) => box.type === type) ?? null;
  }

  /** The box that is reached through these; null where one is missing. */
  descendant(...types: readonly string[]): Box | null {
    let box: Box | null = this;
    for (const type of types) box = box?.child(type) ?? null;
    return box;
  }

  #checked(at: number, lengthBytes: number): number {
    if (!(at >= 0 && lengthBytes >= 0 && at + lengthBytes <= this.#view.byteLength)) throw broken();
    return at;
  }
}
