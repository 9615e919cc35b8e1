// A text track read by ffmpeg from a file that is complete, for what our own readers cannot read: it goes through the
// whole file. One process at a time is the caller's care.

import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { LoopbackInput, MediaPrograms } from "../ports.ts";
import { INPUT_OPTIONS } from "../probe/input-options.ts";
import type { Cue } from "./cue.ts";
import { parseInTurns } from "./line-parser.ts";
import { AssScript } from "./parse-ass.ts";
import { SrtParser } from "./parse-srt.ts";

export interface WholePass {
  readonly programs: MediaPrograms;
  readonly input: LoopbackInput;
  /** ffmpeg's number and codec of the track. */
  readonly stream: number;
  readonly codec: string;
  readonly signal: AbortSignal;
}

/** SubRip keeps what we can show: italics, bold, underline, the place at the top. ASS is read by ourselves. */
export function wholePassArgv(url: string, stream: number, codec: string): readonly string[] {
  const output = isAss(codec) ? ["-c:s", "copy", "-f", "ass"] : ["-c:s", "subrip", "-f", "srt"];
  return [
    ...["-nostdin", "-hide_banner", "-loglevel", "error"],
    ...INPUT_OPTIONS,
    ...["-copyts", "-i", url, "-map", `0:${stream}`, ...output, "pipe:1"],
  ];
}

/**
 * All cues of the track. Rejects with the signal's reason, TorrxError("unsupported_media") when ffmpeg fails before it
 * gave any, TorrxError("too_large"), and what starting rejects with. The process is gone when it settles.
 */
export async function readWholeTrack(pass: WholePass): Promise<Cue[]> {
  const { programs, input, stream, codec, signal } = pass;
  signal.throwIfAborted();
  const argv = wholePassArgv(input.url, stream, codec);
  const child = await programs.start({ program: "ffmpeg", argv }, { isEncode: false });
  const onAbort = () => void child.kill();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    const text = await textOf(child.stdout);
    const exit = await child.exited;
    signal.throwIfAborted();
    const cues = await parseInTurns(text, isAss(codec) ? new AssScript() : new SrtParser());
    if (cues.length === 0 && exit.code !== 0)
      throw new TorrxError("unsupported_media", "The subtitles could not be read.", {
        cause: new Error(exit.stderr),
      });
    return cues;
  } finally {
    signal.removeEventListener("abort", onAbort);
    await child.kill();
  }
}

async function textOf(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let lengthBytes = 0;
  for await (const chunk of stdout) {
    lengthBytes += chunk.length;
    if (lengthBytes > LIMITS.subtitles.fileBytes)
      throw new TorrxError("too_large", "The subtitles are larger than 16 MiB.");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function isAss(codec: string): boolean {
  return codec === "ass" || codec === "ssa";
}
