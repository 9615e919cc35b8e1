// Which torrents may download now (PRODUCT §3.1): streams always, the rest by priority, then age, up to the limit.

import type { InfoHash } from "../base/brand.ts";
import type { PriorityName } from "./port.ts";

export interface QueueEntry {
  readonly id: InfoHash;
  /** Wants to download: has metadata, is not paused, not complete, not faulty. */
  readonly wantsDownload: boolean;
  readonly isStreamed: boolean;
  readonly priority: PriorityName;
  readonly addedAtMs: number;
}

const RANK: Readonly<Record<PriorityName, number>> = { high: 0, normal: 1, low: 2 };

/** The torrents that may download, streams included. Streams take places, so that they push others out first. */
export function chooseActive(entries: readonly QueueEntry[], maxActive: number): ReadonlySet<InfoHash> {
  const active = new Set<InfoHash>();
  for (const entry of entries) if (entry.isStreamed) active.add(entry.id);
  const waiting = entries
    .filter((entry) => entry.wantsDownload && !entry.isStreamed)
    .sort((a, b) => RANK[a.priority] - RANK[b.priority] || a.addedAtMs - b.addedAtMs);
  for (const entry of waiting) {
    if (active.size >= maxActive) break;
    active.add(entry.id);
  }
  return active;
}
