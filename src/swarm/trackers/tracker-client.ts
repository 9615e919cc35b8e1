// One announce to one tracker, whatever its protocol. Here the egress rules of PRODUCT §8 meet trackers: one on a
// private or loopback address is asked only when its path begins with /announce (a UDP tracker may also have no
// path: its packets carry nothing that a torrent's author could aim with), and only such a one may hand out private
// and loopback peers.

import type { PeerAddress } from "../../base/address.ts";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { type AddressClass, classifyAddress } from "../egress/address-class.ts";
import { EgressError } from "../egress/egress-error.ts";
import { type GetDeps, guardedGet } from "../egress/guarded-get.ts";
import { type PrivatePolicy, resolveChecked } from "../egress/resolve-checked.ts";
import { withTimeLimit } from "../egress/time-limit.ts";
import type { AnnounceEvent, AnnounceFacts, AnnounceReply, Dns, HttpGet, UdpNet } from "../ports.ts";
import { AnnounceGate } from "./announce-gate.ts";
import { type AnnounceQuery, announceUrl } from "./announce-url.ts";
import { parseHttpReply } from "./http-reply.ts";
import { TrackerError } from "./tracker-error.ts";
import type { TrackerReply } from "./tracker-reply.ts";
import { cleanMessage, publicUrl } from "./tracker-secrets.ts";
import { UdpTracker } from "./udp-tracker.ts";

export interface TrackerClient {
  /** Throws EgressError or TrackerError; messages are fit for the user's eyes and free of the URL's secrets. */
  announce(
    url: string,
    facts: AnnounceFacts,
    event: AnnounceEvent,
    signal: AbortSignal,
  ): Promise<AnnounceReply>;
  /** Closes the sockets; announces under way fail. */
  close(): void;
}

export interface TrackerClientDeps {
  readonly http: HttpGet;
  readonly udp: UdpNet;
  readonly dns: Dns;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** 32 random bits of this run. */
  readonly key: number;
}

interface Answer {
  readonly reply: TrackerReply;
  readonly addressClass: AddressClass;
}

interface Request {
  readonly url: URL;
  readonly query: AnnounceQuery;
  readonly signal: AbortSignal;
}

const MAX_TRACKER_IDS = 4_096;

export function createTrackerClient(deps: TrackerClientDeps): TrackerClient {
  const udpTracker = new UdpTracker(deps);
  const gate = new AnnounceGate({
    total: LIMITS.tracker.announcesAtOnce,
    perHost: LIMITS.tracker.announcesAtOncePerHost,
  });
  const trackerIds = new Map<string, Uint8Array>();

  const ask = async (text: string, query: AnnounceQuery, signal: AbortSignal): Promise<Answer> => {
    const url = parseTrackerUrl(text);
    const request = { url, query, signal };
    return await gate.run(url.host, signal, () =>
      url.protocol === "udp:" ? askUdp(deps, udpTracker, request) : askHttp(deps, request),
    );
  };

  return {
    async announce(url, facts, event, signal) {
      const idKey = `${facts.infoHash} ${url}`;
      const query = { facts, event, key: deps.key, trackerId: trackerIds.get(idKey) ?? null };
      try {
        const { reply, addressClass } = await ask(url, query, signal);
        if (reply.trackerId !== null) rememberBounded(trackerIds, idKey, reply.trackerId);
        return toAnnounceReply(reply, addressClass, url);
      } catch (error) {
        const cleaned = cleanedError(error, url);
        deps.log.debug("announce failed", { tracker: publicUrl(url), reason: cleaned.message });
        throw cleaned;
      }
    },
    close: () => udpTracker.close(),
  };
}

/** The rule for trackers on private and loopback addresses. */
export const privateTrackerPolicy: PrivatePolicy = (url) => {
  if (url.protocol === "udp:" && (url.pathname === "" || url.pathname === "/")) return true;
  // An encoded slash or backslash may lead a lenient server out of /announce again.
  return url.pathname.startsWith("/announce") && !/%2f|%5c|\\/i.test(url.pathname);
};

function parseTrackerUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:", "udp:"].includes(url.protocol)) {
    throw new EgressError("bad_url", "only http, https and udp trackers are supported");
  }
  if (url.protocol === "udp:" && (url.port === "" || url.port === "0")) {
    throw new EgressError("bad_url", "a udp tracker needs a port");
  }
  return url;
}

async function askHttp(deps: GetDeps, { url, query, signal }: Request): Promise<Answer> {
  const { status, body, addressClass } = await guardedGet(deps, {
    url: announceUrl(url, query),
    policy: privateTrackerPolicy,
    maxBytes: LIMITS.tracker.responseBytes,
    timeoutMs: LIMITS.tracker.timeoutMs,
    signal,
  });
  if (status !== 200) throw new TrackerError("bad_reply", `the tracker answered with HTTP status ${status}`);
  return { reply: parseHttpReply(body), addressClass };
}

async function askUdp(
  deps: { readonly dns: Dns; readonly clock: Clock },
  udpTracker: UdpTracker,
  { url, query, signal }: Request,
): Promise<Answer> {
  const limit = { clock: deps.clock, timeoutMs: LIMITS.tracker.timeoutMs, signal };
  const { addresses, addressClass } = await withTimeLimit(limit, () =>
    resolveChecked(deps.dns, url, privateTrackerPolicy),
  );
  const [host = ""] = addresses;
  const path = url.pathname + url.search;
  const reply = await udpTracker.announce({
    tracker: { host, port: Number(url.port) },
    query,
    urlData: path === "/" ? "" : path,
    signal,
  });
  return { reply, addressClass };
}

function toAnnounceReply(reply: TrackerReply, addressClass: AddressClass, url: string): AnnounceReply {
  const isPrivateTracker = addressClass !== "public";
  return {
    intervalSec: reply.intervalSec,
    minIntervalSec: reply.minIntervalSec,
    peers: reply.peers.filter((peer) => mayHandOut(peer, isPrivateTracker)),
    seeders: reply.seeders,
    leechers: reply.leechers,
    warning: reply.warning === null ? null : cleanMessage(reply.warning, url),
    isPrivateTracker,
  };
}

function mayHandOut(peer: PeerAddress, isPrivateTracker: boolean): boolean {
  const peerClass = classifyAddress(peer.host);
  return peerClass === "public" || (isPrivateTracker && peerClass !== "forbidden");
}

function cleanedError(error: unknown, url: string): EgressError | TrackerError {
  if (error instanceof TrackerError) return new TrackerError(error.fault, cleanMessage(error.message, url));
  if (error instanceof EgressError) return new EgressError(error.fault, cleanMessage(error.message, url));
  throw error;
}

function rememberBounded(ids: Map<string, Uint8Array>, key: string, id: Uint8Array): void {
  ids.delete(key);
  const oldest = ids.keys().next();
  if (ids.size >= MAX_TRACKER_IDS && !oldest.done) ids.delete(oldest.value);
  ids.set(key, id);
}
