// What the samples of an embedded text track hold, as cues: SubRip, ASS, WebVTT in Matroska, timed text in MP4.

import { inflateSync } from "node:zlib";
import { LIMITS } from "../../base/limits.ts";
import type { Cue } from "./cue.ts";
import { cueTextOf, type TextRun } from "./cue-text.ts";
import { markedEncoding } from "./decode-text.ts";
import { AssScript } from "./parse-ass.ts";
import { srtCue } from "./parse-srt.ts";
import { vttCue } from "./parse-vtt.ts";

export interface CueTimes {
  readonly startSec: number;
  readonly endSec: number;
}

/** A sample of a track: its bytes and, where the container has any, what stands beside them. */
export interface TextSample extends CueTimes {
  readonly payload: Uint8Array;
  /** Matroska's BlockAdditional: of WebVTT the settings. */
  readonly addition: Uint8Array | null;
}

/** Null for a sample that shows nothing. */
export type SampleDecoder = (sample: TextSample) => Cue | null;

/** Null for a codec that is no text, or none that we read. `codecPrivate` as in Matroska. */
export function matroskaDecoder(codecId: string, codecPrivate: Uint8Array | null): SampleDecoder | null {
  switch (codecId) {
    case "S_TEXT/UTF8":
    case "S_TEXT/ASCII":
      return ({ payload, ...times }) => srtCue(times, textOf(payload));
    case "S_TEXT/ASS":
    case "S_TEXT/SSA":
    case "S_ASS":
    case "S_SSA":
      return assDecoder(codecPrivate);
    case "S_TEXT/WEBVTT":
      return ({ payload, addition, ...times }) => vttCue(times, textOf(payload), firstLine(addition));
    case "D_WEBVTT/SUBTITLES":
    case "D_WEBVTT/CAPTIONS":
    case "D_WEBVTT/DESCRIPTIONS":
    case "D_WEBVTT/METADATA":
      return webmCue;
    default:
      return null;
  }
}

function assDecoder(codecPrivate: Uint8Array | null): SampleDecoder {
  const script = AssScript.withHead(codecPrivate === null ? "" : textOf(codecPrivate));
  return ({ payload, ...times }) => script.block(textOf(payload), times);
}

/** WebM: identifier, settings and text, each from a line of its own. */
function webmCue({ payload, ...times }: TextSample): Cue {
  const [, settings = "", ...lines] = textOf(payload).split(/\r\n?|\n/);
  return vttCue(times, lines.join("\n"), settings);
}

/** tx3g and QuickTime's text (3GPP TS 26.245 §5.17): length, text, boxes of which `styl` is read. */
export function timedTextCue({ payload, ...times }: TextSample): Cue | null {
  if (payload.length < 2) return null;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const end = Math.min(payload.length, 2 + view.getUint16(0));
  const chars = [...textOf(payload.subarray(2, end))];
  if (chars.length === 0) return null;
  const runs = styledRuns(chars, stylesOf(view, end));
  return { ...times, text: cueTextOf(runs), settings: null };
}

interface StyleSpan {
  readonly start: number;
  readonly end: number;
  readonly face: number;
}

function stylesOf(view: DataView, at: number): StyleSpan[] {
  const spans: StyleSpan[] = [];
  for (let start = at; start + 8 <= view.byteLength; ) {
    const size = view.getUint32(start);
    if (size < 8 || start + size > view.byteLength) break;
    if (view.getUint32(start + 4) === 0x7374796c && size >= 10) {
      const count = Math.min(view.getUint16(start + 8), Math.floor((size - 10) / 12));
      for (let i = 0; i < count; i++) {
        const entry = start + 10 + 12 * i;
        spans.push({
          start: view.getUint16(entry),
          end: view.getUint16(entry + 2),
          face: view.getUint8(entry + 6),
        });
      }
    }
    start += size;
  }
  return spans;
}

/** Spans do not overlap and come in order; what a file says otherwise is passed over. */
function styledRuns(chars: readonly string[], spans: readonly StyleSpan[]): TextRun[] {
  const runs: TextRun[] = [];
  let at = 0;
  const push = (end: number, face: number) => {
    const text = chars.slice(at, end).join("");
    runs.push({ text, isBold: (face & 1) > 0, isItalic: (face & 2) > 0, isUnderlined: (face & 4) > 0 });
    at = Math.max(at, Math.min(end, chars.length));
  };
  for (const { start, end, face } of spans) {
    if (start < at || end <= start || start >= chars.length) continue;
    push(start, 0);
    push(end, face);
  }
  push(chars.length, 0);
  return runs;
}

/** Tracks are UTF-8 by their specifications, timed text also UTF-16 with a mark; nothing is guessed line by line. */
function textOf(bytes: Uint8Array): string {
  const encoding = markedEncoding(bytes) ?? "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}

function firstLine(addition: Uint8Array | null): string {
  return addition === null ? "" : (textOf(addition).split(/\r\n?|\n/, 1)[0] ?? "");
}

/** How a Matroska track packs its blocks (RFC 9559 §5.1.4.1.31). */
export type BlockPacking =
  | { readonly kind: "plain" }
  | { readonly kind: "zlib" }
  | { readonly kind: "header_stripped"; readonly header: Uint8Array }
  | { readonly kind: "unknown" };

/** Null where the block cannot be unpacked. */
export function unpacked(payload: Uint8Array, packing: BlockPacking): Uint8Array | null {
  switch (packing.kind) {
    case "plain":
      return payload;
    case "header_stripped":
      return new Uint8Array(Buffer.concat([packing.header, payload]));
    case "zlib":
      return inflated(payload);
    case "unknown":
      return null;
  }
}

function inflated(payload: Uint8Array): Uint8Array | null {
  try {
    return inflateSync(payload, { maxOutputLength: LIMITS.subtitles.sampleBytes });
  } catch {
    // A damaged or oversized block is one cue less.
    return null;
  }
}
