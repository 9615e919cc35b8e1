// A MediaSource over bytes in memory that tells what was read of it, and can keep some of it back.

import type { MediaSource } from "../../../../src/media/ports.ts";

export class CountedSource implements MediaSource {
  readonly reads: { readonly at: number; readonly lengthBytes: number }[] = [];
  readonly #bytes: Uint8Array;
  /** From here on nothing is there yet. */
  #availableBytes: number;
  #waiters: (() => void)[] = [];

  constructor(bytes: Uint8Array, availableBytes = bytes.length) {
    this.#bytes = bytes;
    this.#availableBytes = availableBytes;
  }

  get lengthBytes(): number {
    return this.#bytes.length;
  }

  get readBytes(): number {
    return this.reads.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  }

  /** The first and the last byte that was read, [start, end). */
  get span(): { start: number; end: number } {
    const ends = this.reads.map(({ at, lengthBytes }) => at + lengthBytes);
    return { start: Math.min(...this.reads.map(({ at }) => at)), end: Math.max(...ends) };
  }

  forget(): void {
    this.reads.length = 0;
  }

  arrive(availableBytes: number): void {
    this.#availableBytes = availableBytes;
    for (const wake of this.#waiters.splice(0)) wake();
  }

  async read(at: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    this.reads.push({ at, lengthBytes });
    const end = Math.min(at + lengthBytes, this.#bytes.length);
    while (end > this.#availableBytes) await this.#more(signal);
    signal.throwIfAborted();
    return this.#bytes.slice(at, end);
  }

  async #more(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#waiters.push(resolve);
    await promise.finally(() => signal.removeEventListener("abort", onAbort));
  }
}
