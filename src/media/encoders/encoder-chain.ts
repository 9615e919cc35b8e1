// The encoders that still work in this process. A device that failed once is not tried again until the next start:
// drivers that hang take the film with them every time.

import type { VideoEncoder } from "../ports.ts";

export class EncoderChain {
  #working: readonly VideoEncoder[];

  constructor(proved: readonly VideoEncoder[]) {
    this.#working = proved;
  }

  /** Best first. */
  get working(): readonly VideoEncoder[] {
    return this.#working;
  }

  /**
   * A run with this encoder failed: hardware leaves the chain. Returns what to try instead, or null. x264 stays, since
   * what it cannot encode no other encoder would have been given.
   */
  failed(encoder: VideoEncoder): VideoEncoder | null {
    if (encoder.kind === "x264") return null;
    this.#working = this.#working.filter((other) => !isSame(other, encoder));
    return this.#working[0] ?? null;
  }
}

function isSame(a: VideoEncoder, b: VideoEncoder): boolean {
  const deviceOf = (encoder: VideoEncoder) => ("device" in encoder ? encoder.device : null);
  return a.kind === b.kind && deviceOf(a) === deviceOf(b);
}
