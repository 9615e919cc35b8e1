// Attribute lists of playlist tags (RFC 8216 §4.2). Titles come from strangers: whatever is in them stays inside one
// quoted string on one line.

export type AttributeValue = string | null;

const TEXT_CHARS_MAX = 200;

/** "A=1,B=\"x\"": what is null is left out. */
export function attributeList(attributes: Readonly<Record<string, AttributeValue>>): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");
}

/** A quoted string; null for text of which nothing is left. */
export function quoted(text: string | null): AttributeValue {
  const clean = text === null ? "" : oneLine(text);
  return clean === "" ? null : `"${clean}"`;
}

/**
 * Text that ends neither its string nor its line. A quotation mark has no escape in a playlist, some parsers take an
 * apostrophe for one as well, and hls.js gives up a playlist that refers to a variable ("{$x}") which is not defined.
 */
export function oneLine(text: string): string {
  const flat = text
    .toWellFormed()
    .replaceAll('"', "\u201d")
    .replaceAll("'", "\u2019")
    .replace(/\{\$+/g, "{")
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim();
  return [...flat].slice(0, TEXT_CHARS_MAX).join("").trim();
}

export function yesNo(isSo: boolean): string {
  return isSo ? "YES" : "NO";
}

/** A whole number above 0 as text, else null. */
export function decimal(value: number): AttributeValue {
  return Number.isSafeInteger(value) && value > 0 ? String(value) : null;
}
