// Which of the encodings from before UTF-8 a text is in. Naive Bayes: for every language and each of its encodings, how
// likely are these bytes, judged by the characters beyond ASCII that they would be. The most likely wins.

import { type EncodingModel, encodingModels } from "./encoding-models.ts";
import type { LegacyEncoding } from "./encoding-profiles.ts";

/** What a file's name says of its language is right far more often than not; this much evidence outweighs it. */
const NAMED_WORTH = 8;
/** More text than this changes no guess. */
const SCORED_CHARS = 20_000;

/** `language` is what is known of the text from elsewhere (BCP 47). */
export function guessEncoding(bytes: Uint8Array, language: string | null): LegacyEncoding {
  const lines = linesBeyondAscii(bytes);
  const base = language?.split("-")[0];
  const texts = new Map<LegacyEncoding, string>();
  let best: LegacyEncoding = "windows-1252";
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const model of encodingModels()) {
    const text = texts.get(model.encoding) ?? decoded(lines, model.encoding);
    texts.set(model.encoding, text);
    const score = model.score(text) + namedWorth(model, base);
    if (score > bestScore) {
      best = model.encoding;
      bestScore = score;
    }
  }
  return best;
}

function namedWorth(model: EncodingModel, language: string | undefined): number {
  return language !== undefined && model.languages.includes(language) ? NAMED_WORTH : 0;
}

function decoded(bytes: Uint8Array, encoding: LegacyEncoding): string {
  return new TextDecoder(encoding).decode(bytes);
}

/** Times, numbers and English say nothing. */
function linesBeyondAscii(bytes: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [];
  let length = 0;
  for (let at = 0; at < bytes.length && length < SCORED_CHARS; ) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line = bytes.subarray(at, end);
    if (line.some((byte) => byte > 0x7f)) length += kept.push(line) && line.length;
    at = end;
  }
  return new Uint8Array(Buffer.concat(kept).subarray(0, SCORED_CHARS));
}
