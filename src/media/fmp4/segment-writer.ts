// Writes one media segment: a moof and its mdat with any number of samples of one track. The same samples always give
// the same bytes.

import { brokenMp4 } from "./box-cursor.ts";

export interface SegmentSample {
  /** Decoding time in ticks, from 0 on and never falling. */
  readonly dts: number;
  /** Presentation time in ticks. */
  readonly pts: number;
  readonly isSync: boolean;
  readonly bytes: Uint8Array;
}

export interface SegmentContents {
  readonly trackId: number;
  /** mfhd's number, from 1. */
  readonly sequence: number;
  readonly samples: readonly SegmentSample[];
  /** Decoding time at which the last sample ends. */
  readonly endDts: number;
}

const MFHD_BYTES = 16;
const TFHD_BYTES = 16;
const TFDT_BYTES = 20;
const TRUN_HEAD_BYTES = 20;
const SAMPLE_ROW_BYTES = 16;
const BOX_HEADER_BYTES = 8;
const DEFAULT_BASE_IS_MOOF = 0x020000;
/** Version 1 (signed composition offsets); offset, and duration, size, flags and composition offset of each sample. */
const TRUN_VERSION_FLAGS = 0x01000f01;
const SYNC_FLAGS = 0x02000000;
const NON_SYNC_FLAGS = 0x01010000;

export function writeSegment(contents: SegmentContents): Uint8Array {
  const { samples } = contents;
  const [first] = samples;
  if (first === undefined) throw brokenMp4("a segment without samples");
  const trunBytes = TRUN_HEAD_BYTES + samples.length * SAMPLE_ROW_BYTES;
  const trafBytes = BOX_HEADER_BYTES + TFHD_BYTES + TFDT_BYTES + trunBytes;
  const moofBytes = BOX_HEADER_BYTES + MFHD_BYTES + trafBytes;
  const mediaBytes = samples.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const out = new Uint8Array(moofBytes + BOX_HEADER_BYTES + mediaBytes);
  const pen = new Pen(out);
  pen.box(moofBytes, "moof");
  pen.box(MFHD_BYTES, "mfhd").u32(0).u32(contents.sequence);
  pen.box(trafBytes, "traf");
  pen.box(TFHD_BYTES, "tfhd").u32(DEFAULT_BASE_IS_MOOF).u32(contents.trackId);
  pen.box(TFDT_BYTES, "tfdt").u32(0x01000000).u64(first.dts);
  pen.box(trunBytes, "trun").u32(TRUN_VERSION_FLAGS).u32(samples.length);
  pen.u32(moofBytes + BOX_HEADER_BYTES);
  samples.forEach((sample, i) => {
    const duration = (samples[i + 1]?.dts ?? contents.endDts) - sample.dts;
    pen.u32(duration).u32(sample.bytes.length);
    pen.u32(sample.isSync ? SYNC_FLAGS : NON_SYNC_FLAGS).i32(sample.pts - sample.dts);
  });
  pen.box(BOX_HEADER_BYTES + mediaBytes, "mdat");
  for (const { bytes } of samples) pen.bytes(bytes);
  return out;
}

class Pen {
  readonly #out: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(out: Uint8Array) {
    this.#out = out;
    this.#view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  }

  box(lengthBytes: number, type: string): this {
    this.u32(lengthBytes);
    for (let i = 0; i < 4; i++) this.#view.setUint8(this.#at++, type.charCodeAt(i));
    return this;
  }

  u32(value: number): this {
    if (value < 0 || value > 0xffffffff) throw brokenMp4(`${value} in a field of 32 bits`);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
    return this;
  }

  i32(value: number): this {
    if (value < -0x80000000 || value > 0x7fffffff) throw brokenMp4(`${value} in a field of 32 bits`);
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
    return this;
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#at, BigInt(value));
    this.#at += 8;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#out.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }
}
