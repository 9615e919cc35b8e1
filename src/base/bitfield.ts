// A fixed-size set of piece indices in the wire's bit order (BEP 3: the high bit of byte 0 is piece 0).

export class Bitfield {
  readonly length: number;
  readonly #bytes: Uint8Array;
  #count = 0;

  constructor(length: number) {
    this.length = length;
    this.#bytes = new Uint8Array(Math.ceil(length / 8));
  }

  /** The set in `bytes`, or null when the size is wrong or a spare bit is set. */
  static tryFrom(bytes: Uint8Array, length: number): Bitfield | null {
    if (bytes.length !== Math.ceil(length / 8)) return null;
    const spareBits = bytes.length * 8 - length;
    if (spareBits > 0 && ((bytes[bytes.length - 1] ?? 0) & ((1 << spareBits) - 1)) !== 0) return null;
    const field = new Bitfield(length);
    field.#bytes.set(bytes);
    field.#count = countBits(field.#bytes);
    return field;
  }

  static full(length: number): Bitfield {
    const field = new Bitfield(length);
    field.#bytes.fill(0xff);
    const spareBits = field.#bytes.length * 8 - length;
    if (spareBits > 0) field.#bytes[field.#bytes.length - 1] = (0xff << spareBits) & 0xff;
    field.#count = length;
    return field;
  }

  /** How many bits are set. */
  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.length;
  }

  has(index: number): boolean {
    return ((this.#bytes[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0;
  }

  /** Sets the bit; true when it was clear before. */
  add(index: number): boolean {
    if (index < 0 || index >= this.length || this.has(index)) return false;
    this.#bytes[index >> 3] = (this.#bytes[index >> 3] ?? 0) | (0x80 >> (index & 7));
    this.#count++;
    return true;
  }

  /** Clears the bit; true when it was set before. */
  delete(index: number): boolean {
    if (index < 0 || index >= this.length || !this.has(index)) return false;
    this.#bytes[index >> 3] = (this.#bytes[index >> 3] ?? 0) & ~(0x80 >> (index & 7));
    this.#count--;
    return true;
  }

  /** A copy of the bits, ready for the wire or for storage. */
  toBytes(): Uint8Array {
    return this.#bytes.slice();
  }

  clone(): Bitfield {
    const copy = new Bitfield(this.length);
    copy.#bytes.set(this.#bytes);
    copy.#count = this.#count;
    return copy;
  }
}

function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (let byte of bytes) {
    for (; byte !== 0; byte &= byte - 1) count++;
  }
  return count;
}
