// Containers put together byte by byte, for shapes that no muxer at hand writes.

export type Part = Uint8Array | number | string | readonly Part[];

/** Numbers are single bytes, strings latin1. */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map(flat)));
}

function flat(part: Part): Buffer {
  if (typeof part === "number") return Buffer.from([part]);
  if (typeof part === "string") return Buffer.from(part, "latin1");
  if (part instanceof Uint8Array) return Buffer.from(part);
  return Buffer.concat(part.map(flat));
}

export function u16(...values: readonly number[]): Uint8Array {
  return new Uint8Array(values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]));
}

export function u32(...values: readonly number[]): Uint8Array {
  return new Uint8Array(values.flatMap((value) => Array.from(u16(value >>> 16, value & 0xffff))));
}

export function u64(...values: readonly number[]): Uint8Array {
  const buffer = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) buffer.writeBigInt64BE(BigInt(value), 8 * i);
  return new Uint8Array(buffer);
}

/** EBML: an element with a size of eight bytes, so that sizes of parents do not depend on them. */
export function element(id: number, ...content: readonly Part[]): Uint8Array {
  const body = bytesOf(...content);
  return bytesOf(elementId(id), 0x01, u64(body.length).subarray(1), body);
}

/** An element whose end is told by what follows it. */
export function unknownSizeElement(id: number, ...content: readonly Part[]): Uint8Array {
  return bytesOf(elementId(id), 0x01, new Uint8Array(7).fill(0xff), bytesOf(...content));
}

export function elementId(id: number): Uint8Array {
  const hex = id.toString(16);
  return new Uint8Array(Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex"));
}

export function float64(value: number): Uint8Array {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return new Uint8Array(buffer);
}

/** ISO 14496-12: a box with a size of four bytes. */
export function box(type: string, ...content: readonly Part[]): Uint8Array {
  const body = bytesOf(...content);
  return bytesOf(u32(8 + body.length), type, body);
}

export function fullBox(type: string, version: number, ...content: readonly Part[]): Uint8Array {
  return box(type, u32(version << 24), ...content);
}

/** A box with a size of eight bytes. */
export function largeBox(type: string, ...content: readonly Part[]): Uint8Array {
  const body = bytesOf(...content);
  return bytesOf(u32(1), type, u64(16 + body.length), body);
}
