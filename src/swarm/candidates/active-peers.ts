import { addressKey, type PeerAddress } from "../../base/address.ts";
import { canonicalIp } from "../egress/ip-literal.ts";
import { isLocal } from "./address-rules.ts";

export type ActiveState = "dialing" | "connected";

/**
 * The dials and connections of one torrent, by endpoint and counted by IP. One per IP is the rule; hosts of our own
 * network may have several. Invariant: the count of an IP is the number of its endpoints here.
 */
export class ActivePeers {
  readonly #states = new Map<string, ActiveState>();
  readonly #countByHost = new Map<string, number>();

  has(key: string): boolean {
    return this.#states.has(key);
  }

  set(address: PeerAddress, state: ActiveState): void {
    const { host, key } = canonical(address);
    if (!this.#states.has(key)) this.#countByHost.set(host, (this.#countByHost.get(host) ?? 0) + 1);
    this.#states.set(key, state);
  }

  /** Ends what is in `state`; false when there is no such thing. */
  end(address: PeerAddress, state: ActiveState): boolean {
    const { host, key } = canonical(address);
    if (this.#states.get(key) !== state) return false;
    this.#states.delete(key);
    const count = (this.#countByHost.get(host) ?? 0) - 1;
    if (count > 0) this.#countByHost.set(host, count);
    else this.#countByHost.delete(host);
    return true;
  }

  /** `host` in its canonical spelling. */
  isTaken(host: string): boolean {
    return this.#countByHost.has(host) && !isLocal(host);
  }
}

/** An endpoint in the one spelling that serves as a key. */
export function canonical(address: PeerAddress): { readonly host: string; readonly key: string } {
  const host = canonicalIp(address.host) ?? address.host;
  return { host, key: addressKey({ host, port: address.port }) };
}
