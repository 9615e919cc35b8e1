// Which addresses may be dialled at all (ENGINE §5, PRODUCT §8): peer lists come from strangers, who use them to aim
// us at others' services or at our own network.

import { addressKey, type PeerAddress } from "../../base/address.ts";
import { classifyAddress } from "../egress/address-class.ts";
import { isDeniedPort } from "../egress/denied-ports.ts";
import { canonicalIp } from "../egress/ip-literal.ts";
import type { PeerSource } from "../ports.ts";

export interface DialPolicy {
  /** torrent.allow_loopback_peers */
  readonly allowLoopback: boolean;
  /** Keys (addressKey) of our own listening endpoints. */
  readonly ownAddresses: ReadonlySet<string>;
}

/** Sources that are believed about private addresses. */
const PRIVATE_SOURCES: ReadonlySet<PeerSource> = new Set(["tracker_private", "magnet", "manual", "incoming"]);

export function isDialable(address: PeerAddress, source: PeerSource, policy: DialPolicy): boolean {
  const host = canonicalIp(address.host);
  if (host === null || isDeniedPort(address.port)) return false;
  if (policy.ownAddresses.has(addressKey({ host, port: address.port }))) return false;
  switch (classifyAddress(host)) {
    case "public":
      return true;
    case "private":
      return PRIVATE_SOURCES.has(source);
    case "loopback":
      return source === "tracker_private" || policy.allowLoopback;
    case "forbidden":
      return false;
  }
}

/** True for hosts of our own machine or network, which the per-host limits against abuse of strangers spare. */
export function isLocal(host: string): boolean {
  const addressClass = classifyAddress(host);
  return addressClass === "private" || addressClass === "loopback";
}
