// A MediaSource over bytes or a file that keeps account of what it was asked for.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { MediaSource } from "../../src/media/ports.ts";

export interface CountedSource extends MediaSource {
  /** [at, length] of every read, in order. */
  readonly requests: readonly (readonly [number, number])[];
  readonly readBytes: number;
}

export function sourceOf(bytes: Uint8Array): CountedSource {
  return sparseSource(bytes.length, [{ at: 0, bytes }]);
}

/** A file of `lengthBytes` that is all zeros but for these parts. */
export function sparseSource(
  lengthBytes: number,
  parts: readonly { readonly at: number; readonly bytes: Uint8Array }[],
): CountedSource {
  return new Counted(lengthBytes, (at, length) => {
    const read = new Uint8Array(length);
    for (const part of parts) {
      const start = Math.max(at, part.at);
      const end = Math.min(at + length, part.at + part.bytes.length);
      if (start < end) read.set(part.bytes.subarray(start - part.at, end - part.at), start - at);
    }
    return read;
  });
}

export function fileSource(path: string): CountedSource {
  return new Counted(statSync(path).size, (at, length) => {
    const file = openSync(path, "r");
    try {
      const read = new Uint8Array(length);
      return read.subarray(0, readSync(file, read, 0, length, at));
    } finally {
      closeSync(file);
    }
  });
}

class Counted implements CountedSource {
  readonly lengthBytes: number;
  readonly requests: [number, number][] = [];
  readBytes = 0;
  readonly #readAt: (at: number, length: number) => Uint8Array;

  constructor(lengthBytes: number, readAt: (at: number, length: number) => Uint8Array) {
    this.lengthBytes = lengthBytes;
    this.#readAt = readAt;
  }

  async read(atBytes: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    this.requests.push([atBytes, lengthBytes]);
    const length = Math.max(0, Math.min(lengthBytes, this.lengthBytes - atBytes));
    this.readBytes += length;
    await Promise.resolve();
    return this.#readAt(atBytes, length);
  }
}
