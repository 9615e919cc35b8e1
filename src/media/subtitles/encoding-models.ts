// How likely a decoded text is, by language: the models that guess-encoding.ts compares. A score is the sum of the
// logarithms of what each character beyond ASCII is worth; only differences between scores mean something.

import {
  EAST_ASIAN_PROFILES,
  type EastAsianProfile,
  LANGUAGE_PROFILES,
  type LanguageProfile,
  type LegacyEncoding,
  TYPOGRAPHY,
} from "./encoding-profiles.ts";

export interface EncodingModel {
  readonly encoding: LegacyEncoding;
  readonly languages: readonly string[];
  score(text: string): number;
}

const LOG = {
  typography: Math.log(0.02),
  /** A character that the encoding has and the language has not. */
  foreign: Math.log(0.000_3),
  /** No character at all, or a control. */
  invalid: Math.log(0.000_001),
  capital: Math.log(0.08),
  capitalAfterCapital: Math.log(0.4),
  /** A capital behind a small letter: what KOI8-R and windows-1251 look like when taken for one another. */
  capitalInWord: Math.log(0.000_5),
  /** Letters of two alphabets in one word. */
  mixedWord: Math.log(0.01),
  kana: Math.log(1 / 60),
  punctuation: Math.log(1 / 40),
  fullWidth: Math.log(1 / 300),
  frequent: Math.log(1 / 400),
  hangul: Math.log(1 / 500),
  common: Math.log(1 / 6_000),
  rare: Math.log(0.000_001),
  rareLanguage: -4,
} as const;

/** How fast letters become rarer down a profile's list, as a share of its length. */
const DECAY = 0.35;

export function encodingModels(): EncodingModel[] {
  return [...LANGUAGE_PROFILES.flatMap(letterModels), ...EAST_ASIAN_PROFILES.map(eastAsianModel)];
}

function letterModels(profile: LanguageProfile): EncodingModel[] {
  const worth = letterWorths(profile.letters);
  const prior = profile.isRare === true ? LOG.rareLanguage : 0;
  const isLatin = /\p{Script=Latin}/u.test(profile.letters);
  return profile.encodings.map((encoding) => ({
    encoding,
    languages: profile.languages,
    score: (text) => prior + letterScore(text, worth, isLatin),
  }));
}

function letterWorths(letters: string): ReadonlyMap<string, number> {
  const list = [...letters];
  const weights = list.map((_, rank) => Math.exp(-rank / (list.length * DECAY)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return new Map(list.map((letter, rank) => [letter, Math.log((weights[rank] ?? 0) / sum)]));
}

function letterScore(text: string, worth: ReadonlyMap<string, number>, isLatin: boolean): number {
  let score = 0;
  let before = "";
  for (const char of text) {
    if (char > "\u007f") {
      score += isTypographic(char) ? LOG.typography : letterWorth(char, before, worth);
      if (!isLatin && isAsciiLetter(before) && worth.has(char.toLowerCase())) score += LOG.mixedWord;
    } else if (!isLatin && isAsciiLetter(char) && worth.has(before.toLowerCase())) {
      score += LOG.mixedWord;
    }
    before = char;
  }
  return score;
}

function letterWorth(char: string, before: string, worth: ReadonlyMap<string, number>): number {
  const plain = worth.get(char);
  if (plain !== undefined) return plain;
  if (isNoCharacter(char)) return LOG.invalid;
  const small = worth.get(char.toLowerCase());
  if (small === undefined) return LOG.foreign;
  if (isSmall(before)) return small + LOG.capitalInWord;
  return small + (isCapital(before) ? LOG.capitalAfterCapital : LOG.capital);
}

function eastAsianModel(profile: EastAsianProfile): EncodingModel {
  const common = commonChars(profile);
  const frequent = new Set(profile.frequent);
  const worthOf = (char: string): number => {
    if (isNoCharacter(char)) return LOG.invalid;
    if (frequent.has(char)) return LOG.frequent;
    if (/[\u3041-\u30ff]/.test(char)) return profile.hasKana ? LOG.kana : LOG.rare;
    if (/[\u3000-\u3020「-】…—“”‘’]/.test(char)) return LOG.punctuation;
    if (/[\uff01-\uff5e]/.test(char)) return LOG.fullWidth;
    if (!common.has(char)) return LOG.rare;
    return profile.isHangul ? LOG.hangul : LOG.common;
  };
  const score = (text: string): number => {
    let sum = 0;
    for (const char of text) if (char > "\u007f") sum += worthOf(char);
    return sum;
  };
  return { encoding: profile.encoding, languages: profile.languages, score };
}

/** The block of a character set that holds what is in daily use. */
function commonChars(profile: EastAsianProfile): ReadonlySet<string> {
  const [first, last] = profile.commonLeads;
  const pairs: number[] = [];
  for (let lead = first; lead <= last; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++) pairs.push(lead, trail, 0x0a);
  const text = new TextDecoder(profile.encoding).decode(new Uint8Array(pairs));
  return new Set([...text].filter((char) => char > "\u007f" && !isNoCharacter(char)));
}

function isTypographic(char: string): boolean {
  return TYPOGRAPHY.includes(char);
}

function isNoCharacter(char: string): boolean {
  return (
    (char >= "\u0080" && char <= "\u009f") || char === "\ufffd" || (char >= "\ue000" && char <= "\uf8ff")
  );
}

function isAsciiLetter(char: string): boolean {
  return (char >= "a" && char <= "z") || (char >= "A" && char <= "Z");
}

function isSmall(char: string): boolean {
  return char !== "" && char === char.toLowerCase() && char !== char.toUpperCase();
}

function isCapital(char: string): boolean {
  return char !== "" && char !== char.toLowerCase() && char === char.toUpperCase();
}
