// Cuts a stream of bytes that comes in chunks of any size into whole top-level boxes. Every byte is copied at most
// once, and not at all where a box lies within one chunk; so it is O(n) however small the chunks are. A box that claims
// more than the limit is refused before anything is set aside for it.

import { BoxCursor, brokenMp4, printable } from "./box-cursor.ts";

/** A whole box with its header. */
export interface TopBox {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Where its contents begin: 8, or 16 with a 64-bit size. */
  readonly bodyStart: number;
}

interface Header {
  readonly type: string;
  readonly headerBytes: number;
  /** null: it goes on to the end of the stream. */
  readonly lengthBytes: number | null;
}

const SHORT_HEADER_BYTES = 8;
const LONG_HEADER_BYTES = 16;

export class BoxSplitter {
  readonly #maxBoxBytes: number;
  readonly #onBox: (box: TopBox) => void;
  readonly #head = new Uint8Array(LONG_HEADER_BYTES);
  #headFill = 0;
  #header: Header | null = null;
  #box: Uint8Array = new Uint8Array(0);
  #boxFill = 0;

  constructor(maxBoxBytes: number, onBox: (box: TopBox) => void) {
    this.#maxBoxBytes = maxBoxBytes;
    this.#onBox = onBox;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      at = this.#header !== null ? this.#fillBox(chunk, at) : this.#takeWhole(chunk, at);
    }
  }

  /** The stream has ended. False when it ended within a box, which is then lost. */
  end(): boolean {
    const header = this.#header;
    if (header === null) return this.#headFill === 0;
    this.#header = null;
    if (header.lengthBytes !== null) return false;
    this.#emit(header, this.#box.slice(0, this.#boxFill));
    return true;
  }

  /** At a box's first byte: gives it out as a part of the chunk if it lies there whole, else begins to collect it. */
  #takeWhole(chunk: Uint8Array, at: number): number {
    if (this.#headFill === 0) {
      const header = this.#parseHeader(chunk.subarray(at, at + LONG_HEADER_BYTES));
      const end = at + (header?.lengthBytes ?? Number.POSITIVE_INFINITY);
      if (header !== null && end <= chunk.length) {
        this.#emit(header, chunk.subarray(at, end));
        return end;
      }
    }
    this.#head[this.#headFill++] = chunk[at] ?? 0;
    const header = this.#parseHeader(this.#head.subarray(0, this.#headFill));
    if (header !== null) this.#begin(header);
    return at + 1;
  }

  #begin(header: Header): void {
    this.#box = new Uint8Array(header.lengthBytes ?? 64 * 1024);
    this.#box.set(this.#head.subarray(0, header.headerBytes));
    this.#boxFill = header.headerBytes;
    this.#headFill = 0;
    this.#header = header;
    this.#emitIfFull();
  }

  #fillBox(chunk: Uint8Array, at: number): number {
    const wanted = (this.#header?.lengthBytes ?? Number.POSITIVE_INFINITY) - this.#boxFill;
    const taken = Math.min(wanted, chunk.length - at);
    this.#growFor(taken);
    this.#box.set(chunk.subarray(at, at + taken), this.#boxFill);
    this.#boxFill += taken;
    this.#emitIfFull();
    return at + taken;
  }

  /** Only a box without a length grows: by doubling, so that its bytes are copied twice at most on average. */
  #growFor(byteCount: number): void {
    const needed = this.#boxFill + byteCount;
    if (needed > this.#maxBoxBytes) {
      throw brokenMp4(`box without a length of more than ${this.#maxBoxBytes} bytes`);
    }
    if (needed <= this.#box.length) return;
    const grown = new Uint8Array(Math.min(this.#maxBoxBytes, Math.max(needed, this.#box.length * 2)));
    grown.set(this.#box.subarray(0, this.#boxFill));
    this.#box = grown;
  }

  #emitIfFull(): void {
    const header = this.#header;
    if (header === null || this.#boxFill !== header.lengthBytes) return;
    const box = this.#box;
    this.#header = null;
    this.#box = new Uint8Array(0);
    this.#emit(header, box);
  }

  #emit(header: Header, bytes: Uint8Array): void {
    this.#onBox({ type: header.type, bytes, bodyStart: header.headerBytes });
  }

  /** null as long as too few bytes of it are there. */
  #parseHeader(head: Uint8Array): Header | null {
    if (head.length < SHORT_HEADER_BYTES) return null;
    const cursor = new BoxCursor(head, 0, head.length);
    const shortSize = cursor.u32();
    const type = cursor.fourCc();
    if (shortSize === 0) return { type, headerBytes: SHORT_HEADER_BYTES, lengthBytes: null };
    if (shortSize === 1 && head.length < LONG_HEADER_BYTES) return null;
    const lengthBytes = shortSize === 1 ? cursor.u64() : shortSize;
    if (lengthBytes < cursor.at) throw brokenMp4(`box ${printable(type)} of ${lengthBytes} bytes`);
    if (lengthBytes > this.#maxBoxBytes)
      throw brokenMp4(`box ${printable(type)} of ${lengthBytes} bytes is too large`);
    return { type, headerBytes: cursor.at, lengthBytes };
  }
}
