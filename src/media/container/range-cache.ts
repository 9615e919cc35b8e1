// Bytes of a file that is still being fetched: every read may wait for pieces of the torrent, so neighbouring reads
// share one request for whole pages. What one index may cost is bounded; past that it is given up as too large.

import { LIMITS } from "../../base/limits.ts";
import type { MediaSource } from "../ports.ts";
import { broken, IndexFault } from "./index-fault.ts";

const { pageBytes: PAGE_BYTES, directReadBytes, totalBytes } = LIMITS.mediaIndex;

export class RangeCache {
  readonly #source: MediaSource;
  readonly #signal: AbortSignal;
  readonly #pages = new Map<number, Uint8Array>();
  #fetchedBytes = 0;

  /** Reads reject with the signal's reason once it is aborted. */
  constructor(source: MediaSource, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  get lengthBytes(): number {
    return this.#source.lengthBytes;
  }

  /** Exactly these bytes, not to be written to. IndexFault "broken" where the file ends before. */
  async read(start: number, lengthBytes: number): Promise<Uint8Array> {
    const end = start + lengthBytes;
    if (!(start >= 0 && lengthBytes >= 0 && end <= this.lengthBytes)) throw broken();
    if (lengthBytes > directReadBytes) return await this.#fetch(start, end);
    if (lengthBytes === 0) return new Uint8Array();
    const first = Math.floor(start / PAGE_BYTES);
    const last = Math.floor((end - 1) / PAGE_BYTES);
    await this.#load(first, last);
    return this.#assemble(start, end);
  }

  /** As `read`, but fewer bytes where the file ends before. */
  async readUpTo(start: number, lengthBytes: number): Promise<Uint8Array> {
    const leftBytes = Math.max(0, this.lengthBytes - start);
    return await this.read(Math.min(start, this.lengthBytes), Math.min(lengthBytes, leftBytes));
  }

  /** One request spans all pages that are missing. */
  async #load(first: number, last: number): Promise<void> {
    while (first <= last && this.#pages.has(first)) first++;
    while (last >= first && this.#pages.has(last)) last--;
    if (first > last) return;
    const start = first * PAGE_BYTES;
    const bytes = await this.#fetch(start, Math.min(this.lengthBytes, (last + 1) * PAGE_BYTES));
    for (let page = first; page <= last; page++) {
      const at = page * PAGE_BYTES - start;
      this.#pages.set(page, bytes.subarray(at, at + PAGE_BYTES));
    }
  }

  #assemble(start: number, end: number): Uint8Array {
    const page = Math.floor(start / PAGE_BYTES);
    const from = start - page * PAGE_BYTES;
    if (from + end - start <= PAGE_BYTES) return this.#page(page).subarray(from, from + end - start);
    const bytes = new Uint8Array(end - start);
    for (let at = start; at < end; ) {
      const number = Math.floor(at / PAGE_BYTES);
      const part = this.#page(number).subarray(at - number * PAGE_BYTES, end - number * PAGE_BYTES);
      bytes.set(part, at - start);
      at += part.length;
    }
    return bytes;
  }

  #page(number: number): Uint8Array {
    const page = this.#pages.get(number);
    if (page === undefined || page.length === 0) throw broken();
    return page;
  }

  async #fetch(start: number, end: number): Promise<Uint8Array> {
    this.#signal.throwIfAborted();
    this.#fetchedBytes += end - start;
    if (this.#fetchedBytes > totalBytes) throw new IndexFault("too_large");
    const bytes = await this.#source.read(start, end - start, this.#signal);
    this.#signal.throwIfAborted();
    if (bytes.length !== end - start) throw broken();
    return bytes;
  }
}
