// Real video files of tests, made by ffmpeg from noise (so that no two pieces are alike) and cached for the run.

import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";

export const MEDIA_KINDS = ["mkv", "mp4-faststart", "mp4-moov-at-end"] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

export interface MediaOptions {
  readonly kind: MediaKind;
  /** About this long and this big: a short piece of noise is encoded once and repeated. */
  readonly durationSec: number;
  readonly bytesPerSec: number;
}

export interface Media {
  readonly path: string;
  readonly name: string;
  readonly lengthBytes: number;
}

const LOOP_SEC = 10;
const made = new Map<string, Promise<Media>>();
const loops = new Map<number, Promise<string>>();
let folder: string | undefined;

/** H.264 and AAC; each file in a folder of its own. The same options give the same file. */
export function makeMedia(options: MediaOptions): Promise<Media> {
  const key = `${options.kind}-${options.durationSec}s-${options.bytesPerSec}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const media = repeatLoop(options, key);
  made.set(key, media);
  return media;
}

async function repeatLoop(options: MediaOptions, key: string): Promise<Media> {
  const loop = await loopOf(options.bytesPerSec);
  const name = `${key}.${options.kind === "mkv" ? "mkv" : "mp4"}`;
  const home = join(mediaFolder(), key);
  mkdirSync(home, { recursive: true });
  const path = join(home, name);
  const flags = options.kind === "mp4-faststart" ? ["-movflags", "+faststart"] : [];
  const repeat = ["-stream_loop", "-1", "-i", loop, "-t", String(options.durationSec), "-c", "copy"];
  await ffmpeg([...repeat, ...flags, path]);
  return { path, name, lengthBytes: statSync(path).size };
}

function loopOf(bytesPerSec: number): Promise<string> {
  const known = loops.get(bytesPerSec);
  if (known !== undefined) return known;
  const loop = encodeLoop(bytesPerSec);
  loops.set(bytesPerSec, loop);
  return loop;
}

async function encodeLoop(bytesPerSec: number): Promise<string> {
  const path = join(mediaFolder(), `loop-${bytesPerSec}.mkv`);
  const audioBitsPerSec = 64_000;
  const bits = String(Math.max(32_000, bytesPerSec * 8 - audioBitsPerSec));
  const picture = "testsrc2=size=320x180:rate=25,noise=alls=60:allf=t";
  const inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
  const video = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-b:v", bits];
  const rate = ["-minrate", bits, "-maxrate", bits, "-bufsize", bits];
  const audio = ["-c:a", "aac", "-b:a", String(audioBitsPerSec)];
  await ffmpeg([...inputs, "-t", String(LOOP_SEC), ...video, ...rate, ...audio, path]);
  return path;
}

async function ffmpeg(argv: readonly string[]): Promise<void> {
  const child = await runProcess(
    ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", ...argv],
    {
      withinMs: 120_000,
    },
  );
  if (child.exitCode !== 0) throw new Error(`ffmpeg ended with ${child.exitCode}:\n${child.tail()}`);
}

function mediaFolder(): string {
  folder ??= tmpFolder("media");
  return folder;
}
