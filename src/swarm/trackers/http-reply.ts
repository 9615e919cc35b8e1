// The body of an HTTP announce (BEP 3, 7, 23): pure, for any bytes.

import type { PeerAddress } from "../../base/address.ts";
import { LIMITS } from "../../base/limits.ts";
import {
  asBytes,
  asDict,
  asInteger,
  asList,
  asText,
  type BencodeDict,
  type BencodeValue,
  decodeBencodePrefix,
} from "../../metainfo/bencode.ts";
import { canonicalIp } from "../egress/ip-literal.ts";
import { TrackerError } from "./tracker-error.ts";
import {
  asCount,
  clampIntervalSec,
  clampMinIntervalSec,
  parseCompactPeers,
  type TrackerReply,
} from "./tracker-reply.ts";

const MAX_TRACKER_ID_BYTES = 256;
const BENCODE_LIMITS = { maxTokens: 100_000, maxDepth: 16 };

/** Throws TrackerError: refused with the tracker's failure reason, bad_reply when it is no announce reply. */
export function parseHttpReply(body: Uint8Array): TrackerReply {
  const dict = decodeDict(body);
  const failure = asText(dict.get("failure reason"));
  if (failure !== null) throw new TrackerError("refused", failure === "" ? "refused" : failure);
  const trackerId = asBytes(dict.get("tracker id"));
  return {
    intervalSec: clampIntervalSec(asInteger(dict.get("interval"))),
    minIntervalSec: clampMinIntervalSec(asInteger(dict.get("min interval"))),
    peers: peersOf(dict).slice(0, LIMITS.tracker.peersPerReply),
    seeders: asCount(asInteger(dict.get("complete"))),
    leechers: asCount(asInteger(dict.get("incomplete"))),
    warning: asText(dict.get("warning message")),
    trackerId: trackerId !== null && trackerId.length <= MAX_TRACKER_ID_BYTES ? trackerId.slice() : null,
  };
}

function decodeDict(body: Uint8Array): BencodeDict {
  try {
    // Bytes behind the dictionary (a line feed, mostly) are some trackers' habit and harm nobody.
    const dict = asDict(decodeBencodePrefix(body, BENCODE_LIMITS).value);
    if (dict !== null) return dict;
  } catch (error) {
    throw new TrackerError("bad_reply", "the answer is not that of a tracker", error);
  }
  throw new TrackerError("bad_reply", "the answer is not that of a tracker");
}

function peersOf(dict: BencodeDict): PeerAddress[] {
  const peers = dict.get("peers");
  const compact = asBytes(peers);
  const compact6 = asBytes(dict.get("peers6"));
  return [
    ...(compact === null ? listedPeers(asList(peers) ?? []) : parseCompactPeers(compact, 4)),
    ...(compact6 === null ? [] : parseCompactPeers(compact6, 16)),
  ];
}

/** Peers as dictionaries. Names instead of literals are left out: resolving them would let a tracker aim us. */
function listedPeers(items: readonly BencodeValue[]): PeerAddress[] {
  const peers: PeerAddress[] = [];
  for (const item of items) {
    const peer = asDict(item);
    const host = canonicalIp(asText(peer?.get("ip")) ?? "");
    const port = asInteger(peer?.get("port")) ?? 0;
    if (host !== null && port >= 1 && port <= 65535) peers.push({ host, port });
  }
  return peers;
}
