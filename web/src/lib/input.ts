const MAGNET = /^magnet:\?/i;
const HASH = /^(?:[0-9a-f]{40}|[a-z2-7]{32})$/i;
const URL_PATTERN = /^https?:\/\/[^\s/]\S*$/i;
const LABEL_CHARS = 60;

export type Addable =
  | { readonly kind: "magnet"; readonly magnet: string }
  | { readonly kind: "url"; readonly url: string };

export interface InputLine {
  readonly text: string;
  /** null: nothing that can be added. */
  readonly addable: Addable | null;
}

/** The lines of pasted text that are not blank; each line is one torrent. */
export function linesOf(text: string): InputLine[] {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => ({ text: line, addable: addableOf(line) }));
}

function addableOf(line: string): Addable | null {
  if (MAGNET.test(line)) return { kind: "magnet", magnet: line };
  if (HASH.test(line)) return { kind: "magnet", magnet: `magnet:?xt=urn:btih:${line}` };
  return URL_PATTERN.test(line) ? { kind: "url", url: line } : null;
}

/** A line in a message: its beginning, never in the middle of a character. */
export function shortened(text: string): string {
  const chars = Array.from(text.slice(0, 2 * (LABEL_CHARS + 1)));
  return chars.length <= LABEL_CHARS ? text : `${chars.slice(0, LABEL_CHARS).join("")}…`;
}
