// Small real films for tests of the media pipeline, made by ffmpeg into a folder of the test's own. Nothing is kept
// between calls: make a film once per test file (beforeAll) and remux it, which costs next to nothing.

import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProcess } from "./process.ts";

const ENCODE_MS = 60_000;

export type AudioCodec = "aac" | "ac3" | "eac3" | "mp3" | "opus" | "flac" | "dts";

export interface AudioOptions {
  readonly codec?: AudioCodec;
  /** Tracks are told apart by their tone. */
  readonly toneHz?: number;
  readonly channels?: number;
  readonly sampleRate?: number;
  /** Starts so much later than the film. */
  readonly lateSec?: number;
  readonly language?: string;
  readonly title?: string;
}

export interface SubtitleOptions {
  readonly codec: "srt" | "ass";
  readonly language?: string;
  readonly title?: string;
  /** [from, to, text]; a line every two seconds where they are not given. */
  readonly lines?: readonly (readonly [number, number, string])[];
}

export interface FilmOptions {
  /** The file's name; its ending says the container. */
  readonly name: string;
  /** 8 */
  readonly durationSec?: number;
  /** h264. hevc and h264_10 are of 10 bits. */
  readonly video?: "h264" | "h264_10" | "hevc" | "mpeg4" | "vp9" | "av1" | "none";
  /** 24000/1001 */
  readonly framesPerSec?: string;
  /** 320x180 */
  readonly size?: string;
  /** Where key frames are forced; there are no others. An irregular list where it is not given. */
  readonly keyframesSec?: readonly number[];
  /** 2 */
  readonly bFrames?: number;
  /** Key frames every `openGopFrames`, with B-frames across them, instead of at `keyframesSec`. */
  readonly openGopFrames?: number;
  /** Frames are left out at random, the others keep their times. */
  readonly isVariableRate?: boolean;
  /** The first frame's time. */
  readonly startSec?: number;
  /** One AAC track in stereo where it is not given. */
  readonly audio?: readonly AudioOptions[];
  readonly subtitles?: readonly SubtitleOptions[];
  /** Further arguments in front of the output: `-movflags …`. */
  readonly flags?: readonly string[];
}

export const IRREGULAR_KEYFRAMES_SEC = [0, 1.1, 2.3, 5, 5.6] as const;

/** Encodes a film. Its path. */
export async function makeFilm(folder: string, options: FilmOptions): Promise<string> {
  const path = join(folder, options.name);
  const durationSec = options.durationSec ?? 8;
  const inputs = new Inputs(folder, durationSec);
  if (options.video !== "none") inputs.addVideo(options);
  for (const audio of options.audio ?? [{}]) inputs.addAudio(audio);
  for (const subtitle of options.subtitles ?? []) inputs.addSubtitle(subtitle);
  const start = options.startSec === undefined ? [] : ["-output_ts_offset", String(options.startSec)];
  await ffmpeg([...inputs.argv(), ...start, "-t", String(durationSec), ...(options.flags ?? []), path]);
  return path;
}

/** Copies all streams of a file into another container or form of it. Its path. */
export async function remux(source: string, target: string, flags: readonly string[] = []): Promise<string> {
  await ffmpeg(["-i", source, "-map", "0", "-c", "copy", ...flags, target]);
  return target;
}

/** Copies a file through a pipe, so that the muxer cannot go back to write an index. */
export async function remuxPiped(source: string, target: string, format: string): Promise<string> {
  const child = Bun.spawn(
    ["ffmpeg", ...QUIET, "-i", source, "-map", "0", "-c", "copy", "-f", format, "pipe:1"],
    { stdout: "pipe", stderr: "inherit" },
  );
  writeFileSync(target, new Uint8Array(await new Response(child.stdout).arrayBuffer()));
  if ((await child.exited) !== 0) throw new Error(`ffmpeg ended with ${child.exitCode}`);
  return target;
}

/** The first part of a file, as a download that broke off leaves it. */
export function cutShort(source: string, target: string, share: number): string {
  writeFileSync(target, readFileSync(source));
  truncateSync(target, Math.floor(statSync(source).size * share));
  return target;
}

/** A picture to be attached to a film. */
export async function makeCover(folder: string): Promise<string> {
  const path = join(folder, "cover.jpg");
  await ffmpeg(["-f", "lavfi", "-i", "color=red:size=64x64:duration=1", "-frames:v", "1", path]);
  return path;
}

/** Runs ffmpeg; rejects with what it said when it fails. */
export async function ffmpeg(argv: readonly string[]): Promise<void> {
  const child = await runProcess(["ffmpeg", ...QUIET, ...argv], { withinMs: ENCODE_MS });
  if (child.exitCode !== 0) throw new Error(`ffmpeg ended with ${child.exitCode}:\n${child.tail()}`);
}

const QUIET = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"];

export interface PacketFacts {
  readonly ptsSec: number;
  readonly positionBytes: number;
  readonly isKey: boolean;
  /** Needed to decode others and not shown itself. */
  readonly isDiscarded: boolean;
}

/** Every packet of a stream ("V:0" = the first video that is no picture), as ffprobe tells of it. */
export async function packetsOf(path: string, stream = "V:0"): Promise<readonly PacketFacts[]> {
  const entries = ["-show_entries", "packet=pts_time,pos,flags", "-of", "json", path];
  const child = await runProcess(["ffprobe", "-v", "error", "-select_streams", stream, ...entries], {
    withinMs: ENCODE_MS,
  });
  const told = JSON.parse(child.stdout) as {
    packets?: readonly { pts_time: string; pos?: string; flags: string }[];
  };
  return (told.packets ?? []).map((packet) => ({
    ptsSec: Number(packet.pts_time),
    positionBytes: Number(packet.pos ?? -1),
    isKey: packet.flags.includes("K"),
    isDiscarded: packet.flags.includes("D"),
  }));
}

/** Inputs of one encode in order, and what is done with each. */
class Inputs {
  readonly #folder: string;
  readonly #durationSec: number;
  readonly #inputs: string[] = [];
  readonly #outputs: string[] = [];
  #count = 0;
  #audios = 0;
  #subtitles = 0;

  constructor(folder: string, durationSec: number) {
    this.#folder = folder;
    this.#durationSec = durationSec;
  }

  argv(): readonly string[] {
    return [...this.#inputs, ...this.#outputs];
  }

  addVideo(options: FilmOptions): void {
    const rate = options.framesPerSec ?? "24000/1001";
    const picture = `testsrc2=size=${options.size ?? "320x180"}:rate=${rate}:duration=${this.#durationSec}`;
    // Two of seven frames go, in no regular beat.
    const gaps = options.isVariableRate ? ",select='not(eq(mod(n\\,7)\\,3)+eq(mod(n\\,7)\\,4))'" : "";
    const passthrough = options.isVariableRate ? ["-fps_mode", "passthrough"] : [];
    this.#add(["-f", "lavfi", "-i", picture + gaps]);
    this.#outputs.push("-map", `${this.#count - 1}:v`, ...passthrough, ...videoArguments(options));
  }

  addAudio(options: AudioOptions): void {
    const rate = options.sampleRate ?? 48_000;
    const tone = `sine=frequency=${options.toneHz ?? 440}:sample_rate=${rate}:duration=${this.#durationSec}`;
    const late = options.lateSec === undefined ? [] : ["-itsoffset", String(options.lateSec)];
    this.#add([...late, "-f", "lavfi", "-i", tone]);
    const stream = this.#audios++;
    this.#outputs.push(
      ...["-map", `${this.#count - 1}:a`, `-c:a:${stream}`, AUDIO_ENCODERS[options.codec ?? "aac"]],
      ...[`-ac:a:${stream}`, String(options.channels ?? 2), `-ar:a:${stream}`, String(rate)],
      ...(options.codec === "dts" ? ["-strict", "-2"] : []),
      ...tags(`a:${stream}`, options),
    );
  }

  addSubtitle(options: SubtitleOptions): void {
    const stream = this.#subtitles++;
    const path = join(this.#folder, `subtitle-${stream}.srt`);
    writeFileSync(path, srtOf(options.lines ?? everyTwoSeconds(this.#durationSec)));
    this.#add(["-i", path]);
    this.#outputs.push("-map", `${this.#count - 1}:s`, `-c:s:${stream}`, options.codec);
    this.#outputs.push(...tags(`s:${stream}`, options));
  }

  #add(input: readonly string[]): void {
    this.#inputs.push(...input);
    this.#count++;
  }
}

const AUDIO_ENCODERS: Readonly<Record<AudioCodec, string>> = {
  aac: "aac",
  ac3: "ac3",
  eac3: "eac3",
  mp3: "libmp3lame",
  opus: "libopus",
  flac: "flac",
  dts: "dca",
};

function videoArguments(options: FilmOptions): readonly string[] {
  const frames = ["-g", "1000", "-force_key_frames", keyframeList(options)];
  const bFrames = String(options.bFrames ?? 2);
  const pixels = [
    "-pix_fmt",
    options.video === "h264_10" || options.video === "hevc" ? "yuv420p10le" : "yuv420p",
  ];
  switch (options.video ?? "h264") {
    case "hevc": {
      const gop = options.openGopFrames;
      const params = `log-level=none:bframes=${bFrames}:open-gop=${gop === undefined ? 0 : 1}:keyint=${gop ?? 1000}:scenecut=0`;
      const forced = gop === undefined ? frames : [];
      return ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", params, ...forced, ...pixels];
    }
    case "mpeg4":
      return ["-c:v", "mpeg4", "-bf", bFrames, ...frames, ...pixels];
    case "vp9":
      return ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", ...frames, ...pixels];
    case "av1":
      return ["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", ...frames, ...pixels];
    default:
      return [...h264Arguments(options, bFrames), ...pixels];
  }
}

function h264Arguments(options: FilmOptions, bFrames: string): readonly string[] {
  const encoder = ["-c:v", "libx264", "-preset", "ultrafast"];
  const gop = options.openGopFrames;
  if (gop !== undefined)
    return [...encoder, "-x264-params", `open-gop=1:keyint=${gop}:bframes=${bFrames}:b-pyramid=0:scenecut=0`];
  const cuts = ["-sc_threshold", "0", "-forced-idr", "1", "-keyint_min", "1", "-bf", bFrames];
  return [...encoder, ...cuts, "-g", "1000", "-force_key_frames", keyframeList(options)];
}

function keyframeList(options: FilmOptions): string {
  return (options.keyframesSec ?? IRREGULAR_KEYFRAMES_SEC).join(",");
}

function tags(stream: string, facts: { language?: string; title?: string }): readonly string[] {
  return [
    ...(facts.language === undefined ? [] : [`-metadata:s:${stream}`, `language=${facts.language}`]),
    ...(facts.title === undefined ? [] : [`-metadata:s:${stream}`, `title=${facts.title}`]),
  ];
}

function everyTwoSeconds(durationSec: number): readonly (readonly [number, number, string])[] {
  return Array.from({ length: Math.floor(durationSec / 2) }, (_, line) => [
    line * 2 + 0.25,
    line * 2 + 1.75,
    `line ${line}`,
  ]);
}

function srtOf(lines: readonly (readonly [number, number, string])[]): string {
  return lines
    .map(([from, to, text], number) => `${number + 1}\n${srtTime(from)} --> ${srtTime(to)}\n${text}\n`)
    .join("\n");
}

function srtTime(sec: number): string {
  return new Date(Math.round(sec * 1000)).toISOString().slice(11, 23).replace(".", ",");
}
