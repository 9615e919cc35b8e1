import { addressKey } from "../base/address.ts";
import type { PeerRow } from "./port.ts";
import type { Torrent } from "./torrent.ts";

/** The rows of GET /torrents/{id}/peers. */
export function peerRowsOf(torrent: Torrent, nowMs: number): PeerRow[] {
  const session = torrent.session;
  if (session === null) return [];
  const rows: PeerRow[] = [];
  for (const peer of session.peers.values()) {
    if (!peer.isReady) continue;
    rows.push({
      address: addressKey(peer.address),
      client: peer.clientName,
      isIncoming: peer.link.isIncoming,
      source: peer.source,
      progress: session.transfer?.scheduler.peerFigures(peer.key).progress ?? 0,
      downloadSpeed: Math.round(peer.downMeter.rate(nowMs)),
      uploadSpeed: Math.round(peer.upMeter.rate(nowMs)),
      isChokingUs: peer.isChokingUs,
      isChoked: peer.amChoking,
      isInterested: peer.isInterested,
    });
  }
  return rows;
}
