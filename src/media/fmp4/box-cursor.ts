// Reads numbers of an ISO BMFF box (ISO/IEC 14496-12) and walks boxes that lie in memory. Whatever is cut short or
// lies about its size is a TorrxError("unsupported_media"), never a RangeError.

import { TorrxError } from "../../base/errors.ts";

/** A box inside bytes that are in memory: [start, end), its contents from bodyStart. */
export interface Box {
  readonly type: string;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

export function brokenMp4(what: string): TorrxError {
  return new TorrxError("unsupported_media", `broken fragmented MP4: ${what}`);
}

/** Reads big-endian numbers one after the other, up to `end`. */
export class BoxCursor {
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#end = Math.min(end, bytes.byteLength);
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  skip(byteCount: number): void {
    this.#take(byteCount);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  u64(): number {
    return Number(this.#view.getBigUint64(this.#take(8)));
  }

  i64(): number {
    return Number(this.#view.getBigInt64(this.#take(8)));
  }

  fourCc(): string {
    const at = this.#take(4);
    return fourCcAt(this.#view, at);
  }

  #take(byteCount: number): number {
    const at = this.#at;
    if (byteCount > this.#end - at) throw brokenMp4("a box ends too early");
    this.#at += byteCount;
    return at;
  }
}

function fourCcAt(view: DataView, at: number): string {
  let text = "";
  for (let i = 0; i < 4; i++) text += String.fromCharCode(view.getUint8(at + i));
  return text;
}

/** The boxes that follow one another in [from, to). */
export function* boxesIn(bytes: Uint8Array, from: number, to: number): Generator<Box> {
  for (let start = from; start < to; ) {
    const box = boxAt(bytes, start, to);
    yield box;
    start = box.end;
  }
}

function boxAt(bytes: Uint8Array, start: number, to: number): Box {
  const cursor = new BoxCursor(bytes, start, to);
  const shortSize = cursor.u32();
  const type = cursor.fourCc();
  const size = shortSize === 1 ? cursor.u64() : shortSize === 0 ? to - start : shortSize;
  const end = start + size;
  if (end < cursor.at || end > to) throw brokenMp4(`box ${printable(type)} of ${size} bytes does not fit`);
  return { type, start, bodyStart: cursor.at, end };
}

/** The first box at the end of a path of types below [from, to), or null. */
export function findBox(
  bytes: Uint8Array,
  path: readonly string[],
  within: { readonly from: number; readonly to: number },
): Box | null {
  const [type, ...rest] = path;
  for (const box of boxesIn(bytes, within.from, within.to)) {
    if (box.type !== type) continue;
    if (rest.length === 0) return box;
    return findBox(bytes, rest, { from: box.bodyStart, to: box.end });
  }
  return null;
}

/** As findBox(), but its absence is an error. */
export function needBox(
  bytes: Uint8Array,
  path: readonly string[],
  within: { readonly from: number; readonly to: number },
): Box {
  const box = findBox(bytes, path, within);
  if (box === null) throw brokenMp4(`no ${path.join("/")}`);
  return box;
}

/** A box type for a message: four characters of anything may come from a stream. */
export function printable(type: string): string {
  return type.replace(/[^\x20-\x7e]/g, "?");
}
