// What the readers of containers say of a file, held against what ffprobe says of every packet in it.

import { expect } from "bun:test";
import { readMediaIndex } from "../../src/media/container/read-media-index.ts";
import type { MediaIndex } from "../../src/media/ports.ts";
import { type CountedSource, fileSource } from "./counted-source.ts";
import { type PacketFacts, packetsOf } from "./media-files.ts";

/** Matroska counts milliseconds. */
export const MKV_TOLERANCE_SEC = 0.001;
/** ffprobe prints six digits. */
export const MP4_TOLERANCE_SEC = 1e-6;

export type IndexWithSource = MediaIndex & { readonly source: CountedSource };

export async function indexOf(path: string): Promise<IndexWithSource> {
  const source = fileSource(path);
  return { ...(await readMediaIndex(source, new AbortController().signal)), source };
}

/** Key frames that ffprobe sees and that are shown. */
export async function keyPackets(path: string): Promise<readonly PacketFacts[]> {
  return (await packetsOf(path)).filter((packet) => packet.isKey && !packet.isDiscarded);
}

/** Expects the index to name every key frame that is shown, and no other. */
export async function expectAllKeyframes(path: string, toleranceSec: number): Promise<IndexWithSource> {
  const index = await indexOf(path);
  expect(index.noIndex).toBeNull();
  const times = Array.from(index.keyframes?.timesSec ?? []).filter((time) => time >= 0);
  const told = (await keyPackets(path)).map((packet) => packet.ptsSec);
  expect(times.length).toBe(told.length);
  expect(told.length).toBeGreaterThan(1);
  for (const [i, time] of times.entries())
    expect(Math.abs(time - (told[i] ?? Number.NaN))).toBeLessThanOrEqual(toleranceSec);
  return index;
}
