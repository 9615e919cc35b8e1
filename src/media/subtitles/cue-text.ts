// From runs of styled text to WebVTT cue text: the one place where something becomes a CueText.

import { LIMITS } from "../../base/limits.ts";
import type { CueText } from "./cue.ts";

export interface TextStyle {
  readonly isItalic: boolean;
  readonly isBold: boolean;
  readonly isUnderlined: boolean;
}

/** Plain text (no entities, no tags) in one style. */
export interface TextRun extends TextStyle {
  readonly text: string;
}

export const PLAIN: TextStyle = { isItalic: false, isBold: false, isUnderlined: false };

const TAGS = [
  { tag: "b", isOn: (style: TextStyle) => style.isBold },
  { tag: "i", isOn: (style: TextStyle) => style.isItalic },
  { tag: "u", isOn: (style: TextStyle) => style.isUnderlined },
] as const;

/** Escaped, tags nested and closed, blank lines and outer white space gone, cut at LIMITS.subtitles.cueChars. */
export function cueTextOf(runs: readonly TextRun[]): CueText {
  let out = "";
  let open: readonly string[] = [];
  for (const run of tidyLines(runs)) {
    const wanted = TAGS.filter(({ isOn }) => isOn(run)).map(({ tag }) => tag);
    out += transition(open, wanted) + escaped(run.text);
    open = wanted;
  }
  return (out + transition(open, [])) as CueText;
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (char) => (char === "&" ? "&amp;" : char === "<" ? "&lt;" : "&gt;"));
}

/** Closes and opens what is needed, innermost first. */
function transition(open: readonly string[], wanted: readonly string[]): string {
  let same = 0;
  while (same < open.length && open[same] === wanted[same]) same++;
  const closing = open.slice(same).reverse();
  return `${closing.map((tag) => `</${tag}>`).join("")}${wanted
    .slice(same)
    .map((tag) => `<${tag}>`)
    .join("")}`;
}

/** Over all runs as one text: no blank line, no space at a line's ends, no control characters, bounded. */
function tidyLines(runs: readonly TextRun[]): TextRun[] {
  const out: TextRun[] = [];
  let left = LIMITS.subtitles.cueChars;
  let atLineStart = true;
  let gap = "";
  for (const run of runs) {
    let text = "";
    for (const char of withoutControls(run.text)) {
      if (char === "\n") {
        if (!atLineStart) gap = "\n";
        atLineStart = true;
      } else if (char === " " || char === "\t") {
        if (!atLineStart && gap === "") gap = " ";
      } else {
        if (left <= 0) break;
        text += gap + char;
        left -= gap.length + char.length;
        gap = "";
        atLineStart = false;
      }
    }
    if (text !== "") out.push({ ...run, text });
  }
  return out;
}

/** CR and the line separators that no renderer breaks at alike become \n; other controls and bidi-neutral fillers go. */
function withoutControls(text: string): string {
  return (
    text
      .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be removed.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u009f\ufeff\ufffe\uffff]/g, "")
  );
}
