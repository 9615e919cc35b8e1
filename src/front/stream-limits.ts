// How many streams are served at once: in all, to one address, and connections of one stream. A stream is (viewer,
// file); a place is taken per connection and given back when it ends.

import { TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

export interface StreamPlace {
  readonly viewer: string;
  readonly clientAddress: string;
  readonly torrent: string;
  readonly file: number;
}

const RETRY_SEC = 5;

export class StreamLimits {
  /** Connections by stream. */
  readonly #streams = new Map<string, number>();
  readonly #streamsOfAddress = new Map<string, number>();

  get streams(): number {
    return this.#streams.size;
  }

  /** Throws busy; the result gives the place back, however often it is called. */
  take(place: StreamPlace): () => void {
    const key = `${place.viewer} ${place.clientAddress} ${place.torrent} ${place.file}`;
    const readers = this.#streams.get(key) ?? 0;
    const ofAddress = this.#streamsOfAddress.get(place.clientAddress) ?? 0;
    const { streams, streamsPerAddress, readersPerStream } = LIMITS.http;
    const isFull =
      readers === 0
        ? this.#streams.size >= streams || ofAddress >= streamsPerAddress
        : readers >= readersPerStream;
    if (isFull) {
      throw new TorrxError("busy", "stream_limit: too many streams at once", { retryAfterSec: RETRY_SEC });
    }
    this.#streams.set(key, readers + 1);
    if (readers === 0) this.#streamsOfAddress.set(place.clientAddress, ofAddress + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#giveBack(key, place.clientAddress);
      isHeld = false;
    };
  }

  #giveBack(key: string, clientAddress: string): void {
    if (countDown(this.#streams, key) === 0) countDown(this.#streamsOfAddress, clientAddress);
  }
}

function countDown(counts: Map<string, number>, key: string): number {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
  return left;
}
