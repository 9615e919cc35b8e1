// Accept of RFC 9110 §12.5.1: does it let an HLS playlist through? The most specific range that fits decides; q=0
// means "not this".

const PLAYLIST_TYPES = new Set([
  "application/vnd.apple.mpegurl",
  "application/x-mpegurl",
  "application/mpegurl",
  "audio/mpegurl",
  "audio/x-mpegurl",
]);
const HEADER_CHARS_MAX = 8_192;
const MEDIA_RANGE = /^([!#$%&'*+.^_`|~0-9a-z-]+)\/([!#$%&'*+.^_`|~0-9a-z-]+)$/;
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** A missing header and one without a single valid range accept everything. */
export function acceptsPlaylist(accept: string | null): boolean {
  const ranges = (accept === null ? [] : elementsOf(accept.slice(0, HEADER_CHARS_MAX), ",")).flatMap(rangeOf);
  if (ranges.length === 0) return true;
  const fitting = ranges.filter((range) => range.specificity > 0);
  const most = Math.max(...fitting.map((range) => range.specificity));
  return fitting.some((range) => range.specificity === most && range.weight > 0);
}

interface MediaRange {
  /** 3 the type itself, 2 "application/*", 1 "*" + "/*", 0 something else. */
  readonly specificity: number;
  readonly weight: number;
}

function rangeOf(element: string): MediaRange[] {
  const [name = "", ...parameters] = elementsOf(element, ";").map((part) => part.trim().toLowerCase());
  const [, type, subtype] = MEDIA_RANGE.exec(name) ?? [];
  if (type === undefined || subtype === undefined || (type === "*" && subtype !== "*")) return [];
  const told = parameters.find((parameter) => /^q\s*=/.test(parameter));
  const weight = told?.replace(/^q\s*=\s*/, "") ?? "1";
  return WEIGHT.test(weight) ? [{ specificity: specificityOf(type, subtype), weight: Number(weight) }] : [];
}

function specificityOf(type: string, subtype: string): number {
  if (type === "*") return 1;
  if (subtype === "*") return type === "application" ? 2 : 0;
  return PLAYLIST_TYPES.has(`${type}/${subtype}`) ? 3 : 0;
}

/** Splits at the separator, but not inside quotes. */
function elementsOf(text: string, separator: "," | ";"): string[] {
  const elements: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\" && isQuoted) at++;
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === separator && !isQuoted) {
      elements.push(text.slice(start, at));
      start = at + 1;
    }
  }
  elements.push(text.slice(start));
  return elements;
}
