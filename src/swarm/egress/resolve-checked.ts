// The guard in front of every connection to a host that a torrent, a tracker or a link named (SSRF, QUALITY B4 #11):
// the name is resolved once, every address of the answer is checked, and the caller connects to a checked address,
// never to the name again (DNS rebinding).

import { systemCodeOf } from "../../base/errors.ts";
import type { Dns } from "../ports.ts";
import { type AddressClass, classifyAddress } from "./address-class.ts";
import { EgressError } from "./egress-error.ts";
import { canonicalIp, parseIp } from "./ip-literal.ts";

/** Whether `url` may be asked at an address of this class. Asked for private and loopback only. */
export type PrivatePolicy = (url: URL, addressClass: "private" | "loopback") => boolean;

export interface CheckedHost {
  /** Literals that may be connected to; v4 first, at least one. */
  readonly addresses: readonly string[];
  /** Of all of them. */
  readonly addressClass: AddressClass;
}

const DNS_NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/i;

/** From the most to the least public: where an answer mixes classes, only the most public one is used. */
const CLASS_ORDER: readonly AddressClass[] = ["public", "private", "loopback"];

/**
 * The addresses of the URL's host. Throws EgressError: bad_url, name_not_found, or forbidden_address when any
 * address of the answer is one that must not be connected to.
 */
export async function resolveChecked(dns: Dns, url: URL, policy: PrivatePolicy): Promise<CheckedHost> {
  const found = await resolve(dns, hostOf(url));
  const classes = new Map(found.map((address) => [address, classifyAddress(address)]));
  for (const addressClass of classes.values()) {
    const isPermitted =
      addressClass === "public" || (addressClass !== "forbidden" && policy(url, addressClass));
    if (!isPermitted) {
      throw new EgressError("forbidden_address", "the address is in a network that may not be contacted");
    }
  }
  const addressClass = CLASS_ORDER.find((one) => [...classes.values()].includes(one)) ?? "forbidden";
  const addresses = found.filter((address) => classes.get(address) === addressClass);
  return { addresses: addresses.sort(byFamily), addressClass };
}

/** The host of a URL: a name or a literal without brackets. */
function hostOf(url: URL): string {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (parseIp(host) === null && !DNS_NAME.test(host)) throw new EgressError("bad_url", "no valid host name");
  return host;
}

async function resolve(dns: Dns, host: string): Promise<string[]> {
  const literal = canonicalIp(host);
  if (literal !== null) return [literal];
  let answer: readonly string[];
  try {
    answer = await dns.resolve(host);
  } catch (error) {
    const code = systemCodeOf(error);
    throw new EgressError("name_not_found", `host name not found${code ? ` (${code})` : ""}`, error);
  }
  // What is no literal stays as it is, is classified as forbidden, and so refuses the whole answer.
  const found = [...new Set(answer.map((address) => canonicalIp(address) ?? address))];
  if (found.length === 0) throw new EgressError("name_not_found", "host name not found");
  return found;
}

function byFamily(a: string, b: string): number {
  return Number(a.includes(":")) - Number(b.includes(":"));
}
