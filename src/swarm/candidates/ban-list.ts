import { formatIp, parseIp } from "../egress/ip-literal.ts";
import { isLocal } from "./address-rules.ts";

/** corrupt_data: sent bytes that failed their hash. misbehaviour: anything else. */
export type BanCause = "corrupt_data" | "misbehaviour";

const MAX_BANS = 10_000;
const V6_NETWORK_BYTES = 8;

/**
 * Hosts that are not dialled and not let in, in memory, the oldest forgotten first. A v6 ban covers the /64, which is
 * what one subscriber has. Hosts of our own network are banned for corrupt data only.
 */
export class BanList {
  readonly #keys = new Set<string>();

  get size(): number {
    return this.#keys.size;
  }

  /** True when the host is banned after the call. */
  add(host: string, cause: BanCause): boolean {
    if (cause !== "corrupt_data" && isLocal(host)) return this.has(host);
    const key = banKey(host);
    this.#keys.delete(key);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size >= MAX_BANS && !oldest.done) this.#keys.delete(oldest.value);
    this.#keys.add(key);
    return true;
  }

  has(host: string): boolean {
    return this.hasKey(banKey(host));
  }

  /** The same for a host whose banKey is at hand. */
  hasKey(key: string): boolean {
    return this.#keys.has(key);
  }
}

/** One key for every address that a ban of `host` covers. */
export function banKey(host: string): string {
  const bytes = parseIp(host);
  if (bytes === null) return host;
  const text = formatIp(bytes);
  if (!text.includes(":") || isLocal(text)) return text;
  const network = bytes.slice().fill(0, V6_NETWORK_BYTES);
  return `${formatIp(network)}/64`;
}
