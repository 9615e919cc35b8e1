// What the words of a subtitle file's name say: language, forced, for the deaf; the rest is its title.

import { languageOfWord } from "./language-names.ts";

export interface NameFacts {
  /** BCP 47, or null. */
  readonly language: string | null;
  readonly isForced: boolean;
  readonly isSdh: boolean;
  /** Words that say none of this. */
  readonly left: readonly string[];
}

const FORCED = /^(?:forced|foreign|signs?|songs?|надписи|форсированные|форс|forcés?|forzados?|forcada)$/iu;
const SDH = /^(?:sdh|cc|hi|hoh)$/i;
const SUBTITLES =
  /^(?:subs?|subtitles?|subtitulos|subtítulos|untertitel|legendas?|napisy|titulky|srt|ass|ssa|vtt|full|полные|субтитры|сабы|суб|字幕)$/iu;
/** Codes this short are words of titles too ("It", "may"): they count at the ends of a name only. */
const SHORT_CHARS = 3;

export function wordsOf(name: string): string[] {
  return name.split(/[\s._\-–—()[\]{}+,&]+/u).filter((word) => word !== "");
}

export function isSubtitlesWord(word: string): boolean {
  return SUBTITLES.test(word);
}

/** Of several languages the last counts; "hi" is Hindi only where no other is named. */
export function factsOf(words: readonly string[]): NameFacts {
  const telling = joinedVariants(words).filter((word) => !/^\d+$/.test(word) && !SUBTITLES.test(word));
  const named = telling.filter((word) => !FORCED.test(word));
  const found = named.filter((word, i) =>
    isLanguage(word, i === 0 || i === named.length - 1 || isFlagTail(named, i)),
  );
  const languages = found.length > 1 ? found.filter((word) => !SDH.test(word)) : found;
  const last = languages.at(-1);
  return {
    language: last === undefined ? null : languageOfWord(last),
    isForced: telling.length > named.length,
    isSdh: named.some((word) => SDH.test(word) && !languages.includes(word)),
    left: named.filter((word) => !languages.includes(word) && !SDH.test(word)),
  };
}

function isLanguage(word: string, isAtEnd: boolean): boolean {
  return (isAtEnd || word.length > SHORT_CHARS) && languageOfWord(word) !== null;
}

/** Nothing but flags follows: ".en.sdh". */
function isFlagTail(words: readonly string[], at: number): boolean {
  return words.slice(at + 1).every((word) => SDH.test(word));
}

/** "pt", "BR" → "pt-BR". */
function joinedVariants(words: readonly string[]): string[] {
  const out: string[] = [];
  for (const word of words) {
    const joined = `${out.at(-1) ?? ""}-${word}`;
    if (out.length > 0 && languageOfWord(joined) !== null) out[out.length - 1] = joined;
    else out.push(word);
  }
  return out;
}
