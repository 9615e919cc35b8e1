// What a program answers to -version, and what its refusal to answer means.

import { TorrxError } from "../../base/errors.ts";
import type { MediaExit } from "../ports.ts";
import type { ProgramFile } from "./program-file.ts";

const OLDEST_MAJOR = 5;

/** "ffmpeg version 5.1.9-0+deb12u1 Copyright …" → "5.1.9-0+deb12u1". */
export function versionIn(answer: string): string | null {
  return /^ff(?:mpeg|probe) version (\S+)/.exec(answer)?.[1] ?? null;
}

/** A build that has a date or a hash for a number ("N-118000-g1a2b3c") is taken for a new one. */
export function isTooOld(version: string | null): boolean {
  const major = /^n?(\d+)\./.exec(version ?? "")?.[1];
  return major !== undefined && Number(major) < OLDEST_MAJOR;
}

/** How torrx-exec ends when there is no program to become. */
const NOT_RUNNABLE = [126, 127];

/** Why the program at `file` is none that can be used. */
export function refusalOf(file: ProgramFile, exit: MediaExit): TorrxError {
  const subject = `${file.name} at ${file.path}`;
  if (exit.isKilled) return unsupported(`${subject} does not answer`);
  const last = exit.stderr.split("\n").at(-1) ?? "";
  if (exit.code !== null && NOT_RUNNABLE.includes(exit.code) && last.startsWith("torrx-exec: ")) {
    return unsupported(`${subject} cannot be started: ${reasonIn(last)}`);
  }
  const how = exit.signal === null ? `code ${exit.code}` : exit.signal;
  return unsupported(`${subject} ends at once (${how})${last === "" ? "" : `: ${last}`}`);
}

function reasonIn(line: string): string {
  if (line.endsWith("Exec format error")) return "it is no program for this kind of machine";
  if (line.endsWith("No such file or directory"))
    return "it was made for another system, whose loader is not here";
  return line.slice(line.lastIndexOf(": ") + 2);
}

function unsupported(message: string): TorrxError {
  return new TorrxError("unsupported_media", message);
}
