// The BEP 10 handshake: what ours carries, and what theirs is worth. The remote's is decoded with our own bounded
// bencode: the decoder behind bittorrent-protocol recurses, and its reader throws on a dictionary where it
// expects a number.

import { LIMITS } from "../base/limits.ts";
import { PeerFault } from "../base/peer-fault.ts";
import {
  asBytes,
  asDict,
  asInteger,
  asText,
  type BencodeDict,
  BencodeError,
  decodeBencodePrefix,
} from "../metainfo/bencode.ts";
import type { LocalIdentity, RemoteExtendedHandshake } from "./ports.ts";

const DECODE_LIMITS = { maxTokens: 2_000, maxDepth: 8 };
const CLIENT_NAME_CHARS = 64;
const CONTROL_CHARS = /\p{C}/gu;

/** All but "m", which follows from the extensions in use. */
export function localFields(
  identity: LocalIdentity,
  remoteHost: string,
): Record<string, number | string | Uint8Array> {
  const { listenPort, metadataBytes } = identity;
  const address = compactHost(remoteHost);
  return {
    v: identity.clientName,
    reqq: LIMITS.peer.requestsTaken,
    ...(listenPort === 0 ? {} : { p: listenPort }),
    ...(metadataBytes === null ? {} : { metadata_size: metadataBytes }),
    ...(address === null ? {} : { yourip: address }),
  };
}

/**
 * Reads the remote's handshake. `ids` holds its message ids by name and is updated: a peer may send the handshake
 * again, and id 0 takes an extension back. Throws PeerFault.
 */
export function parseRemoteFields(payload: Uint8Array, ids: Map<string, number>): RemoteExtendedHandshake {
  const fields = decodeFields(payload);
  for (const [name, value] of asDict(fields.get("m")) ?? []) {
    const id = asInteger(value);
    if (id === null || id < 0 || id > 255) continue;
    if (id === 0) ids.delete(name);
    else ids.set(name, id);
  }
  return {
    extensions: new Set(ids.keys()),
    clientName: clientNameIn(fields),
    listenPort: positive(fields, "p", 65_535),
    requestQueue: positive(fields, "reqq", Number.MAX_SAFE_INTEGER),
    metadataBytes: positive(fields, "metadata_size", Number.MAX_SAFE_INTEGER),
    isUploadOnly: asInteger(fields.get("upload_only")) === 1,
  };
}

function decodeFields(payload: Uint8Array): BencodeDict {
  try {
    const fields = asDict(decodeBencodePrefix(payload, DECODE_LIMITS).value);
    if (fields !== null) return fields;
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
    throw new PeerFault("bad_frame", `extended handshake: ${error.message}`);
  }
  throw new PeerFault("bad_frame", "extended handshake is no dictionary");
}

function clientNameIn(fields: BencodeDict): string | null {
  if (asBytes(fields.get("v")) === null) return null;
  const text = (asText(fields.get("v")) ?? "").replace(CONTROL_CHARS, "").trim();
  return text === "" ? null : text.slice(0, CLIENT_NAME_CHARS);
}

function positive(fields: BencodeDict, key: string, max: number): number | null {
  const value = asInteger(fields.get(key));
  return value !== null && value > 0 && value <= max ? value : null;
}

/** A literal address as its 4 or 16 bytes, or null when it is neither. */
export function compactHost(host: string): Uint8Array | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return new Uint8Array(host.split(".").map(Number));
  if (!/^[0-9a-f:]+$/i.test(host)) return null;
  const [left = "", right] = host.split("::");
  const head = left === "" ? [] : left.split(":");
  const foot = right === undefined || right === "" ? [] : right.split(":");
  const gap = 8 - head.length - foot.length;
  if (right === undefined ? gap !== 0 : gap < 1) return null;
  const groups = [...head, ...new Array<string>(gap).fill("0"), ...foot].map((group) =>
    Number.parseInt(group, 16),
  );
  return new Uint8Array(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}
