// The packets of a UDP tracker (BEP 15, URL data of BEP 41): built and read, pure, for any bytes.

import { fromHex } from "../../base/hex.ts";
import type { AnnounceEvent } from "../ports.ts";
import { type AnnounceQuery, peersWanted } from "./announce-url.ts";
import { TrackerError } from "./tracker-error.ts";
import {
  asCount,
  clampIntervalSec,
  clampMinIntervalSec,
  parseCompactPeers,
  type TrackerReply,
} from "./tracker-reply.ts";

const PROTOCOL_ID = 0x41727101980n;
const CONNECT = 0;
const ANNOUNCE = 1;
const ERROR = 3;
const ANNOUNCE_BYTES = 98;
const REPLY_HEAD_BYTES = 20;
const OPTION_URL_DATA = 2;
const OPTION_MAX_BYTES = 255;
/** Path and query beyond this are no tracker's; the packet stays far below any MTU. */
const URL_DATA_MAX_BYTES = 765;

const EVENT_CODES: Readonly<Record<Exclude<AnnounceEvent, null>, number>> = {
  completed: 1,
  started: 2,
  stopped: 3,
};

export interface UdpAnnounce extends AnnounceQuery {
  readonly connectionId: bigint;
  readonly transactionId: number;
  /** Path and query of the tracker's URL, "" for none (BEP 41). */
  readonly urlData: string;
}

export function connectPacket(transactionId: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, PROTOCOL_ID);
  view.setUint32(8, CONNECT);
  view.setUint32(12, transactionId);
  return bytes;
}

export function announcePacket(announce: UdpAnnounce): Uint8Array {
  const { facts, event } = announce;
  const options = urlDataOptions(announce.urlData);
  const bytes = new Uint8Array(ANNOUNCE_BYTES + options.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, announce.connectionId);
  view.setUint32(8, ANNOUNCE);
  view.setUint32(12, announce.transactionId);
  bytes.set(fromHex(facts.infoHash), 16);
  bytes.set(facts.peerId.subarray(0, 20), 36);
  view.setBigUint64(56, BigInt(facts.downloadedBytes));
  view.setBigUint64(64, BigInt(facts.leftBytes));
  view.setBigUint64(72, BigInt(facts.uploadedBytes));
  view.setUint32(80, event === null ? 0 : EVENT_CODES[event]);
  // 84: our address, 0 = take it from the packet.
  view.setUint32(88, announce.key);
  view.setUint32(92, peersWanted(event));
  view.setUint16(96, facts.port);
  bytes.set(options, ANNOUNCE_BYTES);
  return bytes;
}

/** The transaction that a packet answers, or null when it is too short to be an answer. */
export function transactionOf(packet: Uint8Array): number | null {
  return packet.length < 8 ? null : viewOf(packet).getUint32(4);
}

/** The connection id of a connect reply. Throws TrackerError. */
export function parseConnectReply(packet: Uint8Array): bigint {
  expectAction(packet, CONNECT, 16);
  return viewOf(packet).getBigUint64(8);
}

/** An announce reply; the peers' family is that of the packet (BEP 15). Throws TrackerError. */
export function parseAnnounceReply(packet: Uint8Array, ipBytes: 4 | 16): TrackerReply {
  expectAction(packet, ANNOUNCE, REPLY_HEAD_BYTES);
  const view = viewOf(packet);
  return {
    intervalSec: clampIntervalSec(view.getInt32(8)),
    minIntervalSec: clampMinIntervalSec(null),
    leechers: asCount(view.getInt32(12)),
    seeders: asCount(view.getInt32(16)),
    peers: parseCompactPeers(packet.subarray(REPLY_HEAD_BYTES), ipBytes),
    warning: null,
    trackerId: null,
  };
}

function expectAction(packet: Uint8Array, action: number, minBytes: number): void {
  const found = packet.length < 8 ? null : viewOf(packet).getUint32(0);
  if (found === ERROR) {
    const text = new TextDecoder().decode(packet.subarray(8));
    throw new TrackerError("refused", text === "" ? "refused" : text);
  }
  if (found !== action || packet.length < minBytes) {
    throw new TrackerError("bad_reply", "the answer is not that of a tracker");
  }
}

/** BEP 41: the text in pieces of at most 255 bytes, each with type and length in front. */
function urlDataOptions(urlData: string): Uint8Array {
  const text = Buffer.from(urlData, "latin1").subarray(0, URL_DATA_MAX_BYTES);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += OPTION_MAX_BYTES) {
    const part = text.subarray(at, at + OPTION_MAX_BYTES);
    parts.push(Uint8Array.of(OPTION_URL_DATA, part.length), part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
