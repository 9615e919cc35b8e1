// Every stream of the HTTP side and the memory they share. A stream outlives its connections by 60 s, so that a player
// that comes back finds its window; its memory goes with it, or at once with its torrent.

import type { InfoHash } from "../../base/brand.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { BufferSizes, BufferUsage, ReaderId, StreamBuffers } from "../ports.ts";
import { shareOf } from "../share.ts";
import { areSharing } from "./budget.ts";
import type { OpenFile } from "./node-file.ts";
import type { Seat, SeatEvents } from "./seat.ts";
import { type StreamPlace, ViewerStream } from "./viewer-stream.ts";
import type { WindowMemory } from "./window-memory.ts";

const LINGER_MS = 60_000;
/**
 * What keeps to its bounds by itself (the shapes of the windows, the account of the arena) must not run into the pool's
 * limit when a torrent that holds nothing is granted a piece beyond the account.
 */
const SLACK_BYTES = 256 * 1024 * 1024;

export interface StreamWindowsOptions {
  readonly memory: WindowMemory;
  readonly clock: Clock;
  readonly openFile: OpenFile;
  /** For pieces in the making; counts to the capacity, not to the streams' share. */
  readonly arenaBytes: number;
  /** Until resize(). */
  readonly sizes: BufferSizes;
}

interface Entry {
  readonly stream: ViewerStream;
  /** Runs while nobody is connected. */
  lingering: Timer | null;
}

/** A connection's hold on its stream. */
export interface Seated {
  readonly stream: ViewerStream;
  readonly seat: Seat;
  /** Idempotent. */
  leave(): void;
}

export class StreamWindows implements StreamBuffers {
  readonly #options: StreamWindowsOptions;
  /** In the order in which they began. */
  readonly #entries = new Map<string, Entry>();
  #sizes: BufferSizes;
  #lastReader = 0;

  constructor(options: StreamWindowsOptions) {
    this.#options = options;
    this.#sizes = options.sizes;
    this.#setCapacity();
  }

  nextReaderId(): ReaderId {
    return ++this.#lastReader;
  }

  /** The stream of the place, begun where there is none, with one more connection. */
  enter(place: StreamPlace, events: SeatEvents): Seated {
    const key = keyOf(place);
    const entry = this.#entries.get(key) ?? this.#begin(key, place);
    entry.lingering?.cancel();
    entry.lingering = null;
    const seat = entry.stream.sit(events);
    return { stream: entry.stream, seat, leave: () => this.#leave(key, entry, seat) };
  }

  resize(sizes: BufferSizes): void {
    this.#sizes = sizes;
    this.#share();
    this.#setCapacity();
  }

  usage(): BufferUsage {
    const { memory, arenaBytes } = this.#options;
    const figures = memory.figures();
    const count = this.#entries.size;
    return {
      usedBytes: figures.windowBytes + figures.arenaBytes,
      capBytes: this.#sizes.ramTotalBytes + arenaBytes,
      sharedBytes: areSharing(this.#sizes, count) ? shareOf(this.#sizes, count) : null,
      streams: [...this.#entries.values()].map(({ stream }) => stream.buffer()),
    };
  }

  removeTorrent(torrent: InfoHash): void {
    this.#endWhere(
      ({ stream }) => stream.place.torrent === torrent,
      new TorrxError("not_found", "The torrent was removed."),
    );
  }

  /** Ends every stream. */
  close(): void {
    this.#endWhere(() => true, new TorrxError("not_found", "The server stops."));
  }

  #begin(key: string, place: StreamPlace): Entry {
    const { memory, clock, openFile } = this.#options;
    if (this.#entries.size >= LIMITS.http.streams) this.#endOldestLingering();
    const stream = new ViewerStream(place, this.#allowance(), { memory, clock, openFile });
    const entry: Entry = { stream, lingering: null };
    this.#entries.set(key, entry);
    this.#share();
    return entry;
  }

  #leave(key: string, entry: Entry, seat: Seat): void {
    entry.stream.leave(seat);
    if (entry.stream.readers > 0 || entry.lingering !== null || this.#entries.get(key) !== entry) return;
    if (entry.stream.hasServed)
      entry.lingering = this.#options.clock.after(LINGER_MS, () => this.#end(entry));
    else this.#end(entry);
  }

  #end(entry: Entry): void {
    this.#endWhere((other) => other === entry, new TorrxError("not_found", "The stream has ended."));
  }

  /** A viewer that changes its name with every request would otherwise leave others nothing of the memory. */
  #endOldestLingering(): void {
    for (const entry of this.#entries.values()) {
      if (entry.lingering === null) continue;
      this.#end(entry);
      return;
    }
  }

  #endWhere(matches: (entry: Entry) => boolean, error: TorrxError): void {
    for (const [key, entry] of this.#entries) {
      if (!matches(entry)) continue;
      this.#entries.delete(key);
      entry.lingering?.cancel();
      entry.stream.end(error);
    }
    this.#share();
  }

  #share(): void {
    const allowance = this.#allowance();
    for (const { stream } of this.#entries.values()) stream.allow(allowance);
  }

  #allowance() {
    return {
      shareBytes: shareOf(this.#sizes, this.#entries.size),
      aheadPercent: this.#sizes.bufferAheadPercent,
    };
  }

  #setCapacity(): void {
    const { memory, arenaBytes } = this.#options;
    memory.setCapacity(arenaBytes + this.#sizes.ramTotalBytes + SLACK_BYTES);
  }
}

function keyOf({ torrent, file, viewer }: StreamPlace): string {
  return `${torrent}:${file}:${viewer}`;
}
