// WebVTT (W3C). STYLE, REGION and NOTE blocks are left out; of the settings those stay that a player without our style
// sheet can follow.

import { LIMITS } from "../../base/limits.ts";
import type { Cue } from "./cue.ts";
import { cueTextOf } from "./cue-text.ts";
import { vttMarkup } from "./html-markup.ts";
import { type LineParser, parseAtOnce } from "./line-parser.ts";
import { readTimingLine, type TimingLine } from "./timestamp.ts";

const SETTINGS: Readonly<Record<string, RegExp>> = {
  vertical: /^(?:rl|lr)$/,
  line: /^-?\d{1,3}(?:\.\d{1,6})?%?(?:,(?:start|center|end))?$/,
  position: /^\d{1,3}(?:\.\d{1,6})?%(?:,(?:line-left|center|line-right))?$/,
  size: /^\d{1,3}(?:\.\d{1,6})?%$/,
  align: /^(?:start|center|end|left|right)$/,
};

export function parseVtt(text: string): Cue[] {
  return parseAtOnce(text, new VttParser());
}

export class VttParser implements LineParser {
  #timing: TimingLine | null = null;
  #body = "";

  /** A cue ends at a blank line, or at the times of the next. */
  read(line: string): Cue | null {
    const next = line.includes("-->") ? readTimingLine(line) : null;
    if (next === null && !/^[ \t]*$/.test(line)) {
      if (this.#body.length < LIMITS.subtitles.cueMarkupChars) this.#body += `${line}\n`;
      return null;
    }
    const cue = this.end();
    this.#timing = next;
    this.#body = "";
    return cue;
  }

  end(): Cue | null {
    return this.#timing === null ? null : vttCue(this.#timing, this.#body, this.#timing.rest);
  }
}

/** `settings` as they stand behind the times of a cue. */
export function vttCue(times: { startSec: number; endSec: number }, text: string, settings: string): Cue {
  return {
    startSec: times.startSec,
    endSec: times.endSec,
    text: cueTextOf(vttMarkup(text).runs),
    settings: checkedSettings(settings),
  };
}

function checkedSettings(settings: string): string | null {
  const kept = settings.split(/\s+/, 10).filter((setting) => {
    const colon = setting.indexOf(":");
    return (
      colon > 0 &&
      Object.hasOwn(SETTINGS, setting.slice(0, colon)) &&
      SETTINGS[setting.slice(0, colon)]?.test(setting.slice(colon + 1)) === true
    );
  });
  return kept.length === 0 ? null : kept.join(" ");
}
