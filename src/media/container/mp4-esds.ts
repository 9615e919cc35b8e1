// The elementary stream descriptor (ISO 14496-1 §7.2.6): nested descriptors of a tag and a length in groups of 7 bits.

import { keptPrivate } from "./index-draft.ts";
import type { Box } from "./mp4-boxes.ts";

const ES_DESCRIPTOR = 0x03;
const DECODER_CONFIG = 0x04;
const DECODER_SPECIFIC_INFO = 0x05;
/** objectTypeIndication, stream type, buffer size, two bit rates. */
const DECODER_CONFIG_FIELDS_BYTES = 13;

export interface Esds {
  readonly objectType: number;
  /** AudioSpecificConfig and its like. */
  readonly decoderConfig: Uint8Array | null;
}

interface Descriptor {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** null where no decoder is described. */
export function readEsds(esds: Box): Esds | null {
  const outer = descriptorAt(esds, 4);
  if (outer === null || outer.tag !== ES_DESCRIPTOR) return null;
  const config = descriptorAt(esds, outer.start + esFieldsBytes(esds, outer.start));
  if (config === null || config.tag !== DECODER_CONFIG) return null;
  const specific = descriptorAt(esds, config.start + DECODER_CONFIG_FIELDS_BYTES);
  const isSpecific = specific !== null && specific.tag === DECODER_SPECIFIC_INFO;
  return {
    objectType: esds.u8(config.start),
    decoderConfig: isSpecific ? keptPrivate(esds.bytes(specific.start, specific.end)) : null,
  };
}

/** ES_ID and flags, and what the flags say follows. */
function esFieldsBytes(esds: Box, at: number): number {
  const flags = esds.u8(at + 2);
  const dependsBytes = flags & 0x80 ? 2 : 0;
  const urlBytes = flags & 0x40 ? 1 + esds.u8(at + 3 + dependsBytes) : 0;
  return 3 + dependsBytes + urlBytes + (flags & 0x20 ? 2 : 0);
}

function descriptorAt(esds: Box, at: number): Descriptor | null {
  if (at + 2 > esds.lengthBytes) return null;
  let lengthBytes = 0;
  let start = at + 1;
  for (let i = 0; i < 4; i++) {
    const byte = esds.u8(start++);
    lengthBytes = (lengthBytes << 7) | (byte & 0x7f);
    if ((byte & 0x80) === 0) break;
  }
  return { tag: esds.u8(at), start, end: Math.min(esds.lengthBytes, start + lengthBytes) };
}
