// Tracker lists of one torrent from two sources (BEP 12 tiers).

type Tiers = readonly (readonly string[])[];

/** `known` with what is new in `more` behind it, at most `max` in all; null where nothing is new. */
export function mergedTrackers(known: Tiers, more: Tiers, max: number): Tiers | null {
  const seen = new Set(known.flat());
  const added: string[][] = [];
  for (const tier of more) {
    const fresh = tier.filter((url) => !seen.has(url)).slice(0, Math.max(0, max - seen.size));
    for (const url of fresh) seen.add(url);
    if (fresh.length > 0) added.push(fresh);
  }
  return added.length === 0 ? null : [...known, ...added];
}
