// Bytes of a subtitle file to text: a byte-order mark is believed, then UTF-16 by its zeros, then UTF-8 by its form, and
// only then is an old encoding guessed. TextDecoder does the decoding, so that every byte becomes something.

import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { LegacyEncoding } from "./encoding-profiles.ts";
import { guessEncoding } from "./guess-encoding.ts";

export type TextEncoding = "utf-8" | "utf-16le" | "utf-16be" | LegacyEncoding;

export interface DecodedText {
  readonly text: string;
  readonly encoding: TextEncoding;
}

/** How much of a file is looked at for guesses. */
const SAMPLE_BYTES = 256 * 1024;
/** UTF-8 with a few damaged letters is still UTF-8. */
const DAMAGED_SHARE = 0.05;

/**
 * `language` (BCP 47, from the file's name) tips the scales where the bytes leave a choice. Throws
 * TorrxError("too_large") beyond LIMITS.subtitles.fileBytes.
 */
export function decodeText(bytes: Uint8Array, language: string | null = null): DecodedText {
  if (bytes.length > LIMITS.subtitles.fileBytes)
    throw new TorrxError("too_large", "The subtitle file is larger than 16 MiB.");
  const encoding = encodingOf(bytes, language);
  return { text: new TextDecoder(encoding).decode(bytes), encoding };
}

function encodingOf(bytes: Uint8Array, language: string | null): TextEncoding {
  return (
    markedEncoding(bytes) ??
    utf16ByZeros(bytes) ??
    (isUtf8(bytes) ? "utf-8" : guessEncoding(sampleOf(bytes), language))
  );
}

/** What a byte-order mark says; null where there is none. */
export function markedEncoding(bytes: Uint8Array): TextEncoding | null {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return null;
}

/** Times, digits and line ends are ASCII in every language: half of their bytes is 0, all on one side. */
function utf16ByZeros(bytes: Uint8Array): TextEncoding | null {
  const length = Math.min(bytes.length & ~1, 4_096);
  const zeros = [0, 0];
  for (let i = 0; i < length; i++) if (bytes[i] === 0) zeros[i & 1] = (zeros[i & 1] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const many = length * 0.15;
  if (odd > many && even < odd / 8) return "utf-16le";
  if (even > many && odd < even / 8) return "utf-16be";
  return null;
}

function isUtf8(bytes: Uint8Array): boolean {
  let good = 0;
  let bad = 0;
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i] ?? 0;
    const length = lead < 0x80 ? 1 : sequenceLength(bytes, i);
    if (length > 1) good++;
    if (length === 0) bad++;
    i += Math.max(1, length);
  }
  return bad === 0 || bad <= good * DAMAGED_SHARE;
}

/** Bytes of the sequence that begins at a byte above 0x7f; 0 where it is none. What the end cuts off counts as whole. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  const length =
    lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  for (let i = 1; i < length && at + i < bytes.length; i++)
    if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** From the start and from the middle: credits at the top are often in another language than the film. */
function sampleOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= SAMPLE_BYTES) return bytes;
  const half = SAMPLE_BYTES / 2;
  const middle = Math.floor(bytes.length / 2);
  return new Uint8Array(Buffer.concat([bytes.subarray(0, half), bytes.subarray(middle, middle + half)]));
}
