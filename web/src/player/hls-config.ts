// How hls.js is to behave towards a server that makes segments of a film which is still on its way: it waits where a
// segment waits for its pieces, and asks again where the server says "busy".

import type { HlsConfig, LoadPolicy, RetryConfig } from "hls.js";

/** The server holds a request for 40 s at most; its answer has to arrive before the player gives up by itself. */
const FIRST_BYTE_MS = 45_000;
const LOAD_MS = 180_000;
const RETRIES = 10;
const BUFFER_SEC = 30;
/** Pictures so rich that a minute of them is more than browsers keep. */
const RICH_BITS_PER_SEC = 25_000_000;
const RICH_BUFFER_SEC = 10;

/**
 * Whether the same request may be answered otherwise next time: not where the link or the session has ended, nor where
 * the server can never make what is asked for.
 */
export function isPassing(status: number | undefined): boolean {
  if (status === undefined || status === 0) return true;
  return status === 409 || status === 425 || status === 429 || (status >= 500 && status !== 507);
}

const RETRY: RetryConfig = {
  maxNumRetry: RETRIES,
  retryDelayMs: 1_000,
  maxRetryDelayMs: 8_000,
  backoff: "exponential",
  shouldRetry: (_config, retries, isTimeout, response) =>
    retries < RETRIES && (isTimeout || isPassing(response?.code)),
};

const PATIENT: LoadPolicy = {
  default: {
    maxTimeToFirstByteMs: FIRST_BYTE_MS,
    maxLoadTimeMs: LOAD_MS,
    timeoutRetry: RETRY,
    errorRetry: RETRY,
  },
};

/** Quality is the viewer's choice: what a segment took to be made says nothing about the line. */
export const HLS_CONFIG: Partial<HlsConfig> = {
  // Begins where the viewer is, once the quality is chosen.
  autoStartLoad: false,
  lowLatencyMode: false,
  testBandwidth: false,
  startFragPrefetch: true,
  preserveManualLevelOnError: true,
  // Its own text tracks have sources that the page's policy forbids.
  renderTextTracksNatively: false,
  enableCEA708Captions: false,
  enableID3MetadataCues: false,
  enableEmsgMetadataCues: false,
  maxBufferLength: BUFFER_SEC,
  backBufferLength: 60,
  maxBufferHole: 0.5,
  nudgeMaxRetry: 8,
  manifestLoadPolicy: PATIENT,
  playlistLoadPolicy: PATIENT,
  fragLoadPolicy: PATIENT,
};

/** How far ahead is loaded, and how much behind is kept. */
export function bufferFor(bitsPerSec: number): Pick<HlsConfig, "maxBufferLength" | "backBufferLength"> {
  const isRich = bitsPerSec > RICH_BITS_PER_SEC;
  return {
    maxBufferLength: isRich ? RICH_BUFFER_SEC : BUFFER_SEC,
    backBufferLength: isRich ? RICH_BUFFER_SEC : 60,
  };
}
