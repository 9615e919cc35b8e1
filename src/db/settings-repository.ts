// Settings and state: JSON by key. A value that is no JSON any more (a damaged row) reads as absent.

import type { Database } from "bun:sqlite";

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export class SettingsRepository {
  readonly #all;
  readonly #put;

  constructor(db: Database) {
    this.#all = db.prepare<{ key: string; value: string }, []>("SELECT key, value FROM settings");
    this.#put = db.prepare(
      "INSERT INTO settings (key, value) VALUES ($key, $value) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
  }

  all(): ReadonlyMap<string, unknown> {
    return new Map(this.#all.all().map(({ key, value }) => [key, parseOrUndefined(value)]));
  }

  put(key: string, value: JsonValue): void {
    this.#put.run({ key, value: JSON.stringify(value) });
  }
}

/** The value of a JSON text, undefined where it is none. */
export function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
