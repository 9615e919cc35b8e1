// The bytes of a subtitle file to cues, whatever its format and encoding.

import type { Cue } from "./cue.ts";
import { decodeText } from "./decode-text.ts";
import { type LineParser, parseInTurns } from "./line-parser.ts";
import { AssScript } from "./parse-ass.ts";
import { SrtParser } from "./parse-srt.ts";
import { VttParser } from "./parse-vtt.ts";
import type { SubtitleFormat } from "./sidecar.ts";

/**
 * `format` is what the name says; contents that are plainly of another format win. What cannot be understood gives no
 * cues. Rejects TorrxError("too_large").
 */
export async function parseSubtitles(
  bytes: Uint8Array,
  format: SubtitleFormat,
  language: string | null,
): Promise<Cue[]> {
  const { text } = decodeText(bytes, language);
  return await parseInTurns(text, parserOf(formatOfText(text) ?? format));
}

function parserOf(format: SubtitleFormat): LineParser {
  switch (format) {
    case "vtt":
      return new VttParser();
    case "ass":
      return new AssScript();
    case "srt":
      return new SrtParser();
  }
}

function formatOfText(text: string): SubtitleFormat | null {
  const head = text.slice(0, 4_096).trimStart();
  if (/^WEBVTT(?:\s|$)/.test(head)) return "vtt";
  if (/^\[(?:Script Info|V4\+? Styles|Events)\]/i.test(head)) return "ass";
  return null;
}
