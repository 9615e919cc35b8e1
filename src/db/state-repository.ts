// What the server remembers for itself, JSON by key.

import type { Database } from "bun:sqlite";
import { type JsonValue, parseOrUndefined } from "./settings-repository.ts";

export class StateRepository {
  readonly #get;
  readonly #put;
  readonly #delete;

  constructor(db: Database) {
    this.#get = db.prepare<{ value: string }, { key: string }>("SELECT value FROM state WHERE key = $key");
    this.#put = db.prepare(
      "INSERT INTO state (key, value) VALUES ($key, $value) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    this.#delete = db.prepare("DELETE FROM state WHERE key = $key");
  }

  /** undefined where there is none, or none that can be read. */
  get(key: string): unknown {
    const row = this.#get.get({ key });
    return row === null ? undefined : parseOrUndefined(row.value);
  }

  put(key: string, value: JsonValue): void {
    this.#put.run({ key, value: JSON.stringify(value) });
  }

  delete(key: string): void {
    this.#delete.run({ key });
  }
}
