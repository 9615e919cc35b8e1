// Formats of lines: what a parser is given, and how many cues are taken of it. A long file is parsed in turns, so that
// it does not hold up the streams of the same thread.

import { setImmediate } from "node:timers/promises";
import { LIMITS } from "../../base/limits.ts";
import { type Cue, tidied } from "./cue.ts";

export interface LineParser {
  /** The cue that this line completes, if any. */
  read(line: string): Cue | null;
  /** The cue that the end of the text completes, if any. */
  end(): Cue | null;
}

/** One or two milliseconds of work. */
const TURN_CHARS = 16 * 1024;

export function parseAtOnce(text: string, parser: LineParser): Cue[] {
  return tidied([...parsedLines(text, parser)].filter((cue) => cue !== null));
}

export async function parseInTurns(text: string, parser: LineParser): Promise<Cue[]> {
  const cues: Cue[] = [];
  for (const cue of parsedLines(text, parser)) {
    if (cue === null) await setImmediate();
    else cues.push(cue);
  }
  return tidied(cues);
}

/** At most LIMITS.subtitles.cues; null between two turns. */
function* parsedLines(text: string, parser: LineParser): Generator<Cue | null> {
  let cues = 0;
  let turnChars = 0;
  for (const line of linesOf(text)) {
    const cue = parser.read(line);
    if (cue !== null) yield cue;
    if (cue !== null && ++cues >= LIMITS.subtitles.cues) return;
    turnChars += line.length + 1;
    if (turnChars < TURN_CHARS) continue;
    turnChars = 0;
    yield null;
  }
  const last = parser.end();
  if (last !== null) yield last;
}

/** Ended by LF, CR LF or CR; never all of them in memory at once. */
export function* linesOf(text: string): Generator<string> {
  const even = text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  for (let at = 0; at <= even.length; ) {
    const next = even.indexOf("\n", at);
    const end = next < 0 ? even.length : next;
    yield even.slice(at, end);
    at = end + 1;
  }
}
