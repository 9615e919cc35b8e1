// SubRip. Only the timing lines are believed: text reaches to the next of them, whatever blank lines or missing numbers
// lie between.

import { LIMITS } from "../../base/limits.ts";
import { settingsOf } from "./ass-override.ts";
import type { Cue } from "./cue.ts";
import { cueTextOf } from "./cue-text.ts";
import { srtMarkup } from "./html-markup.ts";
import { type LineParser, parseAtOnce } from "./line-parser.ts";
import { readTimingLine, type TimingLine } from "./timestamp.ts";

export function parseSrt(text: string): Cue[] {
  return parseAtOnce(text, new SrtParser());
}

/** A cue with the markup that SubRip players know. */
export function srtCue(times: { startSec: number; endSec: number }, text: string): Cue {
  const { runs, alignment } = srtMarkup(text);
  return {
    startSec: times.startSec,
    endSec: times.endSec,
    text: cueTextOf(runs),
    settings: settingsOf(alignment),
  };
}

export class SrtParser implements LineParser {
  #timing: TimingLine | null = null;
  /** Lines since the last timing line, as many as a cue may have, and the last of all. */
  #lines: string[] = [];
  #chars = 0;
  #last = "";
  /** Whether a number stands before the first timing line. */
  #isNumbered = false;

  read(line: string): Cue | null {
    const next = line.includes(">") || line.includes("&gt;") ? readTimingLine(line) : null;
    if (next === null) {
      this.#add(line);
      return null;
    }
    if (this.#timing === null) this.#isNumbered = this.#endsInNumber();
    const cue = this.#cue(this.#isNumbered);
    this.#timing = next;
    this.#lines = [];
    this.#chars = 0;
    this.#last = "";
    return cue;
  }

  end(): Cue | null {
    return this.#cue(false);
  }

  #add(line: string): void {
    if (line.trim() === "") return;
    this.#last = line;
    this.#chars += line.length;
    if (this.#chars <= LIMITS.subtitles.cueMarkupChars) this.#lines.push(line);
  }

  #endsInNumber(): boolean {
    return /^\s*\d{1,6}\s*$/.test(this.#last);
  }

  /** `isNumbered`: the last line may be the number of the cue that follows, which is no text of this one. */
  #cue(isNumbered: boolean): Cue | null {
    if (this.#timing === null) return null;
    const lines = isNumbered && this.#endsInNumber() ? this.#lines.slice(0, -1) : this.#lines;
    return srtCue(this.#timing, lines.join("\n"));
  }
}
