// Languages of tracks as BCP 47. Containers say ISO 639-2, where twenty languages have a second, bibliographic code
// that Intl does not know.

const BIBLIOGRAPHIC: Readonly<Record<string, string>> = {
  alb: "sq",
  arm: "hy",
  baq: "eu",
  bur: "my",
  chi: "zh",
  cze: "cs",
  dut: "nl",
  fre: "fr",
  geo: "ka",
  ger: "de",
  gre: "el",
  ice: "is",
  mac: "mk",
  mao: "mi",
  may: "ms",
  per: "fa",
  rum: "ro",
  slo: "sk",
  tib: "bo",
  wel: "cy",
};
/** Undetermined, several, none, not coded; qaa … qtz are for private use. */
const NO_LANGUAGE = /^(und|mul|zxx|mis|q[a-t][a-z])(-|$)/;
const TAG = /^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$/i;

/** "eng" → "en", "fre" and "fra" → "fr", "pt-br" → "pt-BR"; null for what names no language. */
export function languageOf(tag: string): string | null {
  const plain = tag.trim().replaceAll("_", "-");
  if (!TAG.test(plain)) return null;
  const [first = "", ...rest] = plain.toLowerCase().split("-");
  const known = [BIBLIOGRAPHIC[first] ?? first, ...rest].join("-");
  return NO_LANGUAGE.test(known) ? null : canonical(known);
}

function canonical(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch (error) {
    // Looks like a tag and is none, as "en-12".
    if (error instanceof RangeError) return null;
    throw error;
  }
}
