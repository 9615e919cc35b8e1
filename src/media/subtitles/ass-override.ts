// Override tags of Advanced SubStation Alpha, {\i1\an8}: they stand in .ass files and, copied by hand, in .srt files.
// Kept are bold, italics, underline and the place on the screen; colours, moves, karaoke and clips have no WebVTT.

import { PLAIN, type TextStyle } from "./cue-text.ts";

/** As on a numeric keypad: 1 bottom left … 5 centre … 9 top right. */
export type Alignment = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

export interface OverrideState {
  readonly style: TextStyle;
  readonly alignment: Alignment | null;
  /** What follows is a drawing, not text. */
  readonly isDrawing: boolean;
}

export const NO_OVERRIDES: OverrideState = { style: PLAIN, alignment: null, isDrawing: false };

/** The state behind one block of tags (without its braces); `base` is what \r goes back to. */
export function overridden(state: OverrideState, tags: string, base: TextStyle): OverrideState {
  let next = state;
  for (const tag of tags.split("\\").slice(1)) next = withTag(next, tag.trim(), base);
  return next;
}

function withTag(state: OverrideState, tag: string, base: TextStyle): OverrideState {
  const match = /^([biupr]|an?)(\d{0,3})$/.exec(tag);
  // \rStyle goes to another style of the script; it is read as going back to the line's own.
  if (match === null) return /^r\w/.test(tag) ? { ...state, style: base } : state;
  const [, name, digits = ""] = match;
  const { style } = state;
  switch (name) {
    case "b":
      return { ...state, style: { ...style, isBold: isOn(digits, base.isBold) } };
    case "i":
      return { ...state, style: { ...style, isItalic: isOn(digits, base.isItalic) } };
    case "u":
      return { ...state, style: { ...style, isUnderlined: isOn(digits, base.isUnderlined) } };
    case "p":
      return { ...state, isDrawing: Number(digits) > 0 };
    case "r":
      return { ...state, style: base };
    default:
      return state.alignment === null ? { ...state, alignment: alignmentOf(name, digits) } : state;
  }
}

/** Bold may be told as a weight: 100–900. */
function isOn(digits: string, base: boolean): boolean {
  if (digits === "") return base;
  const value = Number(digits);
  return value === 1 || value >= 600;
}

function alignmentOf(name: string | undefined, digits: string): Alignment | null {
  return name === "a" ? legacyAlignment(Number(digits)) : keypadAlignment(Number(digits));
}

export function keypadAlignment(value: number): Alignment | null {
  return Number.isInteger(value) && value >= 1 && value <= 9 ? (value as Alignment) : null;
}

/** SSA's numbering: 1–3 bottom, 5–7 top, 9–11 middle, each left, centre, right. */
export function legacyAlignment(value: number): Alignment | null {
  const column = value & 3;
  if (!Number.isInteger(value) || value < 1 || value > 11 || column === 0) return null;
  const row = value >> 2;
  return (column + (row === 0 ? 0 : row === 1 ? 6 : 3)) as Alignment;
}

/** WebVTT settings for a place; null for the usual one, bottom centre. */
export function settingsOf(alignment: Alignment | null): string | null {
  if (alignment === null || alignment === 2) return null;
  const column = (alignment - 1) % 3;
  const row = Math.floor((alignment - 1) / 3);
  const line = row === 2 ? "line:0" : row === 1 ? "line:50%" : "";
  const align = column === 0 ? "align:left" : column === 2 ? "align:right" : "";
  return [line, align].filter((part) => part !== "").join(" ");
}
