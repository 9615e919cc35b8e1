// Films of tests: a moving picture, a tone of its own on every audio track, subtitles in the file and beside it. Made once
// per run and folder; a short loop is encoded and repeated, so that a long film costs little.

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";

export interface FilmAudio {
  /** The tone's. */
  readonly hertz: number;
  readonly language: string;
  /** ffmpeg's words, without the track: "-c", "ac3" …; AAC in stereo if not given. */
  readonly codec?: readonly string[];
}

export interface FilmOptions {
  /** A whole number of loops. */
  readonly durationSec: number;
  /** 10 if not given. */
  readonly loopSec?: number;
  /** Of the picture; noise fills what the motion does not need. */
  readonly bitsPerSec: number;
  readonly size?: string;
  readonly framesPerSec?: number;
  /** A flat one is encoded quickly, whatever its size. */
  readonly isFlat?: boolean;
  /** ffmpeg's words; H.264 if not given. */
  readonly videoCodec?: readonly string[];
  readonly audio: readonly FilmAudio[];
  /** With SRT inside (English) and a sidecar (Russian). */
  readonly hasSubtitles?: boolean;
}

export interface Film {
  /** The folder that the torrent is made of. */
  readonly folder: string;
  /** Its first file. */
  readonly path: string;
  readonly name: string;
  readonly lengthBytes: number;
  readonly durationSec: number;
}

const LOOP_SEC = 10;
export const CUE_EVERY_SEC = 2;
export const HEVC = [
  "-c:v",
  "libx265",
  "-preset",
  "ultrafast",
  "-x265-params",
  "log-level=none",
  "-pix_fmt",
  "yuv420p",
];
const H264 = [
  "-c:v",
  "libx264",
  "-preset",
  "ultrafast",
  "-profile:v",
  "high",
  "-bf",
  "2",
  "-pix_fmt",
  "yuv420p",
];
const AAC = ["-c", "aac", "-b", "96k", "-ac", "2"];

/** What the subtitle shows from `atSec` on. */
export const cueText = (language: "en" | "ru", atSec: number) =>
  `${language === "en" ? "cue" : "реплика"} ${Math.floor(atSec / CUE_EVERY_SEC)}`;

export async function makeFilm(name: string, options: FilmOptions): Promise<Film> {
  const work = tmpFolder("film-work");
  const folder = join(tmpFolder("film"), name);
  mkdirSync(folder);
  const path = join(folder, `${name}.mkv`);
  const picture = join(work, "picture.mkv");
  await ffmpeg([...pictureInput(options), ...(options.videoCodec ?? H264), ...rateOf(options), picture]);
  const repeats = options.durationSec / (options.loopSec ?? LOOP_SEC) - 1;
  const tones = options.audio.flatMap((audio) => toneInput(audio, options.durationSec));
  const inputs = ["-stream_loop", String(repeats), "-i", picture, ...tones];
  const maps = ["-map", "0:v", ...options.audio.flatMap((_, index) => ["-map", `${index + 1}:a`])];
  const codecs = ["-c:v", "copy", ...options.audio.flatMap(soundWords)];
  if (options.hasSubtitles) {
    const inside = join(work, "inside.srt");
    writeFileSync(inside, srtOf("en", options.durationSec));
    writeFileSync(join(folder, `${name}.ru.srt`), srtOf("ru", options.durationSec));
    inputs.push("-i", inside);
    maps.push("-map", `${options.audio.length + 1}:s`);
    codecs.push("-c:s", "srt", "-metadata:s:s:0", "language=eng");
  }
  await ffmpeg([...inputs, ...maps, ...codecs, path]);
  return { folder, path, name, lengthBytes: statSync(path).size, durationSec: options.durationSec };
}

function pictureInput(options: FilmOptions): string[] {
  const { size = "320x180", framesPerSec = 25, loopSec = LOOP_SEC, isFlat = false } = options;
  const form = `size=${size}:rate=${framesPerSec}`;
  const source = isFlat ? `color=gray:${form}` : `testsrc2=${form},noise=alls=60:allf=t`;
  return ["-f", "lavfi", "-i", source, "-t", String(loopSec), "-g", String(framesPerSec * 2)];
}

function rateOf({ bitsPerSec }: FilmOptions): string[] {
  const bits = String(bitsPerSec);
  return ["-b:v", bits, "-maxrate", bits, "-bufsize", bits];
}

function toneInput({ hertz }: FilmAudio, sec: number): string[] {
  return ["-f", "lavfi", "-i", `sine=frequency=${hertz}:sample_rate=48000:duration=${sec}`];
}

function soundWords({ codec, language }: FilmAudio, index: number): string[] {
  const own = (codec ?? AAC).map((word) => (/^-[a-z]/.test(word) ? `${word}:a:${index}` : word));
  return [...own, `-metadata:s:a:${index}`, `language=${language}`];
}

function srtOf(language: "en" | "ru", durationSec: number): string {
  const cues: string[] = [];
  for (let atSec = 0; atSec + CUE_EVERY_SEC <= durationSec; atSec += CUE_EVERY_SEC) {
    const end = atSec + CUE_EVERY_SEC - 0.1;
    cues.push(`${cues.length + 1}\n${srtTime(atSec)} --> ${srtTime(end)}\n${cueText(language, atSec)}\n`);
  }
  return cues.join("\n");
}

function srtTime(sec: number): string {
  return new Date(Math.round(sec * 1000)).toISOString().slice(11, 23).replace(".", ",");
}

async function ffmpeg(argv: readonly string[]): Promise<void> {
  const words = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", ...argv];
  const child = await runProcess(words, { withinMs: 120_000 });
  if (child.exitCode !== 0) throw new Error(`ffmpeg ended with ${child.exitCode}:\n${child.tail()}`);
}
