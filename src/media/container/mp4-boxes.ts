// Boxes of ISO 14496-12 §4.2 in memory. Reads are checked against the box they are made through: past its end they
// throw IndexFault "broken".

import { LIMITS } from "../../base/limits.ts";
import { broken, IndexFault } from "./index-fault.ts";

/** size, type, and a 64-bit size behind them. */
export const BOX_HEADER_BYTES = 16;

export interface BoxHeader {
  readonly type: string;
  readonly headerBytes: number;
  /** With its header; null = to the end of what surrounds it. */
  readonly sizeBytes: number | null;
}

/** null where no box can begin. */
export function boxHeaderAt(bytes: Uint8Array, at: number): BoxHeader | null {
  if (at + 8 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, Math.min(16, bytes.length - at));
  const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  const size = view.getUint32(0);
  if (size === 0) return { type, headerBytes: 8, sizeBytes: null };
  if (size >= 8) return { type, headerBytes: 8, sizeBytes: size };
  if (size !== 1 || view.byteLength < 16) return null;
  const large = Number(view.getBigUint64(8));
  return large < 16 ? null : { type, headerBytes: 16, sizeBytes: large };
}

export class Box {
  readonly type: string;
  readonly #view: DataView;

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

  /** Boxes from `at` on. What is too short to be a box ends the list; one that is longer than its parent is broken. */
  children(at = 0): readonly Box[] {
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
