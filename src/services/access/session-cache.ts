// Authorization headers that have proved themselves, so that argon2 runs once per login and not once per request. Kept
// as HMACs under a key of this process, never as text. A session in use does not end: a change of the credentials
// empties the cache, so what is in it is as good as on its first day; only disuse ends it.

import { createHmac } from "node:crypto";
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

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#key = random.bytes(32);
  }

  keyOf(header: string): string {
    return createHmac("sha256", this.#key).update(header).digest("base64url");
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
    if (this.#entries.size > SESSIONS) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return session;
  }

  clear(): void {
    this.#entries.clear();
  }
}
