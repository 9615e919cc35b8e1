// Segments on their way to a viewer, from memory or from an open file.

import { TorrxError } from "../../base/errors.ts";
import type { SegmentFile, SegmentHandle } from "./ports.ts";

export function memoryHandle(bytes: Uint8Array, onRelease: () => void): SegmentHandle {
  return {
    lengthBytes: bytes.length,
    bytes,
    read: (atBytes, lengthBytes) => Promise.resolve(bytes.subarray(atBytes, atBytes + lengthBytes)),
    release: once(onRelease),
  };
}

export interface FileHandleOptions {
  readonly file: SegmentFile;
  readonly lengthBytes: number;
  /** The file cannot be read any more. */
  readonly onLost: (error: unknown) => void;
  readonly onRelease: () => void;
}

export function fileHandle({ file, lengthBytes, onLost, onRelease }: FileHandleOptions): SegmentHandle {
  return {
    lengthBytes,
    bytes: null,
    async read(atBytes, count) {
      try {
        return await file.read(atBytes, count);
      } catch (error) {
        onLost(error);
        throw new TorrxError("busy", "a segment has to be made again", { cause: error, retryAfterSec: 1 });
      }
    },
    release: once(onRelease),
  };
}

function once(task: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    task();
  };
}
