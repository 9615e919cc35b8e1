// Players and what was decided for each. A session lives for 60 s after its player was last heard of; then it sleeps:
// nothing is made for it and it counts no more, but a player that comes back (a laptop that was closed) finds it and
// goes on. One behind which the same viewer opened another of the same file sleeps sooner: mostly a page was loaded anew.
// But it may be a second device with the same link, so nothing is taken from a session that is heard of.

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
  /** Where its player said it is; what it asked for last, which may be far ahead, where it never says. */
  positionSec: number;
  /** What it asked for last of picture and sound. */
  askedSec: number;
  readonly startedAtMs: number;
}

interface Entry {
  readonly session: PlaybackSession;
  isAwake: boolean;
  heardAtMs: number;
  /** Its viewer has opened another since it was last heard of. */
  isFollowed: boolean;
  /** Its player said where it is. */
  isTold: boolean;
  /** Requests that wait for an answer. */
  waiting: number;
}

const LIFE_MS = 60_000;
const FOLLOWED_LIFE_MS = 10_000;
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
    this.#makeRoom(plan);
    for (const entry of this.#of(plan)) entry.isFollowed = true;
    const { clock, random } = this.#options;
    const id = Buffer.from(random.bytes(ID_BYTES)).toString("base64url");
    const { positionSec } = plan;
    const own = { id, startedAtMs: clock.wallMs(), askedSec: positionSec, hasVideo: false };
    const isNew = { isAwake: true, isFollowed: false, isTold: false, waiting: 0 };
    const session: PlaybackSession = { ...plan, ...own };
    this.#entries.set(id, { session, heardAtMs: clock.nowMs(), ...isNew });
    this.#forgetOldest();
    this.#watch();
    return session;
  }

  /** Its player was heard of. null for one that is not known (any more). Throws busy where it sleeps and there is no room. */
  hear(id: string, place: InputPlace): PlaybackSession | null {
    const entry = this.#entries.get(id);
    if (entry === undefined || !isOf(entry.session, place)) return null;
    if (!entry.isAwake && !this.#hasRoom(entry.session.reader)) throw full();
    entry.isAwake = true;
    entry.isFollowed = false;
    entry.heardAtMs = this.#options.clock.nowMs();
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#watch();
    return entry.session;
  }

  /** Its player waits while `work` goes on, and is heard of until it is done. */
  async whileWaiting<T>({ id }: PlaybackSession, work: () => Promise<T>): Promise<T> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return await work();
    entry.waiting++;
    try {
      return await work();
    } finally {
      entry.waiting--;
      entry.heardAtMs = this.#options.clock.nowMs();
    }
  }

  /** Its player says where it is. */
  tell({ id }: PlaybackSession, positionSec: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.isTold = true;
    entry.session.positionSec = positionSec;
  }

  /** Its player asks for a part of its picture or sound. */
  ask({ id }: PlaybackSession, atSec: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.session.askedSec = atSec;
    if (!entry.isTold) entry.session.positionSec = atSec;
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

  /** The one that was heard of longest ago first. */
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

  /** Where there is none an older session of the same viewer and file makes way that waits for nothing. Throws busy. */
  #makeRoom(plan: SessionPlan): void {
    if (this.#hasRoom(plan.reader)) return;
    const leaving = this.#of(plan).find((entry) => {
      return entry.isAwake && entry.waiting === 0 && this.#hasRoom(plan.reader, entry);
    });
    if (leaving === undefined) throw full();
    this.#sleep(leaving);
  }

  #hasRoom({ clientAddress }: ReadingViewer, without?: Entry): boolean {
    const awake = this.awake().filter((session) => session !== without?.session);
    const ofAddress = awake.filter(({ reader }) => reader.clientAddress === clientAddress).length;
    return awake.length < LIMITS.http.streams && ofAddress < LIMITS.http.streamsPerAddress;
  }

  #sleep(entry: Entry): void {
    if (!entry.isAwake) return;
    entry.isAwake = false;
    this.#options.onAsleep(entry.session);
  }

  #sweep(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const entry of this.#entries.values()) {
      const lifeMs = entry.isFollowed ? FOLLOWED_LIFE_MS : LIFE_MS;
      if (entry.waiting === 0 && entry.heardAtMs < nowMs - lifeMs) this.#sleep(entry);
    }
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

function full(): TorrxError {
  return new TorrxError("busy", "stream_limit: too many streams at once", { retryAfterSec: RETRY_SEC });
}

function isOf({ film }: PlaybackSession, { torrent, file }: InputPlace): boolean {
  return film.file.torrent === torrent && film.file.file === file;
}
