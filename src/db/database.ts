// The open database: one writer connection, transactions, repositories. Everything is synchronous and on one thread;
// no write happens on the way of a stream.

import type { Database } from "bun:sqlite";
import { describeError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { backupPathOf, copyDurably, isEmptyOrMissing } from "./database-files.ts";
import { FilesRepository } from "./files-repository.ts";
import type { InstanceLock } from "./instance-lock.ts";
import { MediaRepository } from "./media-repository.ts";
import { ResumeRepository } from "./resume-repository.ts";
import { SettingsRepository } from "./settings-repository.ts";
import { isCorruption } from "./sqlite-faults.ts";
import { StateRepository } from "./state-repository.ts";
import { TorrentsRepository } from "./torrents-repository.ts";

/** Something the user should know, for /api/status. */
export interface DatabaseWarning {
  readonly code: string;
  readonly message: string;
}

export interface DatabaseParts {
  readonly handle: Database;
  readonly path: string;
  readonly lock: InstanceLock;
  readonly log: Log;
}

export class TorrxDatabase {
  readonly path: string;
  readonly torrents: TorrentsRepository;
  readonly files: FilesRepository;
  readonly resume: ResumeRepository;
  readonly media: MediaRepository;
  readonly settings: SettingsRepository;
  readonly state: StateRepository;
  /** What the opening had to do; filled by openDatabase. */
  readonly warnings: DatabaseWarning[] = [];
  readonly #handle: Database;
  readonly #lock: InstanceLock;
  readonly #log: Log;
  #isOpen = true;
  #isDamaged = false;

  /** Throws SQLite's error where a table or column is not as the repositories expect it. */
  constructor({ handle, path, lock, log }: DatabaseParts) {
    this.#handle = handle;
    this.path = path;
    this.#lock = lock;
    this.#log = log;
    this.torrents = new TorrentsRepository(handle);
    this.files = new FilesRepository(handle);
    this.resume = new ResumeRepository(handle);
    this.media = new MediaRepository(handle);
    this.settings = new SettingsRepository(handle);
    this.state = new StateRepository(handle);
  }

  /**
   * Runs `work` in one transaction: all of it or nothing. It survives the death of the process; `durable` survives a
   * power cut as well and costs a sync. Calls nest; the outermost decides. Throws whatever `work` or SQLite throws.
   */
  write<T>(work: () => T, options: { readonly durable?: boolean } = {}): T {
    if (this.#handle.inTransaction) return work();
    if (options.durable) this.#handle.run("PRAGMA synchronous = FULL");
    try {
      return this.#transact(work);
    } catch (error) {
      this.#isDamaged ||= isCorruption(error);
      throw error;
    } finally {
      if (options.durable) this.#handle.run("PRAGMA synchronous = NORMAL");
    }
  }

  /** Checkpoints, closes, leaves a copy for the day the database is damaged, gives the lock back. Never throws. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      const isChanged = this.#changes() > 0;
      if (!this.#isDamaged) this.#handle.run("PRAGMA wal_checkpoint(TRUNCATE)");
      this.#handle.close(true);
      if (!this.#isDamaged && (isChanged || isEmptyOrMissing(backupPathOf(this.path)))) {
        copyDurably(this.path, backupPathOf(this.path));
      }
    } catch (error) {
      this.#log.warn("closing the database left no copy of it", { error: describeError(error) });
      this.#handle.close(true);
    } finally {
      this.#lock.release();
    }
  }

  #transact<T>(work: () => T): T {
    this.#handle.run("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#handle.run("COMMIT");
      return result;
    } catch (error) {
      // SQLite rolls back by itself on some errors (SQLITE_FULL), not on others.
      if (this.#handle.inTransaction) this.#handle.run("ROLLBACK");
      throw error;
    }
  }

  #changes(): number {
    return this.#handle.query<{ n: number }, []>("SELECT total_changes() AS n").get()?.n ?? 0;
  }
}
