// DHT nodes as the database keeps them; read back with suspicion, as any stored JSON.

import { isIP } from "node:net";
import type { PeerAddress } from "../base/address.ts";
import { LIMITS } from "../base/limits.ts";

export function dhtNodesOf(stored: unknown): PeerAddress[] {
  if (!Array.isArray(stored)) return [];
  return stored.filter(isNode).slice(0, LIMITS.dht.nodesKept);
}

function isNode(value: unknown): value is PeerAddress {
  if (typeof value !== "object" || value === null || !("host" in value) || !("port" in value)) return false;
  const { host, port } = value;
  return (
    typeof host === "string" &&
    isIP(host) !== 0 &&
    Number.isInteger(port) &&
    Number(port) > 0 &&
    Number(port) < 65_536
  );
}
