// Small media files of tests, each made once per run by ffmpeg: name → arguments. 320x180, two seconds.

import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";

const SECONDS = 2;
const lavfi = (source: string) => ["-f", "lavfi", "-i", `${source}:duration=${SECONDS}`];
const PICTURE = lavfi("testsrc2=size=320x180:rate=25");
const TONE = lavfi("sine=frequency=440:sample_rate=48000");
const x264 = (...more: string[]) => ["-c:v", "libx264", "-preset", "ultrafast", ...more];
const x265 = (params: string, ...more: string[]) => [
  ...[
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    `log-level=none${params}`,
    "-pix_fmt",
    "yuv420p10le",
  ],
  ...more,
];
const YUV420 = ["-pix_fmt", "yuv420p"];
const HDR10 =
  ":colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400" +
  ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)";

/** A recipe names files made before it as {name}. */
const RECIPES = {
  "main.mp4": [
    ...PICTURE,
    ...TONE,
    ...["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", ...YUV420],
    ...["-c:a", "aac", "-ac", "2", "-movflags", "+faststart"],
  ],
  "high.mkv": [...PICTURE, ...TONE, "-c:v", "libx264", "-preset", "fast", ...YUV420, "-c:a", "aac"],
  "high10.mkv": [
    ...[...PICTURE, ...TONE, ...x264("-pix_fmt", "yuv420p10le"), "-c:a", "ac3", "-ac", "6"],
    ...["-metadata:s:a:0", "language=rus", "-metadata:s:a:0", "title=Комментарии режиссёра"],
  ],
  "hevc.mkv": [
    ...PICTURE,
    ...TONE,
    "-c:v",
    "libx265",
    "-preset",
    "ultrafast",
    "-x265-params",
    "log-level=none",
    ...YUV420,
  ],
  "hdr10.mkv": [...PICTURE, ...TONE, ...x265(HDR10), "-c:a", "eac3", "-ac", "6"],
  "hlg.mkv": [...PICTURE, ...x265(":colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc")],
  "interlaced.ts": [
    ...PICTURE,
    ...["-vf", "interlace", "-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ilme+ildct", ...YUV420],
    ...["-x264-params", "tff=1"],
  ],
  "two-audio.mkv": [
    ...[...PICTURE, ...TONE, ...lavfi("sine=frequency=880:sample_rate=44100")],
    ...["-map", "0:v", "-map", "1:a", "-map", "2:a", ...x264(...YUV420), "-c:a:0", "dca", "-ac:a:0", "6"],
    ...["-strict", "-2", "-c:a:1", "aac", "-ac:a:1", "2", "-metadata:s:a:0", "language=fre"],
    ...["-metadata:s:a:1", "language=eng", "-disposition:a:0", "0", "-disposition:a:1", "default"],
  ],
  "lossless.mkv": [
    ...[...TONE, ...TONE, ...TONE, "-map", "0:a", "-map", "1:a", "-map", "2:a"],
    ...[
      "-c:a:0",
      "flac",
      "-c:a:1",
      "libopus",
      "-c:a:2",
      "truehd",
      "-ar:a:2",
      "48000",
      "-ac:a:2",
      "2",
      "-strict",
      "-2",
    ],
  ],
  "xvid.avi": [...PICTURE, ...TONE, "-c:v", "mpeg4", "-vtag", "XVID", "-c:a", "libmp3lame"],
  "broadcast.ts": [...PICTURE, ...TONE, "-c:v", "mpeg2video", "-c:a", "mp2"],
  "vp9.webm": [
    ...PICTURE,
    ...TONE,
    "-c:v",
    "libvpx-vp9",
    "-deadline",
    "realtime",
    "-cpu-used",
    "8",
    "-c:a",
    "libopus",
  ],
  "av1.mkv": [...PICTURE, "-c:v", "libsvtav1", "-preset", "12", "-pix_fmt", "yuv420p10le"],
  "sound.m4a": [...TONE, "-c:a", "aac", "-ac", "1", "-ar", "44100"],
  "quicktime.mov": [...PICTURE, ...x264(...YUV420)],
  "turned.mp4": ["-i", "{main.mp4}", "-c", "copy", "-metadata:s:v", "rotate=90"],
  "cover.mp4": [
    "-i",
    "{sound.m4a}",
    "-i",
    "{cover.jpg}",
    "-map",
    "0",
    "-map",
    "1",
    "-c",
    "copy",
    "-disposition:v",
    "attached_pic",
  ],
  "cover.jpg": [...PICTURE, "-frames:v", "1", "-update", "1"],
  "cover.mkv": [
    "-i",
    "{high.mkv}",
    "-attach",
    "{cover.jpg}",
    "-metadata:s:t",
    "mimetype=image/jpeg",
    "-c",
    "copy",
  ],
  "live.mkv": [...PICTURE, ...x264(...YUV420), "-f", "matroska", "-live", "1"],
  "subtitles.mkv": [
    "-i",
    "{high.mkv}",
    "-i",
    "{words.srt}",
    "-map",
    "0",
    "-map",
    "1",
    "-map",
    "1",
    "-c",
    "copy",
    "-c:s:0",
    "srt",
    "-c:s:1",
    "ass",
    "-metadata:s:s:0",
    "language=ger",
    "-metadata:s:s:1",
    "title=Forced signs",
  ],
} satisfies Readonly<Record<string, readonly string[]>>;

export type MediaFileName = keyof typeof RECIPES;

const CONTENTS: Readonly<Record<string, string>> = {
  "words.srt": "1\n00:00:00,200 --> 00:00:01,500\nHello & goodbye\n",
};

let folder: string | undefined;
const made = new Map<string, Promise<string>>();

/** The path of the file. */
export function mediaFile(name: MediaFileName): Promise<string> {
  return madeFile(name);
}

/** The first bytes of a file, as of a download that ended early. */
export async function truncatedFile(name: MediaFileName, lengthBytes: number): Promise<string> {
  const path = join(home(), `cut-${lengthBytes}-${name}`);
  writeFileSync(path, readFileSync(await mediaFile(name)));
  truncateSync(path, Math.min(lengthBytes, statSync(path).size));
  return path;
}

/** A file of any content. */
export function writtenFile(name: string, content: string | Uint8Array): string {
  const path = join(home(), name);
  writeFileSync(path, content);
  return path;
}

function madeFile(name: string): Promise<string> {
  const known = made.get(name);
  if (known !== undefined) return known;
  const text = CONTENTS[name];
  const path = text === undefined ? encoded(name) : Promise.resolve(writtenFile(name, text));
  made.set(name, path);
  return path;
}

async function encoded(name: string): Promise<string> {
  const recipe = (RECIPES as Readonly<Record<string, readonly string[]>>)[name];
  if (recipe === undefined) throw new Error(`no recipe for ${name}`);
  const argv = await Promise.all(
    recipe.map(async (argument) => {
      const [, before] = /^\{(.+)\}$/.exec(argument) ?? [];
      return before === undefined ? argument : await madeFile(before);
    }),
  );
  const path = join(home(), name);
  const child = await runProcess([
    "ffmpeg",
    "-hide_banner",
    "-loglevel",
    "error",
    "-nostdin",
    "-y",
    ...argv,
    path,
  ]);
  if (child.exitCode !== 0 || !existsSync(path)) throw new Error(`${name}: ${child.tail()}`);
  return path;
}

function home(): string {
  folder ??= tmpFolder("media-files");
  mkdirSync(folder, { recursive: true });
  return folder;
}
