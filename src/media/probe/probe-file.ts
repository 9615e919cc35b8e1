// One bounded ffprobe over a file. It reads a few megabytes at the beginning (and MP4's index, wherever that is).

import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { MediaProbe, MediaPrograms } from "../ports.ts";
import { INPUT_OPTIONS } from "./input-options.ts";
import { nothingToPlay, parseProbe } from "./parse-probe.ts";
import { outputOf, type ProgramOutput } from "./program-output.ts";

export interface ProbeOptions {
  readonly programs: MediaPrograms;
  /** Loopback; it never shows in an error. */
  readonly url: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** True while the file's reader waits for pieces: that time does not count against the probe. */
  readonly isWaiting?: () => boolean;
}

const BOUNDS = LIMITS.probe;
const ANALYZED_MICROSEC = "5000000";
const CAUSE_CHARS_MAX = 500;
const FIELDS = [
  "format=format_name,start_time,duration,bit_rate",
  "format_tags=major_brand",
  "stream=index,codec_type,codec_name,codec_tag_string,profile,level,width,height,pix_fmt,field_order,color_transfer",
  "stream=avg_frame_rate,r_frame_rate,bits_per_raw_sample,bit_rate,channels,sample_rate",
  "stream_disposition=default,forced,comment,attached_pic,still_image,timed_thumbnails",
  "stream_tags=language,title,BPS",
  "stream_side_data=side_data_type,rotation,dv_profile,dv_bl_signal_compatibility_id",
];
/**
 * What the loopback's refusals look like in ffmpeg's words: the file may be fine. 416, which it calls 4XX, is none of
 * them: that is how an empty file answers.
 */
const INPUT_FAILED =
  /Server returned (?:40\d|5XX)|Connection (?:refused|reset|timed out)|Input\/output error|Stream ends prematurely/i;

/**
 * Rejects TorrxError("unsupported_media") for what is no film, TorrxError("busy") when its bytes could not be had, the
 * reason of the signal, and what `programs.start` rejects with.
 */
export async function probeFile(options: ProbeOptions): Promise<MediaProbe> {
  const output = await outputOf(
    { program: "ffprobe", argv: probeArgv(options.url) },
    {
      programs: options.programs,
      clock: options.clock,
      signal: options.signal,
      withinMs: BOUNDS.withinMs,
      outputBytes: BOUNDS.outputBytes,
      ...(options.isWaiting === undefined ? {} : { isWaiting: options.isWaiting }),
    },
  );
  throwFailure(output);
  return parseProbe(new TextDecoder().decode(output.stdout));
}

export function probeArgv(url: string): readonly string[] {
  const readBytes = String(BOUNDS.readBytes);
  const bounds = ["-probesize", readBytes, "-analyzeduration", ANALYZED_MICROSEC];
  const shape = ["-print_format", "json=compact=1", "-show_entries", FIELDS.join(":")];
  return ["-v", "error", "-hide_banner", ...INPUT_OPTIONS, ...bounds, ...shape, "-i", url];
}

function throwFailure({ exit, cut }: ProgramOutput): void {
  if (cut === "time") throw nothingToPlay(new Error(`ffprobe took longer than ${BOUNDS.withinMs / 1000} s`));
  if (cut === "bytes") throw nothingToPlay(new Error(`ffprobe wrote more than ${BOUNDS.outputBytes} bytes`));
  if (exit.code === 0) return;
  const cause = new Error(`ffprobe ended with ${exit.signal ?? exit.code}: ${scrubbed(exit.stderr)}`);
  if (INPUT_FAILED.test(exit.stderr)) {
    throw new TorrxError("busy", "The file could not be read far enough yet.", { cause, retryAfterSec: 2 });
  }
  throw nothingToPlay(cause);
}

/** Without addresses and tokens. */
export function scrubbed(stderr: string): string {
  const plain = stderr
    .replace(/[a-z][a-z0-9+.-]*:\/\/\S+/giu, "(input)")
    .replace(/token=[^\s&]*/giu, "token=…");
  return plain.replace(/\s+/gu, " ").trim().slice(-CAUSE_CHARS_MAX);
}
