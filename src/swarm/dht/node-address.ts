// Which addresses the DHT may send to and pass on. Packets go wherever a stranger's answer points, so places that no
// node has any business at are left out: the stranger could aim us at somebody's DNS server, or at our own machine.

import type { PeerAddress } from "../../base/address.ts";

export type AddressScope = "public" | "private" | "loopback";

/** Services that must never get packets on a stranger's word (ENGINE §5). */
const FORBIDDEN_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 19, 22, 23, 25, 53, 69, 110, 111, 123, 135, 137, 138, 139, 143, 161, 389, 445, 465, 514, 587,
  636, 993, 995, 1433, 1521, 1900, 2049, 3306, 3389, 5060, 5353, 5432, 5900, 6379, 11211, 27017,
]);

/** Of an IPv4 literal; null where no node can be (0/8, link-local, multicast, broadcast) or for what is no IPv4. */
export function scopeOf(host: string): AddressScope | null {
  const octets = host.split(".").map(Number);
  const [a, b] = octets;
  if (octets.length !== 4 || a === undefined || b === undefined) return null;
  if (octets.some((octet) => !Number.isInteger(octet) || octet < 0 || octet > 255)) return null;
  if (a === 0 || a >= 224 || (a === 169 && b === 254)) return null;
  if (a === 127) return "loopback";
  const isPrivate =
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128);
  return isPrivate ? "private" : "public";
}

export function isForbiddenPort(port: number): boolean {
  return !Number.isInteger(port) || port > 65_535 || FORBIDDEN_PORTS.has(port) || port < 0;
}

/** Whether a node may sit at `address` at all. */
export function isNodeAddress(address: PeerAddress): boolean {
  return scopeOf(address.host) !== null && !isForbiddenPort(address.port);
}

/** Whether `address` is to be believed when a node of scope `teller` tells it: local places only by local nodes. */
export function isBelieved(address: PeerAddress, teller: AddressScope): boolean {
  const scope = scopeOf(address.host);
  if (scope === null || isForbiddenPort(address.port)) return false;
  return scope === "public" || teller === "loopback" || scope === teller;
}
