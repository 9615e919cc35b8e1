// What to tell the user, and a caller who might encode instead, of a run that failed.

import { describeError, TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { redact } from "../../base/log.ts";
import type { MediaExit } from "../ports.ts";

const LINE_CHARS = 200;

/** The input broke off: that tells nothing about the film, and it may go better later. */
export function isBrokenInput(stderr: string): boolean {
  return /Input\/output error|Connection (refused|reset|timed out)|Server returned (4|5)|HTTP error/i.test(
    stderr,
  );
}

/** Any end of a run that is a failure, as busy where trying again may help, else as unsupported_media. */
export function failureOf(cause: unknown): TorrxError {
  if (cause instanceof TorrxError) return cause;
  if (!isExit(cause))
    return new TorrxError("unsupported_media", `ffmpeg cannot run: ${describeError(cause)}`, { cause });
  if (isBrokenInput(cause.stderr)) return inputFailure();
  const how = cause.signal === null ? `code ${cause.code}` : cause.signal;
  const line = lastLine(cause.stderr);
  const why = line === "" ? "" : `: ${line}`;
  return new TorrxError("unsupported_media", `ffmpeg ended with ${how}${why}`);
}

export function inputFailure(): TorrxError {
  const { retryAfterSec } = LIMITS.runs;
  return new TorrxError("busy", "waiting_pieces: the film could not be read on", { retryAfterSec });
}

/** The last thing that ffmpeg said, without addresses: of URLs, and of its own structures in memory. */
export function lastLine(stderr: string): string {
  const lines = stderr.split("\n").map(scrub);
  return (lines.findLast((line) => line !== "") ?? "").slice(0, LINE_CHARS);
}

function scrub(line: string): string {
  return redact(line)
    .replace(/\w+:\/\/\S+/g, "input")
    .replace(/ @ 0x[0-9a-f]+/g, "")
    .replace(/[^\x20-\x7e]/g, "")
    .trim();
}

function isExit(cause: unknown): cause is MediaExit {
  return typeof cause === "object" && cause !== null && "stderr" in cause && "code" in cause;
}
