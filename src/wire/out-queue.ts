// What one peer is still to be sent, in order. Small frames share a buffer, blocks are kept by reference, and a
// flush makes as few writes as it can. Invariant: bytes leave in the order in which they came, each exactly once,
// however little the socket takes at a time.

import { LIMITS } from "../base/limits.ts";

const FIRST_TAIL_BYTES = 512;
/** More than a turn's requests to one peer. */
const TAIL_BYTES_MAX = 16 * 1024;
/** What one write gathers; a write larger than a socket buffer would only be taken in part. */
const GATHER_BYTES = 64 * 1024;
const COMPACT_AFTER = 64;

interface Segment {
  readonly bytes: Uint8Array;
  readonly isPayload: boolean;
}

export class OutQueue {
  #segments: Segment[] = [];
  /** The first segment that is not sent whole, and how much of it is. */
  #first = 0;
  #firstOffset = 0;
  #tail = new Uint8Array(FIRST_TAIL_BYTES);
  #tailStart = 0;
  #tailEnd = 0;
  #gather: Uint8Array | null = null;
  #controlBytes = 0;
  #payloadBytes = 0;
  #payloadSentBytes = 0;

  get queuedBytes(): number {
    return this.#controlBytes + this.#payloadBytes;
  }

  /** Everything but blocks is over its bound. */
  get isOverfull(): boolean {
    return this.#controlBytes > LIMITS.peer.outQueueBytes;
  }

  /** Bytes of blocks that the socket has taken since the start. */
  get payloadSentBytes(): number {
    return this.#payloadSentBytes;
  }

  /** Copies `bytes`. */
  push(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#tail.set(bytes, at);
  }

  /** A frame of an id and up to three numbers; null ends them early. */
  pushNumbers(id: number, a: number, b: number | null = null, c: number | null = null): void {
    const count = b === null ? 1 : c === null ? 2 : 3;
    const at = this.#reserve(5 + 4 * count);
    writeU32(this.#tail, at, 1 + 4 * count);
    this.#tail[at + 4] = id;
    writeU32(this.#tail, at + 5, a);
    if (b !== null) writeU32(this.#tail, at + 9, b);
    if (c !== null) writeU32(this.#tail, at + 13, c);
  }

  /** A frame's head whose body of `bodyBytes` follows with `pushBlock`: id and two numbers. */
  pushBlockHead(id: number, a: number, b: number, bodyBytes: number): void {
    const at = this.#reserve(13);
    writeU32(this.#tail, at, 9 + bodyBytes);
    this.#tail[at + 4] = id;
    writeU32(this.#tail, at + 5, a);
    writeU32(this.#tail, at + 9, b);
  }

  /** Keeps `block` itself until it is sent. */
  pushBlock(block: Uint8Array): void {
    if (block.length === 0) return;
    this.#sealTail();
    this.#segments.push({ bytes: block, isPayload: true });
    this.#payloadBytes += block.length;
  }

  /** Hands everything to `write`, which tells how much it took; false when that was not all. */
  flush(write: (bytes: Uint8Array) => number): boolean {
    this.#sealTail();
    while (this.#first < this.#segments.length) {
      const batch = this.#nextBatch();
      const taken = write(batch);
      this.#advance(taken);
      if (taken < batch.length) return false;
    }
    this.#rewind();
    return true;
  }

  clear(): void {
    this.#segments = [];
    this.#gather = null;
    this.#controlBytes = 0;
    this.#payloadBytes = 0;
    this.#rewind();
  }

  /** Room for `bytes` at the end of the tail; returns where it begins. */
  #reserve(bytes: number): number {
    if (this.#tailEnd + bytes > this.#tail.length) this.#growTail(bytes);
    const at = this.#tailEnd;
    this.#tailEnd += bytes;
    this.#controlBytes += bytes;
    return at;
  }

  /** What is not sealed moves along, so that small frames go out in one write, of memory that is used again. */
  #growTail(bytes: number): void {
    if (this.#tailEnd - this.#tailStart + bytes > TAIL_BYTES_MAX) this.#sealTail();
    const open = this.#tail.subarray(this.#tailStart, this.#tailEnd);
    const doubled = Math.min(TAIL_BYTES_MAX, 2 * this.#tail.length);
    this.#tail = new Uint8Array(Math.max(doubled, open.length + bytes));
    this.#tail.set(open);
    this.#tailStart = 0;
    this.#tailEnd = open.length;
  }

  #sealTail(): void {
    if (this.#tailEnd === this.#tailStart) return;
    this.#segments.push({ bytes: this.#tail.subarray(this.#tailStart, this.#tailEnd), isPayload: false });
    this.#tailStart = this.#tailEnd;
  }

  /** The front of the queue as one run of bytes: a segment itself where it stands alone or is large. */
  #nextBatch(): Uint8Array {
    const first = this.#segments[this.#first]?.bytes.subarray(this.#firstOffset) ?? new Uint8Array();
    if (this.#first + 1 === this.#segments.length || first.length >= GATHER_BYTES) return first;
    this.#gather ??= new Uint8Array(GATHER_BYTES);
    this.#gather.set(first);
    let length = first.length;
    for (let i = this.#first + 1; i < this.#segments.length && length < GATHER_BYTES; i++) {
      const bytes = this.#segments[i]?.bytes ?? new Uint8Array();
      const part = bytes.subarray(0, GATHER_BYTES - length);
      this.#gather.set(part, length);
      length += part.length;
    }
    return this.#gather.subarray(0, length);
  }

  #advance(taken: number): void {
    let left = taken;
    for (let segment = this.#segments[this.#first]; segment !== undefined && left > 0; ) {
      const step = Math.min(left, segment.bytes.length - this.#firstOffset);
      left -= step;
      this.#firstOffset += step;
      this.#count(segment, step);
      if (this.#firstOffset < segment.bytes.length) return;
      this.#first++;
      this.#firstOffset = 0;
      segment = this.#segments[this.#first];
    }
    this.#compact();
  }

  #count(segment: Segment, sentBytes: number): void {
    if (segment.isPayload) {
      this.#payloadBytes -= sentBytes;
      this.#payloadSentBytes += sentBytes;
    } else {
      this.#controlBytes -= sentBytes;
    }
  }

  /** A queue that never runs empty must not keep what it has sent. */
  #compact(): void {
    if (this.#first < COMPACT_AFTER) return;
    this.#segments.splice(0, this.#first);
    this.#first = 0;
  }

  /** The queue is empty: its buffers are free again. */
  #rewind(): void {
    this.#segments.length = 0;
    this.#first = 0;
    this.#firstOffset = 0;
    this.#tailStart = 0;
    this.#tailEnd = 0;
  }
}

function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}
