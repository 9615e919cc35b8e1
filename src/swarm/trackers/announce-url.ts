import { fromHex } from "../../base/hex.ts";
import { LIMITS } from "../../base/limits.ts";
import type { AnnounceEvent, AnnounceFacts } from "../ports.ts";

export interface AnnounceQuery {
  readonly facts: AnnounceFacts;
  readonly event: AnnounceEvent;
  /** Tells the tracker that we are still we when our address changes (BEP 7). */
  readonly key: number;
  readonly trackerId: Uint8Array | null;
}

/** How many peers are asked for: none on leaving. */
export function peersWanted(event: AnnounceEvent): number {
  return event === "stopped" ? 0 : LIMITS.tracker.peersWanted;
}

/** The URL of an HTTP announce (BEP 3, 23): the tracker's own query stays in front. */
export function announceUrl(tracker: URL, { facts, event, key, trackerId }: AnnounceQuery): URL {
  const pairs: [string, string][] = [
    ["info_hash", percentEncoded(fromHex(facts.infoHash))],
    ["peer_id", percentEncoded(facts.peerId)],
    ["port", String(facts.port)],
    ["uploaded", String(facts.uploadedBytes)],
    ["downloaded", String(facts.downloadedBytes)],
    ["left", String(facts.leftBytes)],
    ["compact", "1"],
    ["no_peer_id", "1"],
    ["numwant", String(peersWanted(event))],
    ["key", key.toString(16).padStart(8, "0")],
  ];
  if (event !== null) pairs.push(["event", event]);
  if (trackerId !== null) pairs.push(["trackerid", percentEncoded(trackerId)]);
  const query = pairs.map(([name, value]) => `${name}=${value}`).join("&");
  const url = new URL(tracker);
  url.hash = "";
  url.search = tracker.search === "" ? query : `${tracker.search}&${query}`;
  return url;
}

/** RFC 3986 §2.1, each byte on its own: info hashes are not text. */
function percentEncoded(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    out += /[A-Za-z0-9._~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}
