// The renditions that are being watched, each made once for all who watch it. Who changes to another track or quality
// lets go of the one before, and what nobody holds is not made any more: its programs end at once, and what they made is
// dropped a little later, when they are gone and can put nothing back.

import type { InfoHash } from "../../base/brand.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type LoopbackInput, neededInSec } from "../../media/index.ts";
import type { MadeRendition, MakeRendition, RenditionOrder } from "./ports.ts";
import type { PlaybackSession } from "./sessions.ts";

/** A program begins to read, from `startBytes` on, what `session` wants. */
export type OpenInput = (
  session: PlaybackSession,
  order: RenditionOrder,
  startBytes: number,
) => LoopbackInput;

export interface SharedRenditionsParts {
  readonly make: MakeRendition;
  readonly openInput: OpenInput;
  /** Forgets what has been made of a rendition. */
  readonly drop: (name: string) => void;
  readonly clock: Clock;
  readonly log: Log;
}

interface Hold {
  readonly session: PlaybackSession;
  readonly segment: number;
  readonly usedAtMs: number;
}

interface Entry {
  readonly order: RenditionOrder;
  readonly made: MadeRendition;
  /** By session. */
  readonly holds: Map<string, Hold>;
  /** Who asked last. */
  last: Hold;
  /** What programs read by. */
  readonly inputs: Set<LoopbackInput>;
}

/** A player that changes over asks for both for a moment. */
const CHANGE_OVER_MS = 3_000;
/** For whom changes back, or comes back at once. */
const LINGER_MS = 60_000;

export class SharedRenditions {
  readonly #parts: SharedRenditionsParts;
  readonly #entries = new Map<string, Entry>();
  /** Programs of renditions that were let go, until they are gone. */
  readonly #closing = new Map<string, Promise<void>>();
  /** What was made of renditions that nobody holds, until it is dropped. */
  readonly #lingering = new Map<string, Timer>();
  #isClosed = false;

  constructor(parts: SharedRenditionsParts) {
    this.#parts = parts;
  }

  /** The rendition, held from now on by the session, which is at `segment` of it. */
  hold(session: PlaybackSession, order: RenditionOrder, segment: number): MadeRendition {
    const hold = { session, segment, usedAtMs: this.#parts.clock.nowMs() };
    const entry = this.#entries.get(order.name) ?? this.#begin(order, hold);
    entry.holds.set(session.id, hold);
    entry.last = hold;
    return entry.made;
  }

  /** The session wants nothing any more. */
  release(session: PlaybackSession): void {
    for (const entry of this.#entries.values()) this.#drop(entry, session.id);
  }

  /** Ends what sessions have changed away from. */
  sweep(): void {
    const dueMs = this.#parts.clock.nowMs() - CHANGE_OVER_MS;
    for (const entry of this.#entries.values()) {
      for (const [session, { usedAtMs }] of entry.holds) {
        if (usedAtMs < dueMs && this.#hasNewer(session, entry, usedAtMs)) this.#drop(entry, session);
      }
    }
  }

  /** The torrent is gone, and its sessions: nothing of it is kept, also of what is just being made. */
  forget(torrent: InfoHash): void {
    const isIts = (name: string) => name.startsWith(`${torrent}/`);
    for (const name of [...this.#lingering.keys()].filter(isIts)) this.#dropMade(name);
    for (const [name, closing] of this.#closing) {
      if (isIts(name)) void closing.then(() => this.#dropMade(name));
    }
  }

  /** When all of it has ended. What was made is left to who closes the store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#lingering.values()) timer.cancel();
    this.#lingering.clear();
    for (const entry of this.#entries.values()) this.#end(entry);
    await Promise.all(this.#closing.values());
  }

  /** For the store: in how many seconds of film somebody needs the segment. */
  neededIn(name: string, segment: number | "init"): number | null {
    const entry = this.#entries.get(name);
    if (entry === undefined) return Number.POSITIVE_INFINITY;
    const { plan, work } = entry.order;
    const { kind } = work.making;
    const isCopied = kind === "copy_video" || kind === "copy_audio";
    const placesSec = [...entry.holds.values()].map((hold) => plan.boundariesSec[hold.segment] ?? 0);
    return neededInSec({ plan, isCopied, placesSec }, segment);
  }

  #begin(order: RenditionOrder, hold: Hold): Entry {
    const { make, openInput } = this.#parts;
    const made = make(order, (fromBytes) => {
      const { session, segment } = watcherAt(entry, fromBytes);
      const input = openInput(session, order, fromBytes ?? startOf(session, order, segment));
      entry.inputs.add(input);
      return Promise.resolve({ url: input.url, close: () => this.#closeInput(entry, input) });
    });
    const entry: Entry = { order, made, holds: new Map(), last: hold, inputs: new Set() };
    this.#entries.set(order.name, entry);
    this.#lingering.get(order.name)?.cancel();
    this.#lingering.delete(order.name);
    return entry;
  }

  #hasNewer(session: string, { order }: Entry, usedAtMs: number): boolean {
    for (const other of this.#entries.values()) {
      const hold = other.holds.get(session);
      if (other.order.kind === order.kind && hold !== undefined && hold.usedAtMs > usedAtMs) return true;
    }
    return false;
  }

  #drop(entry: Entry, session: string): void {
    if (entry.holds.delete(session) && entry.holds.size === 0) this.#end(entry);
  }

  #closeInput(entry: Entry, input: LoopbackInput): void {
    entry.inputs.delete(input);
    input.close();
  }

  #end(entry: Entry): void {
    const { order, made } = entry;
    const { name } = order;
    this.#entries.delete(name);
    // Before its programs are gone: what they wanted is not fetched for another moment.
    for (const input of [...entry.inputs]) this.#closeInput(entry, input);
    const closing = Promise.all([this.#closing.get(name), made.close()])
      .catch((error: unknown) => {
        this.#parts.log.error("a rendition did not end", { rendition: name, error: describeError(error) });
      })
      .then(() => {
        if (this.#closing.get(name) !== closing) return;
        this.#closing.delete(name);
        if (!this.#isClosed && !this.#entries.has(name)) this.#linger(name);
      });
    this.#closing.set(name, closing);
  }

  #linger(name: string): void {
    this.#lingering.set(
      name,
      this.#parts.clock.after(LINGER_MS, () => this.#dropMade(name)),
    );
  }

  #dropMade(name: string): void {
    this.#lingering.get(name)?.cancel();
    this.#lingering.delete(name);
    if (!this.#entries.has(name)) this.#parts.drop(name);
  }
}

/** Who watches nearest to where a program begins to read: it reads for them. */
function watcherAt({ order, holds, last }: Entry, fromBytes: number | null): Hold {
  if (fromBytes === null) return last;
  const awayOf = ({ session, segment }: Hold) => Math.abs(startOf(session, order, segment) - fromBytes);
  const later = (a: Hold, b: Hold) => b.usedAtMs - a.usedAtMs;
  const [nearest] = [...holds.values()].sort((a, b) => awayOf(a) - awayOf(b) || later(a, b));
  return nearest ?? last;
}

function startOf({ film }: PlaybackSession, { plan }: RenditionOrder, segment: number): number {
  return film.bytesOf(plan, segment).start;
}
