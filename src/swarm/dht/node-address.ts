// Which addresses the DHT may send to and pass on. Packets go wherever a stranger's answer points, so places that no
// node has any business at are left out: the stranger could aim us at somebody's DNS server, or at our own machine.

import type { PeerAddress } from "../../base/address.ts";
import { type AddressClass, classifyAddress } from "../egress/address-class.ts";
import { isDeniedPort } from "../egress/denied-ports.ts";

export type AddressScope = Exclude<AddressClass, "forbidden">;

/** Of an IPv4 literal; null where no node can be (0/8, link-local, multicast …) or for what is no IPv4. */
export function scopeOf(host: string): AddressScope | null {
  const scope = host.includes(":") ? "forbidden" : classifyAddress(host);
  return scope === "forbidden" ? null : scope;
}

/** Whether a node may sit at `address` at all. */
export function isNodeAddress(address: PeerAddress): boolean {
  return scopeOf(address.host) !== null && !isDeniedPort(address.port);
}

/** Whether `address` is to be believed when a node of scope `teller` tells it: local places only by local nodes. */
export function isBelieved(address: PeerAddress, teller: AddressScope): boolean {
  const scope = scopeOf(address.host);
  if (scope === null || isDeniedPort(address.port)) return false;
  return scope === "public" || teller === "loopback" || scope === teller;
}
