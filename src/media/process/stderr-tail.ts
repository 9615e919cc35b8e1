// The last that a program wrote to stderr, in a ring of fixed size, fit for a log and for the user's eyes: whole lines,
// no control characters, and of a URL the scheme alone, because its path is a key to the file.

export class StderrTail {
  readonly #ring: Uint8Array;
  #written = 0;

  constructor(lengthBytes: number) {
    this.#ring = new Uint8Array(lengthBytes);
  }

  push(chunk: Uint8Array): void {
    const size = this.#ring.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - size));
    const at = (this.#written + chunk.length - kept.length) % size;
    const first = kept.subarray(0, size - at);
    this.#ring.set(first, at);
    this.#ring.set(kept.subarray(first.length), 0);
    this.#written += chunk.length;
  }

  text(): string {
    const size = this.#ring.length;
    if (this.#written <= size) return scrub(decode(this.#ring.subarray(0, this.#written)));
    const at = this.#written % size;
    const bytes = new Uint8Array(size);
    bytes.set(this.#ring.subarray(at), 0);
    bytes.set(this.#ring.subarray(0, at), size - at);
    return scrub(withoutFirstWord(decode(bytes)));
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** What the ring has cut in two could be the end of a URL: the first line goes, or the first word of an only line. */
function withoutFirstWord(text: string): string {
  const line = text.indexOf("\n");
  return text.slice(line === -1 ? Math.max(0, text.search(/\s/)) : line + 1);
}

function scrub(text: string): string {
  return (
    text
      .replace(/\r\n?/g, "\n")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must go.
      .replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]+/g, " ")
      .replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s'"]*/gi, "$1…")
      .replace(/\/[^\s'"]*(?:token|internal)[^\s'"]*/gi, "/…")
      .trim()
  );
}
