const MAGNET = /^magnet:\?/i;
const HASH = /^(?:[0-9a-f]{40}|[a-z2-7]{32})$/i;
const URL_PATTERN = /^https?:\/\/\S+$/i;

export type Addable =
  | { readonly kind: "magnet"; readonly magnet: string }
  | { readonly kind: "url"; readonly url: string };

/** What each line of pasted text can be added as; lines that are nothing are left out. */
export function addablesOf(text: string): Addable[] {
  const found: Addable[] = [];
  for (const line of text.split(/\s*\n\s*/)) {
    const trimmed = line.trim();
    if (MAGNET.test(trimmed)) found.push({ kind: "magnet", magnet: trimmed });
    else if (HASH.test(trimmed)) found.push({ kind: "magnet", magnet: `magnet:?xt=urn:btih:${trimmed}` });
    else if (URL_PATTERN.test(trimmed)) found.push({ kind: "url", url: trimmed });
  }
  return found;
}
