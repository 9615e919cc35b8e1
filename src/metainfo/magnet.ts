// Magnet links (BEP 9, 53), read and written. The text is walked and bounded here first; what is left of it is put
// into canonical form and given to parse-torrent, which so meets neither a range bomb (so=), nor malformed escapes,
// nor an unbounded list; what it returns is checked again. dn, so and x.pe are ours alone: the package turns every
// "+" of a name into a space, expands ranges, and checks no address (test/unit/metainfo/parse-torrent.test.ts).

import { isIP } from "node:net";
import parseTorrent, { toMagnetURI } from "parse-torrent";
import { addressKey, type PeerAddress } from "../base/address.ts";
import { type InfoHash, type SafePath, tryInfoHash } from "../base/brand.ts";
import { TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { safeComponent } from "./safe-path.ts";
import { checkedTiers } from "./tracker-url.ts";
import type { Magnet } from "./types.ts";

const SCHEME = /^magnet:\?/i;
const BARE_HASH = /^(?:[0-9a-f]{40}|[a-z2-7]{32})$/i;
const BTIH = /^urn:btih:([0-9a-f]{40}|[a-z2-7]{32})$/i;
const BTMH = /^urn:btmh:/i;
const RANGE = /^(\d{1,9})(?:-(\d{1,9}))?$/;
const ENDPOINT = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;
const { metainfo: BOUNDS } = LIMITS;

/** The magnet link in `text`; an info hash alone (40 hex or 32 base32 digits) is one too. Throws invalid_magnet. */
export function parseMagnet(text: string): Magnet {
  const trimmed = text.trim();
  if (trimmed.length > BOUNDS.magnetChars) throw invalid("This magnet link is too long.");
  if (BARE_HASH.test(trimmed)) return magnetOf([["xt", `urn:btih:${trimmed}`]]);
  if (!SCHEME.test(trimmed)) throw invalid("This is not a magnet link.");
  return magnetOf(parametersOf(trimmed.replace(SCHEME, "")));
}

/** As parseMagnet, but null where it would throw. */
export function tryMagnet(text: string): Magnet | null {
  try {
    return parseMagnet(text);
  } catch (error) {
    if (error instanceof TorrxError) return null;
    throw error;
  }
}

/** A magnet link for a torrent. */
export function magnetUriOf(parts: {
  readonly infoHash: InfoHash;
  readonly name?: string;
  readonly trackers?: readonly (readonly string[])[];
  readonly peers?: readonly PeerAddress[];
}): string {
  return toMagnetURI({
    infoHash: parts.infoHash,
    ...(parts.name === undefined ? {} : { name: parts.name.toWellFormed() }),
    announce: parts.trackers?.flat() ?? [],
    peerAddresses: parts.peers?.map(addressKey) ?? [],
  });
}

type Parameter = readonly [key: string, value: string];

function magnetOf(parameters: readonly Parameter[]): Magnet {
  const valuesOf = (key: string) => parameters.filter(([name]) => name === key).map(([, value]) => value);
  const hashText = hashTextOf(valuesOf("xt"));
  const trackers = checkedTiers(valuesOf("tr").map((url) => [url])).flat();
  const parsed = parsedByPackage(toMagnetURI({ infoHash: hashText, announce: trackers }));
  const infoHash = tryInfoHash(parsed.infoHash);
  if (infoHash === null) throw invalid("This magnet link has no valid info hash.");
  return {
    infoHash,
    displayName: displayNameOf(valuesOf("dn")),
    trackers: checkedTiers(parsed.announce.map((url) => [url])),
    peers: peersOf(valuesOf("x.pe")),
    selectOnly: selectionOf(valuesOf("so")),
  };
}

/** Keys without a trailing number ("tr.1" is "tr"), values unescaped; what cannot be unescaped is left out. */
function parametersOf(query: string): Parameter[] {
  const parameters: Parameter[] = [];
  for (const part of query.split("&")) {
    const equals = part.indexOf("=");
    if (equals <= 0) continue;
    // "amp;" is what is left of "&amp;" in links that were copied out of HTML.
    const key = part
      .slice(0, equals)
      .toLowerCase()
      .replace(/^amp;/, "")
      .replace(/\.\d+$/, "");
    const value = tryUnescape(part.slice(equals + 1), key);
    if (value !== null) parameters.push([key, value]);
  }
  return parameters;
}

function tryUnescape(value: string, key: string): string | null {
  try {
    return decodeURIComponent(key === "dn" ? value.replaceAll("+", " ") : value);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return key === "dn" ? value : null;
  }
}

function hashTextOf(topics: readonly string[]): string {
  for (const topic of topics) {
    const hash = BTIH.exec(topic)?.[1];
    if (hash !== undefined) return hash;
  }
  throw invalid(
    topics.some((topic) => BTMH.test(topic))
      ? "This magnet link is for BitTorrent v2 only, which is not supported."
      : "This magnet link has no valid info hash.",
  );
}

function parsedByPackage(canonical: string): { infoHash: string; announce: string[] } {
  const parsing = parseTorrent(canonical);
  // Settled already; a rejection is read by peek, and so must not count as unhandled.
  parsing.catch(() => null);
  const settled: unknown = Bun.peek(parsing);
  if (
    typeof settled !== "object" ||
    settled === null ||
    !("infoHash" in settled) ||
    !("announce" in settled)
  ) {
    throw invalid("This magnet link cannot be read.");
  }
  const { infoHash, announce } = settled;
  if (typeof infoHash !== "string" || !Array.isArray(announce))
    throw invalid("This magnet link cannot be read.");
  return { infoHash, announce: announce.filter((url) => typeof url === "string") };
}

function displayNameOf(names: readonly string[]): SafePath | null {
  const name = names[0]?.trim() ?? "";
  return name === "" ? null : safeComponent(name);
}

/** Names are dropped: looking one up would tell the network what is added. */
function peersOf(endpoints: readonly string[]): PeerAddress[] {
  const peers = new Map<string, PeerAddress>();
  for (const endpoint of endpoints) {
    const match = ENDPOINT.exec(endpoint);
    const host = match?.[1] ?? match?.[2] ?? "";
    const port = Number(match?.[3]);
    const isRightKind = isIP(host) === (match?.[1] === undefined ? 4 : 6) && !host.includes("%");
    if (!isRightKind || port < 1 || port > 65_535) continue;
    if (peers.size >= BOUNDS.magnetPeers) break;
    peers.set(addressKey({ host, port }), { host, port });
  }
  return [...peers.values()];
}

function selectionOf(values: readonly string[]): [number, number][] | null {
  const ranges: [number, number][] = [];
  for (const part of values.flatMap((value) => value.split(","))) {
    const match = RANGE.exec(part.trim());
    if (match === null) continue;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (first <= last && ranges.length < BOUNDS.selectOnlyRanges) ranges.push([first, last]);
  }
  return ranges.length === 0 ? null : ranges;
}

function invalid(message: string): TorrxError {
  return new TorrxError("invalid_magnet", message);
}
