// KRPC packets (BEP 5) as they come from strangers. Nothing that came in goes on: a packet is taken apart, every
// field checked for type and size, and a new one built of the fields that are understood. What is wrong is dropped.

import type { PeerAddress } from "../../base/address.ts";
import {
  asBytes,
  asDict,
  asInteger,
  asList,
  asText,
  type BencodeDict,
  BencodeError,
  type BencodeInput,
  decodeBencode,
  encodeBencode,
} from "../../metainfo/index.ts";
import { isDeniedPort } from "../egress/denied-ports.ts";
import { type AddressScope, isBelieved, scopeOf } from "./node-address.ts";

const ID_BYTES = 20;
const TRANSACTION_BYTES_MAX = 32;
const TOKEN_BYTES_MAX = 128;
const NODE_BYTES = 26;
const PEER_BYTES = 6;
const BENCODE_LIMITS = { maxTokens: 1_024, maxDepth: 6 };

export type KrpcPacket =
  /** A query that is served; `bytes` is the rebuilt packet. */
  | { readonly kind: "query"; readonly bytes: Uint8Array }
  /** A query of a kind that is not served. */
  | { readonly kind: "unknown_query"; readonly transaction: Uint8Array }
  /** An answer or error; it goes on under the transaction that it answers. */
  | {
      readonly kind: "reply";
      readonly transaction: Uint8Array;
      rebuilt(transaction: Uint8Array): Uint8Array;
    };

/** The packet, or null where it is to be dropped. */
export function parseKrpc(bytes: Uint8Array, from: PeerAddress): KrpcPacket | null {
  const teller = scopeOf(from.host);
  const message = dictOf(bytes);
  const transaction = asBytes(message?.get("t"));
  if (teller === null || message === null || transaction === null) return null;
  if (transaction.length === 0 || transaction.length > TRANSACTION_BYTES_MAX) return null;
  switch (asText(message.get("y"))) {
    case "q":
      return parseQuery(message, transaction, from);
    case "r":
      return parseAnswer(message, transaction, teller);
    case "e":
      return parseError(message, transaction);
    default:
      return null;
  }
}

function dictOf(bytes: Uint8Array): BencodeDict | null {
  try {
    return asDict(decodeBencode(bytes, BENCODE_LIMITS));
  } catch (error) {
    if (error instanceof BencodeError) return null;
    throw error;
  }
}

function parseQuery(message: BencodeDict, transaction: Uint8Array, from: PeerAddress): KrpcPacket | null {
  const name = asText(message.get("q"));
  const given = asDict(message.get("a"));
  const id = sized(given, "id", ID_BYTES);
  if (name === null || given === null || id === null) return null;
  const served = servedQuery(name, given, from);
  if (served === "unknown") return { kind: "unknown_query", transaction };
  if (served === null) return null;
  // BEP 43: who only asks must not become a contact; without an id it does not.
  const isReadOnly = asInteger(message.get("ro")) === 1;
  const args = isReadOnly ? served.args : { id, ...served.args };
  return { kind: "query", bytes: encodeBencode({ a: args, q: served.name, t: transaction, y: "q" }) };
}

type Fields = { readonly [key: string]: BencodeInput };
type ServedQuery = { readonly name: string; readonly args: Fields };

function servedQuery(name: string, given: BencodeDict, from: PeerAddress): ServedQuery | "unknown" | null {
  switch (name) {
    case "ping":
      return { name, args: {} };
    case "find_node":
    case "get": {
      // BEP 44 items are not kept here; who asks for one still learns of nodes closer to it.
      const target = sized(given, "target", ID_BYTES);
      return target === null ? null : { name: "find_node", args: { target } };
    }
    case "get_peers": {
      const infoHash = sized(given, "info_hash", ID_BYTES);
      return infoHash === null ? null : { name, args: { info_hash: infoHash } };
    }
    case "announce_peer":
      return servedAnnounce(given, from);
    default:
      return "unknown";
  }
}

function servedAnnounce(given: BencodeDict, from: PeerAddress): ServedQuery | null {
  const infoHash = sized(given, "info_hash", ID_BYTES);
  const token = asBytes(given.get("token"));
  const isImplied = (asInteger(given.get("implied_port")) ?? 0) !== 0;
  const port = isImplied ? from.port : asInteger(given.get("port"));
  if (infoHash === null || token === null || port === null) return null;
  if (token.length === 0 || token.length > TOKEN_BYTES_MAX || isDeniedPort(port)) return null;
  return { name: "announce_peer", args: { info_hash: infoHash, port, token } };
}

function parseAnswer(message: BencodeDict, transaction: Uint8Array, teller: AddressScope): KrpcPacket | null {
  const given = asDict(message.get("r"));
  const id = sized(given, "id", ID_BYTES);
  if (given === null || id === null) return null;
  const token = asBytes(given.get("token"));
  const nodes = asBytes(given.get("nodes"));
  const values = asList(given.get("values"));
  const fields: { [key: string]: BencodeInput | undefined } = {
    id,
    nodes: nodes === null ? undefined : believedNodes(nodes, teller),
    token: token === null || token.length === 0 || token.length > TOKEN_BYTES_MAX ? undefined : token,
    values: values === null ? undefined : believedPeers(values.map(asBytes), teller),
  };
  return {
    kind: "reply",
    transaction,
    rebuilt: (own) => encodeBencode({ r: fields, t: own, y: "r" }),
  };
}

function parseError(message: BencodeDict, transaction: Uint8Array): KrpcPacket {
  const code = asInteger(asList(message.get("e"))?.[0]) ?? 201;
  return {
    kind: "reply",
    transaction,
    rebuilt: (own) => encodeBencode({ e: [code, "refused"], t: own, y: "e" }),
  };
}

function believedNodes(nodes: Uint8Array, teller: AddressScope): Uint8Array {
  const kept: Uint8Array[] = [];
  for (let at = 0; at + NODE_BYTES <= nodes.length; at += NODE_BYTES) {
    const node = nodes.subarray(at, at + NODE_BYTES);
    if (isBelieved(endpointOf(node.subarray(ID_BYTES)), teller)) kept.push(node);
  }
  return new Uint8Array(Buffer.concat(kept));
}

function believedPeers(values: readonly (Uint8Array | null)[], teller: AddressScope): Uint8Array[] {
  return values.filter(
    (value) => value !== null && value.length === PEER_BYTES && isBelieved(endpointOf(value), teller),
  ) as Uint8Array[];
}

/** Compact form: four bytes of address, two of port. */
function endpointOf(compact: Uint8Array): PeerAddress {
  return { host: compact.subarray(0, 4).join("."), port: ((compact[4] ?? 0) << 8) | (compact[5] ?? 0) };
}

function sized(dict: BencodeDict | null, key: string, length: number): Uint8Array | null {
  const value = asBytes(dict?.get(key));
  return value?.length === length ? value : null;
}

/** BEP 5 error 204 for a query of a kind that is not served. */
export function encodeUnknownMethod(transaction: Uint8Array): Uint8Array {
  return encodeBencode({ e: [204, "Method Unknown"], t: transaction, y: "e" });
}
