// Bytes of a piece in plain memory, to receive a block into.

import type { BlockTarget } from "../../src/wire/index.ts";

export class BytesTarget implements BlockTarget {
  readonly bytes: Uint8Array;
  readonly #startBytes: number;

  /** `bytes` begin at `startBytes` of the piece. */
  constructor(bytes: Uint8Array, startBytes: number) {
    this.bytes = bytes;
    this.#startBytes = startBytes;
  }

  write(atBytes: number, chunk: Uint8Array, from: number, to: number): void {
    this.bytes.set(chunk.subarray(from, to), atBytes - this.#startBytes);
  }
}
