import { lookup } from "node:dns/promises";
import type { Dns } from "../ports.ts";
import { parseIp } from "./ip-literal.ts";

/** The system's resolver (hosts file included), all addresses of both families. */
export const systemDns: Dns = {
  async resolve(host) {
    if (parseIp(host) !== null) return [host];
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  },
};
