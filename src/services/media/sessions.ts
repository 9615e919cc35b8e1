// Players and what was decided for each. A session lives for 60 s after its player was last heard of; then it sleeps:
// nothing is made for it and it counts no more, but a player that comes back (a laptop that was closed) finds it and
// goes on. Of one viewer and file the newest is awake until another is heard of.

import type { Clock, Timer } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type { Decision, DecisionInput, Quality } from "../../media/index.ts";
import type { Film } from "./film.ts";
import type { InputPlace, ReadingViewer } from "./loopback-inputs.ts";

/** Of a session yet to be opened. */
export interface SessionPlan {
  readonly reader: ReadingViewer;
  readonly film: Film;
  /** What the decision was made of. */
  readonly input: Omit<DecisionInput, "machine">;
  readonly decision: Decision;
  /** Listed in the master playlist, best first; empty for sound alone. */
  readonly qualities: readonly Quality[];
  readonly positionSec: number;
  /** Opened by no player: it plays by the bare link. Its key among the viewer's. */
  readonly implicitKey: string | null;
}

export interface PlaybackSession extends SessionPlan {
  readonly id: string;
  decision: Decision;
  /** It was given some of its film's video. */
  hasVideo: boolean;
  /** Where its player said it is, or what it asked for last. */
  positionSec: number;
  readonly startedAtMs: number;
}

interface Entry {
  readonly session: PlaybackSession;
  isAwake: boolean;
  heardAtMs: number;
}

const LIFE_MS = 60_000;
const SWEEP_MS = 1_000;
const ID_BYTES = 12;
const RETRY_SEC = 5;

export interface SessionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** It has fallen asleep, or ended: what it holds is to be let go. */
  readonly onAsleep: (session: PlaybackSession) => void;
  /** Once a second while any is awake. */
  readonly onTick: () => void;
}

export class Sessions {
  readonly #options: SessionsOptions;
  /** The one that was heard of longest ago first. */
  readonly #entries = new Map<string, Entry>();
  #sweeping: Timer | null = null;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Throws busy (stream_limit). */
  open(plan: SessionPlan): PlaybackSession {
    for (const entry of this.#of(plan)) this.#sleep(entry);
    this.#checkRoom(plan.reader);
    const id = Buffer.from(this.#options.random.bytes(ID_BYTES)).toString("base64url");
    const startedAtMs = this.#options.clock.wallMs();
    const session: PlaybackSession = { ...plan, id, startedAtMs, hasVideo: false };
    this.#entries.set(id, { session, isAwake: true, heardAtMs: this.#options.clock.nowMs() });
    this.#forgetOldest();
    this.#watch();
    return session;
  }

  /** Its player was heard of. null for one that is not known (any more). Throws busy where it sleeps and there is no room. */
  hear(id: string, place: InputPlace): PlaybackSession | null {
    const entry = this.#entries.get(id);
    if (entry === undefined || !isOf(entry.session, place)) return null;
    if (!entry.isAwake) this.#checkRoom(entry.session.reader);
    entry.isAwake = true;
    entry.heardAtMs = this.#options.clock.nowMs();
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#watch();
    return entry.session;
  }

  /** The session of a bare link, awake or not; null where there is none. */
  implicit(place: InputPlace, viewer: string, key: string): PlaybackSession | null {
    for (const { session } of this.#entries.values()) {
      if (session.implicitKey === key && session.reader.viewer === viewer && isOf(session, place)) {
        return this.hear(session.id, place);
      }
    }
    return null;
  }

  end(id: string, place: InputPlace): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || !isOf(entry.session, place)) return;
    this.#sleep(entry);
    this.#entries.delete(id);
  }

  /** The torrent is gone. */
  forget(torrent: string): void {
    for (const [id, entry] of this.#entries) {
      if (entry.session.film.file.torrent !== torrent) continue;
      this.#sleep(entry);
      this.#entries.delete(id);
    }
  }

  awake(): PlaybackSession[] {
    return [...this.#entries.values()].filter(({ isAwake }) => isAwake).map(({ session }) => session);
  }

  /** That somebody watches, or may come back to. */
  films(): Film[] {
    return [...this.#entries.values()].map(({ session }) => session.film);
  }

  endAll(): void {
    for (const entry of this.#entries.values()) this.#sleep(entry);
    this.#entries.clear();
  }

  close(): void {
    this.#sweeping?.cancel();
    this.#sweeping = null;
    this.endAll();
  }

  #watch(): void {
    this.#sweeping ??= this.#options.clock.every(SWEEP_MS, () => this.#sweep());
  }

  #of({ reader, film }: SessionPlan): Entry[] {
    return [...this.#entries.values()].filter(
      ({ session }) => session.reader.viewer === reader.viewer && isOf(session, film.file),
    );
  }

  #checkRoom({ clientAddress }: ReadingViewer): void {
    const awake = this.awake();
    const ofAddress = awake.filter(({ reader }) => reader.clientAddress === clientAddress).length;
    if (awake.length < LIMITS.http.streams && ofAddress < LIMITS.http.streamsPerAddress) return;
    throw new TorrxError("busy", "stream_limit: too many streams at once", { retryAfterSec: RETRY_SEC });
  }

  #sleep(entry: Entry): void {
    if (!entry.isAwake) return;
    entry.isAwake = false;
    this.#options.onAsleep(entry.session);
  }

  #sweep(): void {
    const dueMs = this.#options.clock.nowMs() - LIFE_MS;
    for (const entry of this.#entries.values()) if (entry.heardAtMs < dueMs) this.#sleep(entry);
    this.#options.onTick();
    if (this.awake().length > 0) return;
    this.#sweeping?.cancel();
    this.#sweeping = null;
  }

  /** Awake ones are fewer than are kept. */
  #forgetOldest(): void {
    for (const [id, { isAwake }] of this.#entries) {
      if (this.#entries.size <= LIMITS.playback.sessionsKept) return;
      if (!isAwake) this.#entries.delete(id);
    }
  }
}

function isOf({ film }: PlaybackSession, { torrent, file }: InputPlace): boolean {
  return film.file.torrent === torrent && film.file.file === file;
}
