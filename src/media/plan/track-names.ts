// What a native player shows in its menus of audio and subtitles: the title that the film's maker gave, else the
// language in that language's own words. Names of one group differ (RFC 8216 §4.3.4.1.1).

import { oneLine } from "./attributes.ts";

export interface NamedTrack {
  readonly title: string | null;
  /** BCP 47, or null. */
  readonly language: string | null;
}

/** Names for all tracks of a group, in their order; `fallback` for tracks of which nothing is known. */
export function namesOf(tracks: readonly NamedTrack[], fallback: string): string[] {
  const taken = new Set<string>();
  return tracks.map((track) => {
    const name = freeName(nameOf(track) ?? fallback, taken);
    taken.add(name);
    return name;
  });
}

/** The language tag when it is one, in its canonical case; else null. */
export function languageTag(language: string | null): string | null {
  if (language === null || !/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}$/.test(language)) return null;
  try {
    return Intl.getCanonicalLocales(language)[0] ?? null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function nameOf({ title, language }: NamedTrack): string | null {
  const told = title === null ? "" : oneLine(title);
  return told === "" ? ownNameOf(languageTag(language)) : told;
}

/** "русский" for "ru". Null for a language that is none: "und", "zxx". */
function ownNameOf(language: string | null): string | null {
  if (language === null || /^(?:und|zxx|mis|mul)$/.test(language)) return null;
  const name = new Intl.DisplayNames([language], { type: "language", fallback: "none" }).of(language);
  if (name === undefined) return language;
  const [first = "", ...rest] = oneLine(name);
  return first.toLocaleUpperCase(language) + rest.join("");
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name} (${number})`)) number++;
  return `${name} (${number})`;
}
