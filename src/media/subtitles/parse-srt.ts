// SubRip. Only the timing lines are believed: text reaches to the next of them, whatever blank lines or missing numbers
// lie between.

import { LIMITS } from "../../base/limits.ts";
import { settingsOf } from "./ass-override.ts";
import { type Cue, tidied } from "./cue.ts";
import { cueTextOf } from "./cue-text.ts";
import { srtMarkup } from "./html-markup.ts";
import { linesOf } from "./lines.ts";
import { readTimingLine, type TimingLine } from "./timestamp.ts";

/** Markup around the text of one cue is not longer than this many times the text. */
const MARKUP_SHARE = 4;

export function parseSrt(text: string): Cue[] {
  const cues: Cue[] = [];
  const pending = new PendingText();
  let timing: TimingLine | null = null;
  let isNumbered = false;
  for (const line of linesOf(text)) {
    const next = line.includes(">") || line.includes("&gt;") ? readTimingLine(line) : null;
    if (next === null) {
      pending.add(line);
      continue;
    }
    if (timing === null) isNumbered = pending.endsInNumber();
    else cues.push(srtCue(timing, pending.take(isNumbered)));
    pending.clear();
    timing = cues.length < LIMITS.subtitles.cues ? next : null;
    if (timing === null) break;
  }
  if (timing !== null) cues.push(srtCue(timing, pending.take(false)));
  return tidied(cues);
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

/** The lines since the last timing line, as many as a cue may have. */
class PendingText {
  #lines: string[] = [];
  #chars = 0;
  #last = "";

  add(line: string): void {
    if (line.trim() === "") return;
    this.#last = line;
    this.#chars += line.length;
    if (this.#chars <= LIMITS.subtitles.cueChars * MARKUP_SHARE) this.#lines.push(line);
  }

  endsInNumber(): boolean {
    return /^\s*\d{1,6}\s*$/.test(this.#last);
  }

  /** `isNumbered`: the last line may be the number of the cue that follows, which is no text of this one. */
  take(isNumbered: boolean): string {
    const lines = isNumbered && this.endsInNumber() ? this.#lines.slice(0, -1) : this.#lines;
    return lines.join("\n");
  }

  clear(): void {
    this.#lines = [];
    this.#chars = 0;
    this.#last = "";
  }
}
