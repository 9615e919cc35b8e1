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

/**
 * Escaped, tags nested and closed, blank lines and outer white space gone, cut at LIMITS.subtitles.cueChars. Empty where
 * there is nothing to see.
 */
export function cueTextOf(runs: readonly TextRun[]): CueText {
  const tidy = tidyLines(runs);
  let out = "";
  let open: readonly string[] = [];
  if (!tidy.some(({ text }) => /\S/.test(text))) return "" as CueText;
  for (const run of tidy) {
    const next = nesting(open, run);
    out += transition(open, next) + escaped(run.text);
    open = next;
  }
  return (out + transition(open, [])) as CueText;
}

/** The tags around a run, outermost first: of those that are open as many as can stay. */
function nesting(open: readonly string[], style: TextStyle): string[] {
  const wanted = TAGS.filter(({ isOn }) => isOn(style)).map(({ tag }) => tag as string);
  const closing = open.findIndex((tag) => !wanted.includes(tag));
  const kept = closing < 0 ? open : open.slice(0, closing);
  return [...kept, ...wanted.filter((tag) => !kept.includes(tag))];
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (char) => (char === "&" ? "&amp;" : char === "<" ? "&lt;" : "&gt;"));
}

/** Closes what does not stay, innermost first, and opens what is new. */
function transition(open: readonly string[], next: readonly string[]): string {
  let same = 0;
  while (same < open.length && open[same] === next[same]) same++;
  const closed = open.slice(same).reverse();
  const opened = next.slice(same);
  return [...closed.map((tag) => `</${tag}>`), ...opened.map((tag) => `<${tag}>`)].join("");
}

/** Over all runs as one text: no blank line, no space at a line's ends, no control characters, bounded. */
function tidyLines(runs: readonly TextRun[]): TextRun[] {
  const out: TextRun[] = [];
  let left = LIMITS.subtitles.cueChars;
  let gap = "";
  for (const run of runs) {
    const { before, text, after } = parted(withoutControls(run.text));
    gap = wider(gap, before);
    if (text === "") continue;
    const previous = out.at(-1);
    if (previous !== undefined && gap !== "") out.push({ ...inBoth(previous, run), text: gap });
    out.push({ ...run, text: text.length <= left ? text : cut(text, left) });
    left -= text.length + gap.length;
    if (left <= 0) return out;
    gap = after;
  }
  return out;
}

/** Not within a character, nor behind a space. */
function cut(text: string, chars: number): string {
  return text.slice(0, chars).replace(/[ \n\ud800-\udbff]$/, "");
}

/** White space within a text as one space or one break each; that around it apart. */
function parted(text: string): { before: string; text: string; after: string } {
  const even = text.replace(/[ \t\n]{2,}|\t/g, (gap) => (gap.includes("\n") ? "\n" : " "));
  const before = /^[ \n]/.exec(even)?.[0] ?? "";
  const after = even.length > 1 && /[ \n]$/.test(even) ? even.slice(-1) : "";
  return { before, text: even.slice(before.length, even.length - after.length), after };
}

function wider(a: string, b: string): string {
  return a === "\n" || b === "\n" ? "\n" : a || b;
}

/** White space between two styles has what they share, so that tags stand at words. */
function inBoth(a: TextStyle, b: TextStyle): TextStyle {
  return {
    isItalic: a.isItalic && b.isItalic,
    isBold: a.isBold && b.isBold,
    isUnderlined: a.isUnderlined && b.isUnderlined,
  };
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
