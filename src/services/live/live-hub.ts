// Live events for the subscribers of /api/events. New and removed torrents are told at once; changes are gathered and
// told at most once a second, each torrent once, as it is at that moment.

import type { InfoHash } from "../../base/brand.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { describeError, TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import type { LiveEvent, LiveEvents, TorrentView } from "../ports.ts";

const PERIOD_MS = 1_000;

export interface LiveHubParts {
  readonly clock: Clock;
  readonly log: Log;
  /** The torrent as it is now; null where it is gone. */
  readonly viewOf: (id: InfoHash) => TorrentView | null;
}

type Listener = (event: LiveEvent) => void;

export class LiveHub implements LiveEvents {
  readonly #parts: LiveHubParts;
  readonly #listeners = new Set<Listener>();
  readonly #changed = new Set<InfoHash>();
  #timer: Timer | null = null;
  #lastFlushMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LiveHubParts) {
    this.#parts = parts;
  }

  get subscribers(): number {
    return this.#listeners.size;
  }

  /** Throws busy beyond LIMITS.http.eventSubscribers. */
  subscribe(listener: Listener): () => void {
    if (this.#listeners.size >= LIMITS.http.eventSubscribers) {
      throw new TorrxError("busy", "Too many pages listen for events.", { retryAfterSec: 10 });
    }
    // Wrapped, so that the same function given twice is two subscribers.
    const own: Listener = (event) => listener(event);
    this.#listeners.add(own);
    return () => this.#unsubscribe(own);
  }

  added(torrent: TorrentView): void {
    this.#emit({ type: "torrent_added", torrent });
  }

  removed(id: InfoHash): void {
    this.#changed.delete(id);
    this.#emit({ type: "torrent_removed", id });
  }

  changed(id: InfoHash): void {
    if (this.#listeners.size === 0) return;
    this.#changed.add(id);
    if (this.#timer !== null) return;
    const sinceMs = this.#parts.clock.nowMs() - this.#lastFlushMs;
    this.#timer = this.#parts.clock.after(Math.max(0, PERIOD_MS - sinceMs), () => this.#flush());
  }

  close(): void {
    this.#listeners.clear();
    this.#forget();
  }

  #unsubscribe(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#forget();
  }

  #forget(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#changed.clear();
  }

  #flush(): void {
    this.#timer = null;
    this.#lastFlushMs = this.#parts.clock.nowMs();
    const ids = [...this.#changed];
    this.#changed.clear();
    for (const id of ids) {
      const torrent = this.#parts.viewOf(id);
      if (torrent !== null) this.#emit({ type: "torrent_changed", torrent });
    }
  }

  #emit(event: LiveEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        this.#parts.log.warn("an event listener failed", { error: describeError(error) });
      }
    }
  }
}
