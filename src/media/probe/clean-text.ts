// Text that a file carries, made fit to be shown and stored. What a track is called is written by whoever made the
// torrent.

/** Control characters, line separators, marks that turn the direction of the text around, private and unassigned. */
const UNFIT = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\p{Co}\p{Cn}]+/gu;

/** At most `charsMax` characters, on one line; null when nothing is left. */
export function cleanText(text: string, charsMax: number): string | null {
  const start = text.slice(0, charsMax * 8).toWellFormed();
  const clean = start.replace(UNFIT, " ").replace(/\s+/gu, " ").trim();
  const cut = [...clean].slice(0, charsMax).join("").trim();
  return cut === "" ? null : cut;
}
