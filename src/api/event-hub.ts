// The live view for all subscribers at once: a snapshot for who comes, then at most one patch a second with the
// torrents that changed and of each only the keys that changed. A patch is made once, however many listen; who does
// not keep up is dropped and comes back for a new snapshot. Works only while somebody listens.

import type { Clock, Timer } from "../base/clock.ts";
import { TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { LiveEvent, LiveEvents, TorrentsService } from "../services/ports.ts";
import { type TorrentDto, torrentDto } from "./dto/torrent.ts";

const PATCH_MS = 1_000;
const GATHER_MS = 20;
const PING_MS = 8_000;
/** Text that may wait for one subscriber; the snapshot of 1,000 torrents is about 0.7 MB. */
const WAITING_BYTES = 8 * 1024 * 1024;
const TORRENTS = 1_000_000;

/** Data of the event `snapshot`. */
export interface SnapshotDto {
  readonly seq: number;
  readonly torrents: readonly TorrentDto[];
}

/** Data of the event `patch`; its `seq` is one more than that of the event before. */
export interface PatchDto {
  readonly seq: number;
  readonly torrents: readonly (Partial<TorrentDto> & Pick<TorrentDto, "id">)[];
  readonly removed: readonly string[];
}

type Subscriber = ReadableStreamDefaultController<Uint8Array>;

export interface EventHubOptions {
  readonly torrents: TorrentsService;
  readonly live: LiveEvents;
  readonly clock: Clock;
}

export class EventHub {
  readonly #options: EventHubOptions;
  readonly #subscribers = new Set<Subscriber>();
  /** What all subscribers have been told. */
  readonly #told = new Map<string, TorrentDto>();
  readonly #changed = new Map<string, TorrentDto | null>();
  #seq = 0;
  #patchTimer: Timer | null = null;
  #patchedAtMs = Number.NEGATIVE_INFINITY;
  #stop: (() => void) | null = null;

  constructor(options: EventHubOptions) {
    this.#options = options;
  }

  /** Text of an event stream. Throws busy when there are too many. */
  subscribe(): ReadableStream<Uint8Array> {
    if (this.#subscribers.size >= LIMITS.http.eventSubscribers) {
      throw new TorrxError("busy", "too many live connections", { retryAfterSec: 5 });
    }
    let own: Subscriber | null = null;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          own = controller;
          this.#welcome(controller);
        },
        cancel: () => {
          if (own !== null) this.#forget(own);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: WAITING_BYTES }),
    );
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  close(): void {
    for (const subscriber of this.#subscribers) this.#drop(subscriber);
  }

  #welcome(subscriber: Subscriber): void {
    if (this.#stop === null) this.#start();
    else this.#patch();
    this.#subscribers.add(subscriber);
    const snapshot: SnapshotDto = { seq: this.#seq, torrents: [...this.#told.values()] };
    this.#tell(subscriber, eventText("snapshot", snapshot));
  }

  #start(): void {
    const { clock, live, torrents } = this.#options;
    const unsubscribe = live.subscribe((event) => this.#note(event));
    for (const torrent of torrents.list({ limit: TORRENTS }).items)
      this.#told.set(torrent.id, torrentDto(torrent));
    const pings = clock.every(PING_MS, () => this.#broadcast(eventText("ping", {})));
    this.#stop = () => {
      unsubscribe();
      pings.cancel();
      this.#patchTimer?.cancel();
      this.#patchTimer = null;
      this.#told.clear();
      this.#changed.clear();
      this.#stop = null;
    };
  }

  #note(event: LiveEvent): void {
    this.#schedulePatch();
    if (event.type === "torrent_removed") {
      this.#changed.set(event.id, null);
      return;
    }
    const { id } = event.torrent;
    // Removed and added again between two patches: told whole, as whoever removed it has nothing left to change.
    if (this.#changed.get(id) === null) this.#told.delete(id);
    this.#changed.set(id, torrentDto(event.torrent));
  }

  /** After a quiet second a change is told at once, with what comes in the same moment. */
  #schedulePatch(): void {
    const { clock } = this.#options;
    const restMs = PATCH_MS - (clock.nowMs() - this.#patchedAtMs);
    this.#patchTimer ??= clock.after(Math.max(GATHER_MS, restMs), () => {
      this.#patchTimer = null;
      this.#patchedAtMs = clock.nowMs();
      this.#patch();
    });
  }

  #patch(): void {
    const torrents: PatchDto["torrents"][number][] = [];
    const removed: string[] = [];
    for (const [id, next] of this.#changed) {
      const before = this.#told.get(id);
      if (next === null) {
        if (this.#told.delete(id)) removed.push(id);
        continue;
      }
      this.#told.set(id, next);
      const difference = before === undefined ? next : differenceOf(before, next);
      if (difference !== null) torrents.push({ ...difference, id: next.id });
    }
    this.#changed.clear();
    if (torrents.length === 0 && removed.length === 0) return;
    this.#seq++;
    const patch: PatchDto = { seq: this.#seq, torrents, removed };
    this.#broadcast(eventText("patch", patch));
  }

  #broadcast(text: Uint8Array): void {
    for (const subscriber of this.#subscribers) this.#tell(subscriber, text);
  }

  #tell(subscriber: Subscriber, text: Uint8Array): void {
    if ((subscriber.desiredSize ?? 0) <= 0) this.#drop(subscriber);
    else subscriber.enqueue(text);
  }

  #drop(subscriber: Subscriber): void {
    this.#forget(subscriber);
    subscriber.close();
  }

  #forget(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size === 0) this.#stop?.();
  }
}

/** The keys of `next` whose value is another; null when none is. */
function differenceOf(before: TorrentDto, next: TorrentDto): Partial<TorrentDto> | null {
  const entries = Object.entries(next).filter(([key, value]) => {
    const old = before[key as keyof TorrentDto];
    return old !== value && JSON.stringify(old) !== JSON.stringify(value);
  });
  return entries.length === 0 ? null : (Object.fromEntries(entries) as Partial<TorrentDto>);
}

/** JSON has no raw line ends, so no value can begin a line of its own. */
function eventText(name: string, data: object): Uint8Array {
  return new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
