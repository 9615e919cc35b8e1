// Messages of BEP 9 (ut_metadata), as they stand behind the BEP 10 message id: a small bencoded dictionary and, for
// data, the raw part behind it. A part is 16 KiB of the info dictionary; the last one may be shorter.

import { BLOCK_BYTES } from "../../base/limits.ts";
import { PeerFault } from "../../base/peer-fault.ts";
import { asDict, asInteger, BencodeError, decodeBencodePrefix, encodeBencode } from "../../metainfo/index.ts";

export const PART_BYTES = BLOCK_BYTES;

const REQUEST = 0;
const DATA = 1;
const REJECT = 2;
/** The dictionary has three entries; what has many more is no message of BEP 9. */
const LIMITS_OF_DICT = { maxTokens: 64, maxDepth: 4 };

export type MetadataMessage =
  | { readonly kind: "request" | "reject"; readonly part: number }
  | {
      readonly kind: "data";
      readonly part: number;
      readonly totalBytes: number | null;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "unknown" };

/** Throws PeerFault bad_frame. `part` is an integer ≥ 0; nothing else about it is checked. */
export function parseMetadataMessage(payload: Uint8Array): MetadataMessage {
  const { dict, endOffset } = headOf(payload);
  const type = asInteger(dict.get("msg_type"));
  const part = asInteger(dict.get("piece"));
  if (type === null) throw new PeerFault("bad_frame", "metadata message without a type");
  // BEP 9 wants types of later versions ignored.
  if (type !== REQUEST && type !== DATA && type !== REJECT) return { kind: "unknown" };
  if (part === null || part < 0) throw new PeerFault("bad_frame", "metadata message without a part");
  if (type !== DATA) return { kind: type === REQUEST ? "request" : "reject", part };
  return {
    kind: "data",
    part,
    totalBytes: asInteger(dict.get("total_size")),
    bytes: payload.subarray(endOffset),
  };
}

function headOf(payload: Uint8Array) {
  try {
    const { value, endOffset } = decodeBencodePrefix(payload, LIMITS_OF_DICT);
    const dict = asDict(value);
    if (dict !== null) return { dict, endOffset };
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
  }
  throw new PeerFault("bad_frame", "metadata message that is no dictionary");
}

export function encodeMetadataRequest(part: number): Uint8Array {
  return encodeBencode({ msg_type: REQUEST, piece: part });
}

export function encodeMetadataReject(part: number): Uint8Array {
  return encodeBencode({ msg_type: REJECT, piece: part });
}

export function encodeMetadataData(part: number, infoBytes: Uint8Array): Uint8Array {
  const head = encodeBencode({ msg_type: DATA, piece: part, total_size: infoBytes.length });
  const bytes = infoBytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
  const message = new Uint8Array(head.length + bytes.length);
  message.set(head);
  message.set(bytes, head.length);
  return message;
}

export function partCountOf(totalBytes: number): number {
  return Math.ceil(totalBytes / PART_BYTES);
}
