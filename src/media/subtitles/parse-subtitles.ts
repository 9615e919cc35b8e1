// The bytes of a subtitle file to cues, whatever its format and encoding.

import type { Cue } from "./cue.ts";
import { decodeText } from "./decode-text.ts";
import { parseAss } from "./parse-ass.ts";
import { parseSrt } from "./parse-srt.ts";
import { parseVtt } from "./parse-vtt.ts";
import type { SubtitleFormat } from "./sidecar.ts";

/**
 * `format` is what the name says; contents that are plainly of another format win. Throws TorrxError("too_large").
 * What cannot be understood gives no cues.
 */
export function parseSubtitles(bytes: Uint8Array, format: SubtitleFormat, language: string | null): Cue[] {
  const { text } = decodeText(bytes, language);
  switch (formatOfText(text) ?? format) {
    case "vtt":
      return parseVtt(text);
    case "ass":
      return parseAss(text);
    case "srt":
      return parseSrt(text);
  }
}

function formatOfText(text: string): SubtitleFormat | null {
  const head = text.slice(0, 4_096).trimStart();
  if (/^WEBVTT(?:\s|$)/.test(head)) return "vtt";
  if (/^\[(?:Script Info|V4\+? Styles|Events)\]/i.test(head)) return "ass";
  return null;
}
