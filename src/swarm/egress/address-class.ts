// What kind of place an IP address is, by the IANA special-purpose registries (RFC 6890 and its updates). Whatever
// is not known to be a place that a stranger may name is forbidden.

import { mappedV4, parseIp } from "./ip-literal.ts";

/**
 * public: the internet. private: a LAN, a carrier's or a lab's network. loopback: this machine.
 * forbidden: never a partner of ours: link-local (cloud metadata services), multicast, broadcast, documentation …
 */
export type AddressClass = "public" | "private" | "loopback" | "forbidden";

interface Range<T> {
  readonly base: Uint8Array;
  readonly bits: number;
  /** What is so about the addresses in it. */
  readonly of: T;
}

const V4_RANGES = ranges<AddressClass>([
  ["0.0.0.0", 8, "forbidden"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "private"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "forbidden"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "forbidden"],
  ["192.0.2.0", 24, "forbidden"],
  ["192.88.99.0", 24, "forbidden"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "private"],
  ["198.51.100.0", 24, "forbidden"],
  ["203.0.113.0", 24, "forbidden"],
  ["224.0.0.0", 3, "forbidden"],
]);

/** First match wins; outside of these only 2000::/3 is public. */
const V6_RANGES = ranges<AddressClass>([
  ["::1", 128, "loopback"],
  ["2001::", 23, "forbidden"],
  ["2001:db8::", 32, "forbidden"],
  ["3fff::", 20, "forbidden"],
  ["2000::", 3, "public"],
  ["fc00::", 7, "private"],
]);

/** v6 prefixes that carry a v4 address, and at which byte. */
const V4_CARRIERS = ranges<number>([
  ["64:ff9b::", 96, 12],
  ["2002::", 16, 2],
]);

/** The class of a literal; anything that is no plain literal (a name, a zone id) is forbidden. */
export function classifyAddress(ip: string): AddressClass {
  const bytes = parseIp(ip);
  if (bytes === null) return "forbidden";
  const v4 = bytes.length === 4 ? bytes : mappedV4(bytes);
  return v4 === null ? classifyV6(bytes) : (rangeOf(V4_RANGES, v4) ?? "public");
}

function classifyV6(bytes: Uint8Array): AddressClass {
  const v4Offset = rangeOf(V4_CARRIERS, bytes);
  if (v4Offset === undefined) return rangeOf(V6_RANGES, bytes) ?? "forbidden";
  // A translator's private or loopback network is not ours to reach, so only public carried addresses count.
  const carried = rangeOf(V4_RANGES, bytes.subarray(v4Offset, v4Offset + 4)) ?? "public";
  return carried === "public" ? "public" : "forbidden";
}

/** What the first range that holds the address says. */
function rangeOf<T>(among: readonly Range<T>[], bytes: Uint8Array): T | undefined {
  for (const range of among) {
    if (isIn(bytes, range)) return range.of;
  }
  return undefined;
}

function isIn(bytes: Uint8Array, { base, bits }: Range<unknown>): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) {
    if (bytes[i] !== base[i]) return false;
  }
  const rest = bits & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((bytes[whole] ?? 0) & mask) === ((base[whole] ?? 0) & mask);
}

function ranges<T>(rows: readonly (readonly [prefix: string, bits: number, of: T])[]): readonly Range<T>[] {
  return rows.map(([prefix, bits, of]) => {
    const base = parseIp(prefix);
    if (base === null) throw new Error(`${prefix} is no address`);
    return { base, bits, of };
  });
}
