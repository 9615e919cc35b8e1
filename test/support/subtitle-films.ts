// Small real films with text tracks, made by ffmpeg once per run: 40 s of picture, and lines that overlap, span several
// segments, and leave long gaps.

import { join } from "node:path";
import { runProcess } from "./process.ts";
import { tmpFolder } from "./tmp.ts";

export const FILM_SEC = 40;

/** [from, to, text of SubRip] */
export const FILM_LINES: readonly (readonly [number, number, string])[] = [
  [0.5, 2, "First line"],
  [2.5, 16.5, "A long line\nthat spans segments"],
  [5, 6.5, "<i>Overlapping</i> & more"],
  [9.9, 10.1, "Across ten"],
  [20, 21, "After a gap"],
  [35.25, 39, "Last <b>line</b>"],
];

/** Name of the file → what makes it of picture (input 0), sound (1) and lines (2). */
const RECIPES = {
  "text.mkv": ["-map", "0", "-map", "1", "-map", "2", "-map", "2", "-c:s:0", "srt", "-c:s:1", "ass"],
  "late.mkv": ["-map", "0", "-map", "1", "-map", "2", "-c:s", "srt", "-output_ts_offset", "100"],
  "no-cues.mkv": ["-map", "0", "-map", "1", "-map", "2", "-c:s", "srt", "-f", "matroska", "-live", "1"],
  "text.webm": ["-map", "0", "-map", "2", "-c:s", "webvtt"],
  "text.mp4": ["-map", "0", "-map", "1", "-map", "2", "-c:s", "mov_text"],
  "faststart.mp4": ["-map", "0", "-map", "1", "-map", "2", "-c:s", "mov_text", "-movflags", "+faststart"],
  "fragments.mp4": ["-map", "0", "-map", "2", "-c:s", "mov_text", "-movflags", "+frag_keyframe+empty_moov"],
} as const;

export type SubtitleFilm = keyof typeof RECIPES;

const made = new Map<SubtitleFilm, Promise<string>>();
let folder: string | undefined;

/** The path of the file. */
export function subtitleFilm(name: SubtitleFilm): Promise<string> {
  const known = made.get(name) ?? makeFilm(name);
  made.set(name, known);
  return known;
}

async function makeFilm(name: SubtitleFilm): Promise<string> {
  const path = join(home(), name);
  const lines = join(home(), `${name}.srt`);
  await Bun.write(
    lines,
    FILM_LINES.map(
      ([from, to, text], i) => `${i + 1}\n${timestamp(from)} --> ${timestamp(to)}\n${text}\n`,
    ).join("\n"),
  );
  const picture = [
    "-f",
    "lavfi",
    "-i",
    `testsrc2=size=160x90:rate=10:duration=${FILM_SEC},noise=alls=40:allf=t`,
  ];
  const sound = ["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=48000:duration=${FILM_SEC}`];
  const isWebm = name.endsWith(".webm");
  const video = isWebm
    ? ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"]
    : ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
  // AAC would begin before 0 in Matroska, and everything be moved for it.
  const audio = ["-c:a", name.endsWith(".mkv") ? "flac" : "aac"];
  const codecs = [...video, "-g", "20", "-b:v", "500k", ...audio];
  const child = await runProcess(
    [
      "ffmpeg",
      "-v",
      "error",
      "-nostdin",
      "-y",
      ...picture,
      ...sound,
      "-i",
      lines,
      ...codecs,
      ...RECIPES[name],
      path,
    ],
    { withinMs: 120_000 },
  );
  if (child.exitCode !== 0) throw new Error(`${name}: ${child.tail()}`);
  return path;
}

function timestamp(sec: number): string {
  return `${new Date(sec * 1_000).toISOString().slice(11, 23).replace(".", ",")}`;
}

function home(): string {
  folder ??= tmpFolder("subtitle-films");
  return folder;
}
