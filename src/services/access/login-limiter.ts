// How often a login may fail: a bucket per client address and one for all. A try is paid before it is checked, so
// that a thousand at once cannot slip through, and paid back when it was right.

import type { Clock } from "../../base/clock.ts";
import { TokenBucket } from "../../base/token-bucket.ts";

const ADDRESS = { ratePerSec: 1 / 6, burst: 10 };
const GLOBAL = { ratePerSec: 2, burst: 60 };
const ADDRESSES_KEPT = 4_096;
/** What a login that is known to be wrong cannot use up: a device with an old password tries for ever. */
const KEPT_FOR_NEW = 2;

export interface LoginLimiter {
  /** null when the try may go on, else the seconds until one may. One that was wrong before leaves some to others. */
  tryTake(clientAddress: string, wasWrong?: boolean): number | null;
  giveBack(clientAddress: string): void;
}

export function createLoginLimiter(clock: Clock): LoginLimiter {
  const global = new TokenBucket({ ...GLOBAL, nowMs: clock.nowMs() });
  // In order of last use: the first is forgotten when there are too many.
  const perAddress = new Map<string, TokenBucket>();

  function bucketOf(clientAddress: string): TokenBucket {
    const key = subnetOf(clientAddress);
    const bucket = perAddress.get(key) ?? new TokenBucket({ ...ADDRESS, nowMs: clock.nowMs() });
    perAddress.delete(key);
    perAddress.set(key, bucket);
    if (perAddress.size > ADDRESSES_KEPT) {
      for (const oldest of perAddress.keys()) {
        perAddress.delete(oldest);
        break;
      }
    }
    return bucket;
  }

  return {
    tryTake(clientAddress, wasWrong = false) {
      const nowMs = clock.nowMs();
      const bucket = bucketOf(clientAddress);
      const own = bucket.available(nowMs) - (wasWrong ? KEPT_FOR_NEW : 0);
      if (own < 1) return (1 - own) / ADDRESS.ratePerSec;
      const shared = global.available(nowMs);
      if (shared < 1) return (1 - shared) / GLOBAL.ratePerSec;
      bucket.take(1);
      global.take(1);
      return null;
    },
    giveBack(clientAddress) {
      bucketOf(clientAddress).take(-1);
      global.take(-1);
    },
  };
}

/** An IPv6 client has a whole /64 to try from: that counts as one address. */
function subnetOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? 0 : tail.split(":").length;
    while (groups.length < 8 - rest) groups.push("0");
  }
  return `${groups.slice(0, 4).join(":")}::/64`;
}
