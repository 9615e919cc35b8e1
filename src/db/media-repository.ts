// What was found out about media files, as their finder wrote it. Rows of another version of the finder read as absent.

import type { Database } from "bun:sqlite";
import type { InfoHash } from "../base/brand.ts";
import { type JsonValue, parseOrUndefined } from "./settings-repository.ts";

export interface MediaFileKey {
  readonly torrent: InfoHash;
  readonly file: number;
  /** Version of the code that found it out. */
  readonly reader: number;
}

export interface MediaIndexRow {
  readonly facts: JsonValue;
  readonly keyframes: Uint8Array | null;
}

type Key = { torrent: string; file: number; reader: number };

const WHERE = "WHERE torrent_id = $torrent AND file_index = $file AND reader = $reader";
const SELECT_INDEX = `SELECT facts, keyframes FROM media_index ${WHERE}`;
const SELECT_PROBE = `SELECT facts FROM media_probe ${WHERE}`;

export class MediaRepository {
  readonly #index;
  readonly #putIndex;
  readonly #probe;
  readonly #putProbe;

  constructor(db: Database) {
    this.#index = db.prepare<{ facts: string; keyframes: Uint8Array | null }, Key>(SELECT_INDEX);
    this.#probe = db.prepare<{ facts: string }, Key>(SELECT_PROBE);
    this.#putIndex = db.prepare(
      `INSERT OR REPLACE INTO media_index (torrent_id, file_index, reader, facts, keyframes)
       VALUES ($torrent, $file, $reader, $facts, $keyframes)`,
    );
    this.#putProbe = db.prepare(
      `INSERT OR REPLACE INTO media_probe (torrent_id, file_index, reader, facts)
       VALUES ($torrent, $file, $reader, $facts)`,
    );
  }

  /** undefined where there is none, or none that can be read. */
  index(key: MediaFileKey): { readonly facts: unknown; readonly keyframes: Uint8Array | null } | undefined {
    const row = this.#index.get({ ...key });
    if (row === null) return undefined;
    return { facts: parseOrUndefined(row.facts), keyframes: row.keyframes };
  }

  putIndex(key: MediaFileKey, { facts, keyframes }: MediaIndexRow): void {
    this.#putIndex.run({ ...key, facts: JSON.stringify(facts), keyframes });
  }

  /** undefined where there is none, or none that can be read. */
  probe(key: MediaFileKey): unknown {
    const row = this.#probe.get({ ...key });
    return row === null ? undefined : parseOrUndefined(row.facts);
  }

  putProbe(key: MediaFileKey, facts: JsonValue): void {
    this.#putProbe.run({ ...key, facts: JSON.stringify(facts) });
  }
}
