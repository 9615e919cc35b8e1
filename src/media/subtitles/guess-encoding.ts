// Which of the encodings from before UTF-8 a text is in. Naive Bayes: for every language and each of its encodings, how
// likely are these bytes, judged by the characters beyond ASCII that they would be. The most likely wins.

import { type EncodingModel, encodingModels } from "./encoding-models.ts";
import type { LegacyEncoding } from "./encoding-profiles.ts";

/** What a file's name says of its language is right far more often than not; this much evidence outweighs it. */
const NAMED_WORTH = 8;
/** More text than this changes no guess. */
const SCORED_BYTES = 4_000;

/** `language` is what is known of the text from elsewhere (BCP 47). */
export function guessEncoding(bytes: Uint8Array, language: string | null): LegacyEncoding {
  const lines = tellingLines(bytes);
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

/** Times, numbers and English say nothing; of many lines as many as are scored are taken from all over the text. */
function tellingLines(bytes: Uint8Array): Uint8Array {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    const line = bytes.subarray(at, end);
    if (line.some((byte) => byte > 0x7f)) lines.push(line);
    at = end;
  }
  const lengthBytes = lines.reduce((sum, line) => sum + line.length, 0);
  const every = Math.ceil(lengthBytes / SCORED_BYTES);
  const taken = lines.filter((_, i) => i % every === 0);
  return new Uint8Array(Buffer.concat(taken).subarray(0, SCORED_BYTES));
}
