// Names of video codecs from their configuration records; null where a record is none of its kind.

/** avcC (ISO 14496-15 §5.3.3.1): profile, compatibility, level. */
export function avcCodecString(avcC: Uint8Array): string | null {
  if (avcC.length < 4 || avcC[0] !== 1) return null;
  return `avc1.${Buffer.from(avcC.subarray(1, 4)).toString("hex")}`;
}

const HVCC_BYTES_MIN = 13;

/**
 * hvcC (ISO 14496-15 §8.3.3.1), named as in Annex E.3: profile space and profile, compatibility flags with their bits
 * turned round, tier and level, then constraint bytes up to the last that is not zero.
 */
export function hevcCodecString(hvcC: Uint8Array): string | null {
  if (hvcC.length < HVCC_BYTES_MIN || hvcC[0] !== 1) return null;
  const view = new DataView(hvcC.buffer, hvcC.byteOffset, hvcC.byteLength);
  const general = view.getUint8(1);
  const space = ["", "A", "B", "C"][general >> 6] ?? "";
  const tier = general & 0x20 ? "H" : "L";
  const compatibility = turnedRound(view.getUint32(2)).toString(16).toUpperCase();
  const constraints = Array.from(hvcC.subarray(6, 12));
  while (constraints.at(-1) === 0) constraints.pop();
  return [
    `hvc1.${space}${general & 0x1f}`,
    compatibility,
    `${tier}${view.getUint8(12)}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join(".");
}

function turnedRound(bits: number): number {
  let turned = 0;
  for (let i = 0; i < 32; i++) turned = turned * 2 + ((bits >>> i) & 1);
  return turned;
}

/** av1C (AV1-ISOBMFF §2.3): profile, level and tier, bit depth. */
export function av1CodecString(av1C: Uint8Array): string | null {
  const [marker = 0, profileAndLevel = 0, flags = 0] = av1C;
  if (av1C.length < 4 || marker !== 0x81) return null;
  const profile = profileAndLevel >> 5;
  const level = String(profileAndLevel & 0x1f).padStart(2, "0");
  const tier = flags & 0x80 ? "H" : "M";
  const isHigh = (flags & 0x40) !== 0;
  const isTwelve = profile === 2 && (flags & 0x20) !== 0;
  const depth = isHigh ? (isTwelve ? "12" : "10") : "08";
  return `av01.${profile}.${level}${tier}.${depth}`;
}

/** vpcC (VP-ISOBMFF §2.2), or WebM's list of features, of which all three must be there. */
export function vp9CodecString(config: Uint8Array, form: "mp4" | "matroska"): string | null {
  const told = form === "mp4" ? fromVpcC(config) : fromFeatures(config);
  if (told === null) return null;
  const digits = (value: number) => String(value).padStart(2, "0");
  return `vp09.${digits(told.profile)}.${digits(told.level)}.${digits(told.bitDepth)}`;
}

interface Vp9Facts {
  readonly profile: number;
  readonly level: number;
  readonly bitDepth: number;
}

function fromVpcC(vpcC: Uint8Array): Vp9Facts | null {
  const [version = 0, , , , profile = 0, level = 0, depth = 0] = vpcC;
  if (vpcC.length < 7 || version !== 1) return null;
  return { profile, level, bitDepth: depth >> 4 };
}

/** ID, length 1, value; IDs 1, 2, 3 are profile, level and bit depth. */
function fromFeatures(features: Uint8Array): Vp9Facts | null {
  const values = new Map<number, number>();
  for (let at = 0; at + 2 < features.length; at += 3) {
    if (features[at + 1] !== 1) return null;
    values.set(features[at] ?? 0, features[at + 2] ?? 0);
  }
  const profile = values.get(1);
  const level = values.get(2);
  const bitDepth = values.get(3);
  if (profile === undefined || level === undefined || bitDepth === undefined) return null;
  return { profile, level, bitDepth };
}
