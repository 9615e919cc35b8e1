// What finished segments hold: by our own reader for the tables, by ffprobe and ffmpeg for what a player makes of them.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findBox } from "../../src/media/fmp4/box-cursor.ts";
import { readFragment } from "../../src/media/fmp4/fragment.ts";
import { onlyTrack } from "../../src/media/fmp4/init-facts.ts";
import { runProcess } from "./process.ts";

export interface SegmentFacts {
  readonly tfdtSec: number;
  /** Where the last sample's decoding time ends. */
  readonly endSec: number;
  /** In the order of decoding. */
  readonly ptsSec: readonly number[];
  readonly startsWithSync: boolean;
  readonly syncSec: readonly number[];
  /** mfhd's number. */
  readonly sequence: number;
}

export function factsOfSegment(init: Uint8Array, segment: Uint8Array): SegmentFacts {
  const track = onlyTrack(init);
  const within = { from: 0, to: segment.length };
  const moofEnd = findBox(segment, ["moof"], within)?.end ?? 0;
  const mfhd = findBox(segment, ["moof", "mfhd"], within);
  const [fragment] = readFragment(segment.subarray(0, moofEnd), segment.subarray(moofEnd), [track]);
  const samples = fragment?.samples ?? [];
  const last = samples.at(-1);
  const sec = (ticks: number) => ticks / track.timescale;
  return {
    tfdtSec: sec(fragment?.baseTime ?? 0),
    endSec: sec((last?.dts ?? 0) + (last?.duration ?? 0)),
    ptsSec: samples.map(({ pts }) => sec(pts)),
    startsWithSync: samples[0]?.isSync ?? false,
    syncSec: samples.filter(({ isSync }) => isSync).map(({ pts }) => sec(pts)),
    sequence: new DataView(segment.buffer, segment.byteOffset + (mfhd?.end ?? 4) - 4).getUint32(0),
  };
}

/** Header and segments as one file. Its path. */
export function joined(folder: string, name: string, parts: readonly Uint8Array[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

/** [time in milliseconds, hash of its bytes] of each packet of a stream, by time. */
export async function packetHashes(
  path: string,
  stream: string,
): Promise<readonly (readonly [number, string])[]> {
  const what = ["-show_entries", "packet=pts_time,data_hash", "-show_data_hash", "MD5", "-of", "json", path];
  const child = await runProcess(["ffprobe", "-v", "error", "-select_streams", stream, ...what], {
    withinMs: 20_000,
  });
  const told = JSON.parse(child.stdout) as { packets?: { pts_time: string; data_hash: string }[] };
  return (told.packets ?? [])
    .map(({ pts_time, data_hash }) => [Math.round(Number(pts_time) * 1000), data_hash] as const)
    .sort(([a], [b]) => a - b);
}

/** What ffmpeg complains of when it decodes all of a file: nothing, when all is well. */
export async function complaintsOf(path: string): Promise<string> {
  const child = await runProcess(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "null", "-"], {
    withinMs: 30_000,
  });
  return child.tail();
}

/** Facts of a file's first stream, as ffprobe names them. */
export async function streamFacts(path: string): Promise<Record<string, unknown>> {
  const child = await runProcess(["ffprobe", "-v", "error", "-show_streams", "-of", "json", path], {
    withinMs: 20_000,
  });
  const told = JSON.parse(child.stdout) as { streams: Record<string, unknown>[] };
  return told.streams[0] ?? {};
}

/** The sound of a file as one channel of 16-bit samples. */
export async function pcmOf(path: string): Promise<Int16Array> {
  const raw = ["-ac", "1", "-f", "s16le", "-c:a", "pcm_s16le", "pipe:1"];
  const child = Bun.spawn(["ffmpeg", "-v", "error", "-nostdin", "-i", path, ...raw], {
    stdout: "pipe",
    stderr: "inherit",
  });
  return new Int16Array(await new Response(child.stdout).arrayBuffer());
}

/** The sharpest bend of a wave in [from, to): a click is one, a pure tone has none sharper than its own. */
export function sharpestBend(pcm: Int16Array, from: number, to: number): number {
  let most = 0;
  for (let i = Math.max(1, from); i < Math.min(to, pcm.length - 1); i++) {
    const bend = Math.abs((pcm[i + 1] ?? 0) - 2 * (pcm[i] ?? 0) + (pcm[i - 1] ?? 0));
    most = Math.max(most, bend);
  }
  return most;
}
