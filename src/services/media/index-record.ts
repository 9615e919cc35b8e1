// A media index as the database keeps it: JSON, and the key frames as numbers in a blob. What does not read as one (a
// damaged row) counts as none and is found out anew.

import type { JsonValue, MediaIndexRow } from "../../db/index.ts";
import type { IndexedTrack, KeyframeIndex, MediaIndex } from "../../media/ports.ts";

/** To be raised whenever the index readers find more, or other things, than before. */
export const INDEX_READER = 1;

interface StoredTrack extends Omit<IndexedTrack, "codecPrivate"> {
  /** base64 */
  readonly codecPrivate: string | null;
}

interface StoredFacts extends Omit<MediaIndex, "tracks" | "keyframes"> {
  readonly tracks: readonly StoredTrack[];
}

const NUMBER_BYTES = 8;

export function toIndexRow({ keyframes, tracks, ...facts }: MediaIndex): MediaIndexRow {
  const stored: StoredFacts = {
    ...facts,
    tracks: tracks.map((track) => ({
      ...track,
      codecPrivate: track.codecPrivate && Buffer.from(track.codecPrivate).toString("base64"),
    })),
  };
  return {
    facts: stored as unknown as JsonValue,
    keyframes: keyframes && encodeKeyframes(keyframes),
  };
}

export function tryIndexRow(row: { facts: unknown; keyframes: Uint8Array | null }): MediaIndex | null {
  const facts = row.facts as StoredFacts | undefined;
  const keyframes = row.keyframes && tryKeyframes(row.keyframes);
  if (facts === undefined || !Array.isArray(facts.tracks)) return null;
  if ((keyframes === null) !== (facts.noIndex !== null)) return null;
  const tracks = facts.tracks.map((track) => ({
    ...track,
    codecPrivate:
      track.codecPrivate === null ? null : new Uint8Array(Buffer.from(track.codecPrivate, "base64")),
  }));
  return { ...facts, tracks, keyframes };
}

function encodeKeyframes({ timesSec, positionsBytes }: KeyframeIndex): Uint8Array {
  const out = new Uint8Array((timesSec.length + positionsBytes.length) * NUMBER_BYTES);
  const view = new DataView(out.buffer);
  [...timesSec, ...positionsBytes].forEach((value, i) => {
    view.setFloat64(i * NUMBER_BYTES, value, true);
  });
  return out;
}

function tryKeyframes(bytes: Uint8Array): KeyframeIndex | null {
  const count = bytes.length / (2 * NUMBER_BYTES);
  if (!Number.isInteger(count)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = (from: number) =>
    Float64Array.from({ length: count }, (_, i) => view.getFloat64((from + i) * NUMBER_BYTES, true));
  return { timesSec: numbers(0), positionsBytes: numbers(count) };
}
