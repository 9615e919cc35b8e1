// Bencode (BEP 3) for hostile input: iterative, bounded in depth and tokens, exact about offsets. Dictionaries become
// Maps (a "__proto__" key is just a key); keys are read as latin1 so that any bytes survive a round trip.

export type BencodeValue = number | Uint8Array | readonly BencodeValue[] | BencodeDict;
export type BencodeDict = ReadonlyMap<string, BencodeValue>;

/** What the input did wrong; callers wrap it into the error that fits them. */
export class BencodeError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.name = "BencodeError";
    this.offset = offset;
  }
}

export interface BencodeLimits {
  readonly maxTokens: number;
  readonly maxDepth: number;
}

export interface DecodedPrefix {
  readonly value: BencodeValue;
  /** One past the last byte of the value. */
  readonly endOffset: number;
}

interface OpenContainer {
  readonly list: BencodeValue[] | null;
  readonly dict: Map<string, BencodeValue> | null;
  key: string | null;
  /** Offset of the value that the current key names; told to `onEntry`. */
  keyedAt: number;
}

/** Told of every entry of a dictionary: its nesting depth (0 = outermost), key and the raw extent of its value. */
export type EntryListener = (depth: number, key: string, startOffset: number, endOffset: number) => void;

const DEFAULT_LIMITS: BencodeLimits = { maxTokens: 100_000, maxDepth: 64 };
const COLON = 0x3a;
const DICT = 0x64;
const END = 0x65;
const INTEGER = 0x69;
const LIST = 0x6c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const UTF8 = new TextDecoder();

/** The one value that `bytes` consists of. Throws BencodeError, also on trailing bytes. */
export function decodeBencode(
  bytes: Uint8Array,
  limits = DEFAULT_LIMITS,
  onEntry?: EntryListener,
): BencodeValue {
  const { value, endOffset } = decodeBencodePrefix(bytes, limits, onEntry);
  if (endOffset !== bytes.length) throw new BencodeError("bytes after the end of the value", endOffset);
  return value;
}

/** The value that `bytes` begins with (BEP 9 puts raw data behind a dictionary). */
export function decodeBencodePrefix(
  bytes: Uint8Array,
  limits = DEFAULT_LIMITS,
  onEntry?: EntryListener,
): DecodedPrefix {
  return new Decoder(bytes, limits, onEntry).run();
}

class Decoder {
  readonly #bytes: Uint8Array;
  readonly #limits: BencodeLimits;
  readonly #onEntry: EntryListener | undefined;
  readonly #open: OpenContainer[] = [];
  #at = 0;
  #tokens = 0;

  constructor(bytes: Uint8Array, limits: BencodeLimits, onEntry: EntryListener | undefined) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#onEntry = onEntry;
  }

  run(): DecodedPrefix {
    for (;;) {
      const done = this.#step();
      if (done !== undefined) return { value: done, endOffset: this.#at };
    }
  }

  /** Reads one token; the whole value when it was the last. */
  #step(): BencodeValue | undefined {
    if (++this.#tokens > this.#limits.maxTokens) throw this.#error("too many values");
    const byte = this.#bytes[this.#at];
    const top = this.#open.at(-1);
    if (byte === END && top !== undefined) return this.#close(top);
    if (top?.dict && top.key === null) {
      this.#readKey(top);
      return undefined;
    }
    if (byte === INTEGER) return this.#add(this.#readInteger());
    if (byte === LIST || byte === DICT) {
      this.#openContainer(byte === LIST);
      return undefined;
    }
    return this.#add(this.#readString());
  }

  #openContainer(isList: boolean): void {
    if (this.#open.length >= this.#limits.maxDepth) throw this.#error("nested too deeply");
    this.#at++;
    this.#open.push({ list: isList ? [] : null, dict: isList ? null : new Map(), key: null, keyedAt: 0 });
  }

  #close(top: OpenContainer): BencodeValue | undefined {
    if (top.key !== null) throw this.#error("dictionary key without a value");
    this.#at++;
    this.#open.pop();
    return this.#add(top.list ?? top.dict ?? []);
  }

  #readKey(top: OpenContainer): void {
    const key = Buffer.from(this.#readString()).toString("latin1");
    if (top.dict?.has(key)) throw this.#error("the same key twice");
    top.key = key;
    top.keyedAt = this.#at;
  }

  #add(value: BencodeValue): BencodeValue | undefined {
    const top = this.#open.at(-1);
    if (top === undefined) return value;
    if (top.list) {
      top.list.push(value);
    } else if (top.key !== null) {
      this.#onEntry?.(this.#open.length - 1, top.key, top.keyedAt, this.#at);
      top.dict?.set(top.key, value);
      top.key = null;
    }
    return undefined;
  }

  #readInteger(): number {
    const start = ++this.#at;
    const isNegative = this.#bytes[this.#at] === MINUS;
    if (isNegative) this.#at++;
    const value = this.#readDigits(END);
    if (isNegative && value === 0) throw new BencodeError("negative zero", start);
    return isNegative ? -value : value;
  }

  #readString(): Uint8Array {
    const length = this.#readDigits(COLON);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw this.#error("string runs past the end");
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  /** A canonical decimal number and the byte that ends it. */
  #readDigits(terminator: number): number {
    const start = this.#at;
    let value = 0;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
      if (!Number.isSafeInteger(value)) throw this.#error("number out of range");
      this.#at++;
    }
    const digits = this.#at - start;
    if (digits === 0 || this.#bytes[this.#at] !== terminator) throw this.#error("not bencode");
    if (digits > 1 && this.#bytes[start] === ZERO) throw new BencodeError("leading zero", start);
    this.#at++;
    return value;
  }

  #error(message: string): BencodeError {
    return new BencodeError(message, this.#at);
  }
}

export type BencodeInput =
  | number
  | string
  | Uint8Array
  | readonly BencodeInput[]
  | ReadonlyMap<string, BencodeInput>
  | { readonly [key: string]: BencodeInput | undefined };

/**
 * Canonical bencode; dictionary keys sorted as raw bytes. Undefined entries are left out. Throws RangeError for a
 * number that is no safe integer.
 */
export function encodeBencode(value: BencodeInput): Uint8Array {
  const parts: Uint8Array[] = [];
  encodeInto(value, parts);
  return new Uint8Array(Buffer.concat(parts));
}

function encodeInto(value: BencodeInput, parts: Uint8Array[]): void {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError("not an integer that bencode can carry");
    parts.push(Buffer.from(`i${value}e`));
  } else if (typeof value === "string") {
    encodeInto(Buffer.from(value, "utf8"), parts);
  } else if (value instanceof Uint8Array) {
    parts.push(Buffer.from(`${value.length}:`), value);
  } else if (Array.isArray(value)) {
    parts.push(Buffer.from("l"));
    for (const item of value) encodeInto(item, parts);
    parts.push(Buffer.from("e"));
  } else {
    encodeDictInto(value as Exclude<typeof value, readonly BencodeInput[]>, parts);
  }
}

function encodeDictInto(
  value: ReadonlyMap<string, BencodeInput> | { readonly [key: string]: BencodeInput | undefined },
  parts: Uint8Array[],
): void {
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const keyed = entries.map(([key, item]) => [Buffer.from(key, "latin1"), item] as const);
  keyed.sort(([a], [b]) => Buffer.compare(a, b));
  parts.push(Buffer.from("d"));
  for (const [key, item] of keyed) {
    if (item === undefined) continue;
    encodeInto(key, parts);
    encodeInto(item, parts);
  }
  parts.push(Buffer.from("e"));
}

/** Typed access to a dictionary of unknown shape: null where the key is absent or of another type. */
export function asDict(value: BencodeValue | undefined): BencodeDict | null {
  return value instanceof Map ? value : null;
}

export function asList(value: BencodeValue | undefined): readonly BencodeValue[] | null {
  return Array.isArray(value) ? value : null;
}

export function asInteger(value: BencodeValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

export function asBytes(value: BencodeValue | undefined): Uint8Array | null {
  return value instanceof Uint8Array ? value : null;
}

/** The string as UTF-8, malformed sequences replaced. */
export function asText(value: BencodeValue | undefined): string | null {
  return value instanceof Uint8Array ? UTF8.decode(value) : null;
}
