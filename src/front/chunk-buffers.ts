// Buffers that bodies of files read into. They are used again and again: allocated for every small range they would be
// most of what the garbage collector has to do, and its pauses the slowest answers.

/** Measured best of 64 KiB … 2 MiB. */
const CHUNK_BYTES = 256 * 1024;
const MOST_FREE = 16;

export class ChunkBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  /** Only what neither a socket nor a read can still touch. */
  giveBack(buffer: Buffer): void {
    if (this.#free.length < MOST_FREE) this.#free.push(buffer);
  }
}
