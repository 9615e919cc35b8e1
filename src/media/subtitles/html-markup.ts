// The markup of .srt and .vtt lines: HTML-like tags, character references, and in .srt also ASS overrides.

import { type Alignment, NO_OVERRIDES, type OverrideState, overridden } from "./ass-override.ts";
import { PLAIN, type TextRun, type TextStyle } from "./cue-text.ts";

export interface Markup {
  readonly runs: readonly TextRun[];
  readonly alignment: Alignment | null;
}

/** Longer than any tag that means something to us; what goes on is text. */
const TAG_CHARS = 256;
const REFERENCES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  lrm: "\u200e",
  rlm: "\u200f",
  hellip: "…",
  mdash: "—",
  ndash: "–",
};
/** Tags of .srt; anything else in angle brackets is what somebody says ("<sighs>"). */
const SRT_TAG = /^\/?(?:i|b|u|s|em|strong|font|span|p|br|c|div|strike|sub|sup)(?:[\s.=/].*)?$/is;
/** In .vtt every tag is markup, also <v Bob>, <c.red> and <00:00:01.000>. */
const VTT_TAG = /^\/?(?:[a-z]|\d\d+:)/i;
/** Left over from MicroDVD: {y:i}, {C:$0000FF}. */
const MICRODVD_CODE = /^[ycfspoh]:[^{}\\]{0,64}$/i;

export function srtMarkup(text: string): Markup {
  return new MarkupReader(text, SRT_TAG, true).read();
}

export function vttMarkup(text: string): Markup {
  return new MarkupReader(text, VTT_TAG, false).read();
}

class MarkupReader {
  readonly #text: string;
  readonly #tag: RegExp;
  readonly #hasOverrides: boolean;
  readonly #runs: TextRun[] = [];
  #state: OverrideState = NO_OVERRIDES;

  constructor(text: string, tag: RegExp, hasOverrides: boolean) {
    this.#text = text;
    this.#tag = tag;
    this.#hasOverrides = hasOverrides;
  }

  read(): Markup {
    const special = this.#hasOverrides ? /[<{&]/g : /[<&]/g;
    let at = 0;
    while (at < this.#text.length) {
      special.lastIndex = at;
      const next = special.exec(this.#text)?.index ?? this.#text.length;
      this.#push(this.#text.slice(at, next));
      at = next < this.#text.length ? next + this.#special(next) : next;
    }
    return { runs: this.#runs, alignment: this.#state.alignment };
  }

  /** Deals with what begins at a special character; gives the characters that it took. */
  #special(at: number): number {
    const first = this.#text[at];
    const ahead = this.#text.slice(at + 1, at + 1 + TAG_CHARS);
    const taken =
      first === "<" ? this.#angle(ahead) : first === "{" ? this.#brace(ahead) : this.#reference(ahead);
    if (taken > 0) return taken + 1;
    this.#push(first ?? "");
    return 1;
  }

  #angle(ahead: string): number {
    const end = ahead.indexOf(">");
    const tag = ahead.slice(0, Math.max(0, end));
    if (end < 0 || !this.#tag.test(tag)) return 0;
    const name = /^\/?([a-z]*)/i.exec(tag)?.[1]?.toLowerCase() ?? "";
    if (name === "br") this.#push("\n");
    else this.#state = { ...this.#state, style: styled(this.#state.style, name, !tag.startsWith("/")) };
    return end + 1;
  }

  #brace(ahead: string): number {
    const end = ahead.indexOf("}");
    const tags = ahead.slice(0, Math.max(0, end));
    if (end < 0) return 0;
    if (tags.startsWith("\\")) this.#state = overridden(this.#state, tags, PLAIN);
    else if (!MICRODVD_CODE.test(tags)) return 0;
    return end + 1;
  }

  #reference(ahead: string): number {
    const match = /^(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/i.exec(ahead);
    if (match === null) return 0;
    const [whole, decimal, hex, name] = match;
    const char = name === undefined ? charOf(decimal ?? "", hex) : REFERENCES[name.toLowerCase()];
    if (char === undefined) return 0;
    this.#push(char);
    return whole.length;
  }

  #push(text: string): void {
    if (text !== "" && !this.#state.isDrawing) this.#runs.push({ ...this.#state.style, text });
  }
}

function styled(style: TextStyle, name: string, isOn: boolean): TextStyle {
  switch (name) {
    case "i":
    case "em":
      return { ...style, isItalic: isOn };
    case "b":
    case "strong":
      return { ...style, isBold: isOn };
    case "u":
      return { ...style, isUnderlined: isOn };
    default:
      return style;
  }
}

function charOf(decimal: string, hex: string | undefined): string | undefined {
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    ? String.fromCodePoint(code)
    : undefined;
}
