// Announce URLs as torrents and magnets carry them: syntax only. Where they may lead is decided when they are used.

import { LIMITS } from "../base/limits.ts";

const PROTOCOLS: ReadonlySet<string> = new Set(["http:", "https:", "udp:"]);
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const WHITESPACE_OR_CONTROL = /[\u0000-\u0020\u007f]/u;

/** The URL, unchanged but for space around it, or null where no tracker can be meant by it. */
export function tryTrackerUrl(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed.length > LIMITS.metainfo.trackerUrlChars || !trimmed.isWellFormed()) return null;
  if (WHITESPACE_OR_CONTROL.test(trimmed)) return null;
  const url = URL.parse(trimmed);
  if (url === null || !PROTOCOLS.has(url.protocol) || url.hostname === "") return null;
  if (url.protocol === "udp:" && (url.port === "" || url.port === "0")) return null;
  return trimmed;
}

/** Tiers without what is no tracker, without repetitions, without empty tiers, at most LIMITS.metainfo.trackers. */
export function checkedTiers(tiers: readonly (readonly string[])[]): string[][] {
  const seen = new Set<string>();
  const checked: string[][] = [];
  for (const tier of tiers) {
    const kept: string[] = [];
    for (const text of tier) {
      if (seen.size >= LIMITS.metainfo.trackers) break;
      const url = tryTrackerUrl(text);
      if (url === null || seen.has(url)) continue;
      seen.add(url);
      kept.push(url);
    }
    if (kept.length > 0) checked.push(kept);
  }
  return checked;
}
