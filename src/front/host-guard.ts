// Which Host a request may name (PRODUCT §8). A web page that points its own name at this server (DNS rebinding) is
// told apart here: it cannot make a browser send an address or a local name instead.

import { isIP } from "node:net";
import { TorrxError } from "../base/errors.ts";

const HOST = /^(?:([A-Za-z0-9._-]{1,253})|\[([0-9A-Fa-f:.]{2,45})\])(?::(\d{1,5}))?$/;
const LOCAL_SUFFIXES = [".localhost", ".local", ".lan", ".home.arpa"];

/** `hosts` are all Host lines of the request. Throws bad_request for a malformed one, wrong_host for a foreign one. */
export function checkHost(hosts: readonly string[], allowedHosts: readonly string[]): string {
  const [host, ...others] = hosts;
  const match = host === undefined || others.length > 0 ? null : HOST.exec(host);
  if (host === undefined || match === null || Number(match[3] ?? 0) > 65_535) {
    throw new TorrxError("bad_request", "exactly one well-formed Host header is needed");
  }
  const [, name, v6] = match;
  const isAllowed = name === undefined ? isIP(v6 ?? "") === 6 : isAllowedName(name, allowedHosts);
  if (!isAllowed) {
    throw new TorrxError("wrong_host", "this host name is not allowed; add it to server.allowed_hosts");
  }
  return host;
}

function isAllowedName(name: string, allowedHosts: readonly string[]): boolean {
  const lower = name.toLowerCase().replace(/\.$/, "");
  if (isIP(lower) === 4) return true;
  if (!lower.includes(".")) return lower !== "";
  if (LOCAL_SUFFIXES.some((suffix) => lower.endsWith(suffix))) return true;
  return allowedHosts.some((allowed) => allowed.toLowerCase() === lower);
}
