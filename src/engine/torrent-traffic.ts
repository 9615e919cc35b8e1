import type { Clock } from "../base/clock.ts";
import { RateMeter } from "../base/rate-meter.ts";

const METER_TAU_MS = 4_000;

/** Payload of one torrent in both directions: speeds of now, and totals over its whole life. */
export class TorrentTraffic {
  readonly down: RateMeter;
  readonly up: RateMeter;
  readonly #earlier: { readonly downloadedBytes: number; readonly uploadedBytes: number };

  constructor(clock: Clock, earlier: { readonly downloadedBytes: number; readonly uploadedBytes: number }) {
    this.#earlier = earlier;
    this.down = new RateMeter({ tauMs: METER_TAU_MS, nowMs: clock.nowMs() });
    this.up = new RateMeter({ tauMs: METER_TAU_MS, nowMs: clock.nowMs() });
  }

  get totals(): { readonly downloadedBytes: number; readonly uploadedBytes: number } {
    return {
      downloadedBytes: this.#earlier.downloadedBytes + this.down.totalBytes,
      uploadedBytes: this.#earlier.uploadedBytes + this.up.totalBytes,
    };
  }
}
