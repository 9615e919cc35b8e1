// What this machine's ffmpeg proved able to do.

import type { VideoEncoder } from "../ports.ts";

export interface EncoderFacts {
  /** Each made a real picture here; the one to prefer first, x264 last. Empty = nothing can be encoded. */
  readonly encoders: readonly VideoEncoder[];
  /** Of libx264 (veryfast, 720p), per second of one core; null = not measured. */
  readonly x264PixelsPerCoreSec: number | null;
  /** The filters that turn HDR into SDR well (zscale, tonemap) are there. */
  readonly canToneMap: boolean;
}
