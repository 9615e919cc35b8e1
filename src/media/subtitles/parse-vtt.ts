// WebVTT (W3C). STYLE, REGION and NOTE blocks are left out; of the settings those stay that a player without our style
// sheet can follow.

import { LIMITS } from "../../base/limits.ts";
import { type Cue, tidied } from "./cue.ts";
import { cueTextOf } from "./cue-text.ts";
import { vttMarkup } from "./html-markup.ts";
import { linesOf } from "./lines.ts";
import { readTimingLine, type TimingLine } from "./timestamp.ts";

const MARKUP_SHARE = 4;
const SETTINGS: Readonly<Record<string, RegExp>> = {
  vertical: /^(?:rl|lr)$/,
  line: /^-?\d{1,3}(?:\.\d{1,6})?%?(?:,(?:start|center|end))?$/,
  position: /^\d{1,3}(?:\.\d{1,6})?%(?:,(?:line-left|center|line-right))?$/,
  size: /^\d{1,3}(?:\.\d{1,6})?%$/,
  align: /^(?:start|center|end|left|right)$/,
};

export function parseVtt(text: string): Cue[] {
  const cues: Cue[] = [];
  let timing: TimingLine | null = null;
  let body = "";
  for (const line of linesOf(text)) {
    const next = line.includes("-->") ? readTimingLine(line) : null;
    if (next === null && line.trim() !== "") {
      if (timing !== null && body.length < LIMITS.subtitles.cueChars * MARKUP_SHARE) body += `${line}\n`;
      continue;
    }
    if (timing !== null) cues.push(vttCue(timing, body, timing.rest));
    if (cues.length >= LIMITS.subtitles.cues) break;
    timing = next;
    body = "";
  }
  if (timing !== null && cues.length < LIMITS.subtitles.cues) cues.push(vttCue(timing, body, timing.rest));
  return tidied(cues);
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
