// Authorization headers that have proved themselves, so that argon2 runs once per login and not once per request. Kept
// as HMACs under a key of this process, never as text. A session in use does not end: a change of the credentials
// empties the cache, so what is in it is as good as on its first day; only disuse ends it. Headers that proved wrong are
// known too, for the limiter.

import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { UserSession } from "./ports.ts";

const IDLE_MS = 10 * 60_000;
const SESSIONS = 256;

interface Entry {
  readonly session: UserSession;
  usedAtMs: number;
}

export class SessionCache {
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  /** In order of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #wrong = new Set<string>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#key = random.bytes(32);
  }

  keyOf(header: string): string {
    return new Bun.CryptoHasher("sha256", this.#key).update(header).digest("base64url");
  }

  get(key: string): UserSession | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    const nowMs = this.#clock.nowMs();
    if (nowMs - entry.usedAtMs > IDLE_MS) return null;
    entry.usedAtMs = nowMs;
    this.#entries.set(key, entry);
    return entry.session;
  }

  add(key: string, username: string): UserSession {
    const session = { username, id: key.slice(0, 16) };
    this.#entries.set(key, { session, usedAtMs: this.#clock.nowMs() });
    dropOldest(this.#entries);
    return session;
  }

  addWrong(key: string): void {
    this.#wrong.add(key);
    dropOldest(this.#wrong);
  }

  isWrong(key: string): boolean {
    return this.#wrong.has(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#wrong.clear();
  }
}

function dropOldest(kept: Map<string, unknown> | Set<string>): void {
  const oldest = kept.keys().next();
  if (kept.size > SESSIONS && !oldest.done) kept.delete(oldest.value);
}
