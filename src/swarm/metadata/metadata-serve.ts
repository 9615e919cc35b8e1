// Gives the info dictionary to peers that ask for it (BEP 9). Stateless: how often a peer may ask is the caller's to
// limit.

import { encodeMetadataData, encodeMetadataReject, parseMetadataMessage, partCountOf } from "./message.ts";

export class MetadataServe {
  readonly #infoBytes: Uint8Array;

  constructor(infoBytes: Uint8Array) {
    this.#infoBytes = infoBytes;
  }

  /**
   * What to send back for one ut_metadata message: the part, or a reject where there is no such part; null for what
   * is no request. Throws PeerFault bad_frame.
   */
  answer(payload: Uint8Array): Uint8Array | null {
    const message = parseMetadataMessage(payload);
    if (message.kind !== "request") return null;
    if (message.part >= partCountOf(this.#infoBytes.length)) return encodeMetadataReject(message.part);
    return encodeMetadataData(message.part, this.#infoBytes);
  }
}
