// Checks of what goes into the addon. The addon checks again by itself; here the caller gets the name of what is wrong.

export function wholeNumber(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be a whole number from 0 on, not ${String(value)}`);
  }
  return value;
}

export function bytesOf(name: string, value: Uint8Array): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`);
  return value;
}

export function digestOf(value: Uint8Array): Uint8Array {
  if (bytesOf("sha1", value).length !== 20) throw new RangeError("sha1 must have 20 bytes");
  return value;
}

/** `runs` is read once, by the addon, before any other code can change it. */
export function runsOf(value: Float64Array, numbersEach: number): Float64Array {
  if (!(value instanceof Float64Array)) throw new TypeError("runs must be a Float64Array");
  if (value.length % numbersEach !== 0) throw new RangeError(`runs must hold ${numbersEach} numbers each`);
  for (const number of value) wholeNumber("a number of runs", number);
  return value;
}

export function hexHashOf(value: string): string {
  if (typeof value !== "string" || !/^[0-9a-f]{40}$/i.test(value)) {
    throw new TypeError("infoHash must be 40 hex digits");
  }
  return value.toLowerCase();
}
