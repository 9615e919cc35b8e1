// Advanced SubStation Alpha and its forerunner SSA: Dialogue lines with the fields that their Format line names; of the
// styles bold, italics, underline and alignment. Drawings and comments are no text.

import {
  type Alignment,
  keypadAlignment,
  legacyAlignment,
  NO_OVERRIDES,
  type OverrideState,
  overridden,
  settingsOf,
} from "./ass-override.ts";
import type { Cue } from "./cue.ts";
import { cueTextOf, PLAIN, type TextRun, type TextStyle } from "./cue-text.ts";
import { type LineParser, linesOf, parseAtOnce } from "./line-parser.ts";
import { readTime } from "./timestamp.ts";

interface AssStyle {
  readonly look: TextStyle;
  readonly alignment: Alignment | null;
}

const UNKNOWN_STYLE: AssStyle = { look: PLAIN, alignment: null };
const STYLES_MAX = 10_000;
const EVENT_FORMAT = fieldsOf("Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text");
/** What a Matroska block holds: the times are the block's own. */
const BLOCK_FORMAT = fieldsOf("ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text");
const STYLE_FORMAT = fieldsOf(
  "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, " +
    "StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding",
);

export function parseAss(text: string): Cue[] {
  return parseAtOnce(text, new AssScript());
}

/** Reads a script line by line; from its head alone (CodecPrivate) it can also read the blocks of a Matroska track. */
export class AssScript implements LineParser {
  #section = "";
  #eventFormat = EVENT_FORMAT;
  #styleFormat = STYLE_FORMAT;
  readonly #styles = new Map<string, AssStyle>();

  static withHead(text: string): AssScript {
    const script = new AssScript();
    for (const line of linesOf(text)) script.read(line);
    return script;
  }

  /** The cue of a Dialogue line; null for every other line. */
  read(line: string): Cue | null {
    const text = line.trimStart();
    if (text.startsWith("[")) this.#section = text.trim().toLowerCase();
    const colon = text.indexOf(":");
    if (colon < 0 || colon > 20) return null;
    const value = text.slice(colon + 1);
    switch (text.slice(0, colon).toLowerCase()) {
      case "format":
        this.#readFormat(value);
        return null;
      case "style":
        this.#readStyle(value);
        return null;
      case "dialogue":
        return this.#event(value);
      default:
        return null;
    }
  }

  /** Every line stands for itself. */
  end(): null {
    return null;
  }

  /** A block of a track; null where it is no event or shows nothing. */
  block(text: string, times: { startSec: number; endSec: number }): Cue | null {
    return this.#cue(splitFields(text, BLOCK_FORMAT), times);
  }

  #readFormat(value: string): void {
    if (this.#section.includes("style")) this.#styleFormat = fieldsOf(value);
    else if (this.#section.includes("event")) this.#eventFormat = fieldsOf(value);
  }

  #readStyle(value: string): void {
    if (this.#styles.size >= STYLES_MAX) return;
    const fields = splitFields(value, this.#styleFormat);
    const alignment = Number(fields.get("alignment") ?? "");
    const isLegacy = !this.#section.includes("v4+");
    this.#styles.set(styleKey(fields.get("name")), {
      look: {
        isBold: isSet(fields.get("bold")),
        isItalic: isSet(fields.get("italic")),
        isUnderlined: isSet(fields.get("underline")),
      },
      alignment: isLegacy ? legacyAlignment(alignment) : keypadAlignment(alignment),
    });
  }

  #event(value: string): Cue | null {
    const fields = splitFields(value, this.#eventFormat);
    const start = readTime(fields.get("start") ?? "", 0);
    const end = readTime(fields.get("end") ?? "", 0);
    if (start === null) return null;
    return this.#cue(fields, { startSec: start.sec, endSec: end?.sec ?? start.sec });
  }

  #cue(fields: ReadonlyMap<string, string>, times: { startSec: number; endSec: number }): Cue | null {
    const style = this.#styles.get(styleKey(fields.get("style"))) ?? UNKNOWN_STYLE;
    const { runs, alignment } = assRuns(fields.get("text") ?? "", style.look);
    const text = cueTextOf(runs);
    if (text === "") return null;
    return {
      startSec: times.startSec,
      endSec: times.endSec,
      text,
      settings: settingsOf(alignment ?? style.alignment),
    };
  }
}

function assRuns(text: string, base: TextStyle): { runs: TextRun[]; alignment: Alignment | null } {
  const runs: TextRun[] = [];
  let state: OverrideState = { ...NO_OVERRIDES, style: base };
  let at = 0;
  while (at < text.length) {
    const brace = text.indexOf("{", at);
    const end = brace < 0 ? -1 : text.indexOf("}", brace);
    const until = end < 0 ? text.length : brace;
    if (!state.isDrawing && until > at)
      runs.push({ ...state.style, text: withBreaks(text.slice(at, until)) });
    if (end < 0) break;
    state = overridden(state, text.slice(brace + 1, end), base);
    at = end + 1;
  }
  return { runs, alignment: state.alignment };
}

function withBreaks(text: string): string {
  return text.replace(/\\[Nnh]/g, (code) => (code === "\\N" ? "\n" : code === "\\n" ? " " : "\u00a0"));
}

function fieldsOf(format: string): readonly string[] {
  return format.split(",", 64).map((name) => name.trim().toLowerCase());
}

/** The last field takes what is left, commas and all. */
function splitFields(value: string, names: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let at = 0;
  for (const [i, name] of names.entries()) {
    const comma = i === names.length - 1 ? -1 : value.indexOf(",", at);
    const end = comma < 0 ? value.length : comma;
    const field = value.slice(at, end);
    fields.set(name, name === "text" ? field : field.trim());
    at = end + 1;
    if (at > value.length) break;
  }
  return fields;
}

function styleKey(name: string | undefined): string {
  return (name ?? "").replace(/^\*+/, "").toLowerCase();
}

/** −1 is how ASS writes yes. */
function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && Number(value) !== 0;
}
