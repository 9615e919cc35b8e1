// When the next announce goes: pure sums over what the tracker said and how often it failed.

import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";

const LIMIT = LIMITS.tracker;

/** Announces of many torrents that began together drift apart by this share of the interval. */
const SPREAD = 0.05;

/** Milliseconds until the regular next announce; never before the tracker's interval. */
export function regularDelayMs(
  reply: { readonly intervalSec: number; readonly minIntervalSec: number },
  random: Random,
): number {
  const sec = Math.max(reply.intervalSec, reply.minIntervalSec, LIMIT.announceMinSec);
  return Math.min(LIMIT.intervalMaxSec, sec * (1 + SPREAD * random.next())) * 1000;
}

/** Milliseconds to leave a tracker alone after its n-th failure in a row (n ≥ 1): 5·2^n s ± a quarter, ≤ 1 h. */
export function backoffMs(failCount: number, random: Random): number {
  const sec = LIMIT.backoffFirstSec * 2 ** Math.min(failCount - 1, 20);
  return Math.min(LIMIT.backoffMaxSec, sec * (0.75 + 0.5 * random.next())) * 1000;
}
