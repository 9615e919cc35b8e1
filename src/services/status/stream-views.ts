// The engine's streams with what the HTTP side has of them in memory.

import type { StreamRow } from "../../engine/port.ts";
import type { BufferUsage, StreamBuffer } from "../../stream/ports.ts";
import type { BufferView, StreamView } from "../ports.ts";
import type { Warning } from "../warnings.ts";

const MIB = 1024 * 1024;

type Named = Pick<StreamBuffer, "torrent" | "file" | "viewer">;

type Playback = Pick<StreamView, "mode" | "positionSec">;

/** `playbackOf` says what a stream's player told. */
export function streamViews(
  rows: readonly StreamRow[],
  usage: BufferUsage,
  playbackOf: (row: StreamRow) => Playback,
): StreamView[] {
  const buffers = new Map(usage.streams.map((buffer) => [keyOf(buffer), buffer]));
  return rows.map((row) => {
    const buffer = buffers.get(keyOf(row));
    return {
      ...row,
      ...playbackOf(row),
      window: buffer === undefined ? null : bufferView(buffer, row.bytesPerSec),
    };
  });
}

/** Holds only while the streams do not all fit. */
export function sharingWarning({ sharedBytes, streams }: BufferUsage): Warning | null {
  if (sharedBytes === null) return null;
  const count =
    streams.length === 1 ? "One stream has" : `${streams.length} streams share the memory and have`;
  const message = `${count} ${Math.floor(sharedBytes / MIB)} MB each, less than ram_buffer_mb; raise ram_total_mb or lower ram_buffer_mb.`;
  return { code: "ram_shared", message };
}

function bufferView(buffer: StreamBuffer, bytesPerSec: number): BufferView {
  const { bytes, aheadBytes, behindBytes, hits, misses } = buffer;
  const secondsOf = (part: number) => (bytesPerSec > 0 ? part / bytesPerSec : 0);
  return {
    bytes,
    aheadSec: secondsOf(aheadBytes),
    behindSec: secondsOf(behindBytes),
    hitRate: hits + misses === 0 ? null : hits / (hits + misses),
  };
}

function keyOf({ torrent, file, viewer }: Named): string {
  return `${torrent}:${file}:${viewer}`;
}
