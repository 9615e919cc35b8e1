// Bytes per second as an exponentially weighted mean: recent traffic counts most, silence decays towards zero.

export class RateMeter {
  readonly #tauMs: number;
  #rate = 0;
  #pendingBytes = 0;
  #updatedAtMs: number;
  #totalBytes = 0;

  constructor(options: { tauMs: number; nowMs: number }) {
    this.#tauMs = options.tauMs;
    this.#updatedAtMs = options.nowMs;
  }

  add(bytes: number): void {
    this.#pendingBytes += bytes;
    this.#totalBytes += bytes;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Bytes per second as of now. */
  rate(nowMs: number): number {
    const elapsedMs = nowMs - this.#updatedAtMs;
    if (elapsedMs < 50) return this.#rate;
    const weight = 1 - Math.exp(-elapsedMs / this.#tauMs);
    this.#rate += weight * ((this.#pendingBytes * 1000) / elapsedMs - this.#rate);
    if (this.#rate < 1) this.#rate = 0;
    this.#pendingBytes = 0;
    this.#updatedAtMs = nowMs;
    return this.#rate;
  }
}
