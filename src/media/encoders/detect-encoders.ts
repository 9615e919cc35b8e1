// Finds out what this machine can encode with, by encoding. It takes a second or two; whoever asks keeps the answer.

import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { MediaPrograms, VideoEncoder } from "../ports.ts";
import { outputOf, type ProgramOutput } from "../probe/program-output.ts";
import type { EncoderFacts } from "./encoder-facts.ts";
import { devicesOf, type HardwareDevices } from "./hardware.ts";
import { ENCODER_NAMES, isH264, testEncodeArgv } from "./test-encodes.ts";
import { pixelsPerCoreSec, X264_SPEED_ARGV } from "./x264-speed.ts";

export interface DetectOptions {
  readonly programs: MediaPrograms;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of listHardware(). */
  readonly hardware: HardwareDevices;
}

const TONE_MAP_FILTERS = ["zscale", "tonemap"];
const LISTING = ["-hide_banner", "-loglevel", "error"];

/** Rejects what `programs.start` rejects with, and the reason of the signal. */
export async function detectEncoders(options: DetectOptions): Promise<EncoderFacts> {
  const listed = namesIn(await run(["-encoders"], options, "listing"));
  const filters = namesIn(await run(["-filters"], options, "listing"));
  const encoders: VideoEncoder[] = [];
  // One after the other: a probe must not take the machine from a film that plays.
  for (const encoder of candidates(options.hardware)) {
    if (listed.has(ENCODER_NAMES[encoder.kind]) && (await works(encoder, options))) encoders.push(encoder);
  }
  return {
    encoders,
    x264PixelsPerCoreSec: encoders.some(({ kind }) => kind === "x264") ? await x264Speed(options) : null,
    canToneMap: TONE_MAP_FILTERS.every((name) => filters.has(name)),
  };
}

/** In the order of preference. VA-API before QSV: both drive Intel's chips, and more builds of ffmpeg have the first. */
export function candidates({ render, nvidia }: HardwareDevices): readonly VideoEncoder[] {
  return [
    ...(nvidia.length > 0 ? [{ kind: "nvenc" as const }] : []),
    ...render.map((device) => ({ kind: "vaapi" as const, device })),
    ...render.map((device) => ({ kind: "qsv" as const, device })),
    { kind: "x264" },
  ];
}

async function works(encoder: VideoEncoder, options: DetectOptions): Promise<boolean> {
  const { exit, stdout, cut } = await run(testEncodeArgv(encoder), options, encoder.kind);
  return cut === null && exit.code === 0 && isH264(stdout);
}

async function x264Speed(options: DetectOptions): Promise<number | null> {
  const { exit, cut } = await run(X264_SPEED_ARGV, options, "x264");
  return cut === null && exit.code === 0 ? pixelsPerCoreSec(exit.stderr) : null;
}

function run(
  argv: readonly string[],
  { programs, clock, signal, hardware }: DetectOptions,
  what: VideoEncoder["kind"] | "listing",
): Promise<ProgramOutput> {
  const isListing = what === "listing";
  return outputOf(
    { program: "ffmpeg", argv: isListing ? [...LISTING, ...argv] : argv },
    {
      ...{ programs, clock, signal, ...LIMITS.encoderTrial, isEncode: !isListing },
      devices: isListing ? [] : devicesOf(what, hardware),
    },
  );
}

/** Second words of the lines " V....D libx264    …" and " .SC zscale   …". */
function namesIn({ stdout }: ProgramOutput): ReadonlySet<string> {
  const lines = new TextDecoder().decode(stdout).split("\n");
  return new Set(lines.flatMap((line) => /^ [A-Z.]{2,6} (\S+)/.exec(line)?.[1] ?? []));
}
