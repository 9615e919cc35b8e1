// Writes that nobody waits for (progress, resume data, metadata that arrived): each is tried at once and kept until
// it succeeds, so a full or locked disk of the database costs nothing but time. Of one key only the newest is kept.

import type { Clock, Timer } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { TorrxDatabase } from "./database.ts";
import { isWorthRetrying } from "./sqlite-faults.ts";

export interface DeferOptions {
  /** Survives a power cut as well. */
  readonly durable?: boolean;
  /** Left for the next flush instead of being tried now. */
  readonly later?: boolean;
  /** Called once it is committed. */
  readonly onDone?: () => void;
}

interface DeferredWrite {
  readonly work: () => void;
  readonly options: DeferOptions;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

export class DeferredWrites {
  readonly #database: TorrxDatabase;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting = new Map<string, DeferredWrite>();
  #retry: Timer | null = null;
  #retryMs = FIRST_RETRY_MS;
  #failure: unknown = null;

  constructor(parts: { database: TorrxDatabase; clock: Clock; log: Log }) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Why writes wait at the moment, else null. */
  get failure(): unknown {
    return this.#failure;
  }

  /** How many writes wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Writes now, or as soon as it works. `key` names what is written: a newer write of it replaces a waiting one. */
  put(key: string, work: () => void, options: DeferOptions = {}): void {
    // Deleted first so that the replacement runs after everything that was put before it.
    this.#waiting.delete(key);
    this.#waiting.set(key, { work, options });
    if (this.#retry === null && !options.later) this.flush();
  }

  /** Forgets the waiting writes whose key ends in `:id` (the torrent is gone). */
  drop(id: string): void {
    for (const key of this.#waiting.keys()) {
      if (key.endsWith(`:${id}`)) this.#waiting.delete(key);
    }
  }

  /** Tries everything that waits, in order and in one transaction; true when nothing is left. */
  flush(): boolean {
    const batch = [...this.#waiting];
    if (batch.length === 0) return true;
    const isDurable = batch.some(([, { options }]) => options.durable);
    try {
      this.#database.write(() => runAll(batch.map(([, { work }]) => work)), { durable: isDurable });
    } catch (error) {
      if (isWorthRetrying(error)) return this.#onFailure(error);
      return this.#flushOneByOne();
    }
    for (const [key, write] of batch) this.#finish(key, write);
    this.#onSuccess();
    return true;
  }

  /** The last try; what still waits is lost and said so. */
  close(): void {
    const isWritten = this.flush();
    this.#retry?.cancel();
    this.#retry = null;
    if (!isWritten) this.#log.error("state was lost at stop", { writes: this.#waiting.size });
  }

  #flushOneByOne(): boolean {
    for (const [key, write] of this.#waiting) {
      try {
        this.#database.write(write.work, { durable: write.options.durable ?? false });
        this.#finish(key, write);
      } catch (error) {
        if (isWorthRetrying(error)) return this.#onFailure(error);
        // It would fail for ever and hold up the rest; typically its torrent was removed meanwhile.
        this.#waiting.delete(key);
        this.#log.error("database write dropped", { key, error: describeError(error) });
      }
    }
    this.#onSuccess();
    return true;
  }

  #finish(key: string, write: DeferredWrite): void {
    if (this.#waiting.get(key) === write) this.#waiting.delete(key);
    write.options.onDone?.();
  }

  #onFailure(error: unknown): false {
    if (this.#failure === null) this.#log.error("database write failed", { error: describeError(error) });
    this.#failure = error;
    this.#retry?.cancel();
    this.#retry = this.#clock.after(this.#retryMs, () => this.flush());
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    return false;
  }

  #onSuccess(): void {
    if (this.#failure !== null) this.#log.info("database writes work again");
    this.#failure = null;
    this.#retry?.cancel();
    this.#retry = null;
    this.#retryMs = FIRST_RETRY_MS;
  }
}

function runAll(tasks: readonly (() => void)[]): void {
  for (const task of tasks) task();
}
