// Metadata and resume data: the blobs of a torrent, read one torrent at a time so that memory stays small.

import type { Database } from "bun:sqlite";
import type { InfoHash } from "../base/brand.ts";
import {
  decodeStamps,
  decodeUnsure,
  encodeStamps,
  encodeUnsure,
  resumeChecksum,
  type StampValues,
} from "./resume-codec.ts";

/** The shape of the store's ResumeState. */
export interface ResumeRow {
  readonly verified: Uint8Array;
  readonly unsure: readonly number[];
  readonly stamps: readonly (StampValues | null)[];
  readonly isClean: boolean;
}

interface StoredResume {
  readonly verified: Uint8Array;
  readonly unsure: Uint8Array;
  readonly stamps: Uint8Array;
  readonly is_clean: number;
  readonly checksum: number;
}

export class ResumeRepository {
  readonly #infoBytes;
  readonly #putInfoBytes;
  readonly #deleteInfoBytes;
  readonly #get;
  readonly #put;
  readonly #delete;

  constructor(db: Database) {
    this.#infoBytes = db.prepare<{ info_bytes: Uint8Array }, { id: string }>(
      "SELECT info_bytes FROM metadata WHERE torrent_id = $id",
    );
    this.#putInfoBytes = db.prepare(
      `INSERT INTO metadata (torrent_id, info_bytes) VALUES ($id, $infoBytes)
       ON CONFLICT (torrent_id) DO UPDATE SET info_bytes = excluded.info_bytes`,
    );
    this.#deleteInfoBytes = db.prepare("DELETE FROM metadata WHERE torrent_id = $id");
    this.#get = db.prepare<StoredResume, { id: string }>(
      "SELECT verified, unsure, stamps, is_clean, checksum FROM resume WHERE torrent_id = $id",
    );
    this.#put = db.prepare(
      `INSERT INTO resume (torrent_id, verified, unsure, stamps, is_clean, checksum)
       VALUES ($id, $verified, $unsure, $stamps, $isClean, $checksum)
       ON CONFLICT (torrent_id) DO UPDATE SET
         verified = excluded.verified, unsure = excluded.unsure,
         stamps = excluded.stamps, is_clean = excluded.is_clean, checksum = excluded.checksum`,
    );
    this.#delete = db.prepare("DELETE FROM resume WHERE torrent_id = $id");
  }

  infoBytes(id: InfoHash): Uint8Array | null {
    return this.#infoBytes.get({ id })?.info_bytes ?? null;
  }

  putInfoBytes(id: InfoHash, infoBytes: Uint8Array): void {
    this.#putInfoBytes.run({ id, infoBytes });
  }

  deleteInfoBytes(id: InfoHash): void {
    this.#deleteInfoBytes.run({ id });
  }

  /** null where there is none, or where it is damaged: the torrent's data is then hashed again. */
  get(id: InfoHash): ResumeRow | null {
    const row = this.#get.get({ id });
    if (row === null || row.checksum !== resumeChecksum([row.verified, row.unsure, row.stamps])) return null;
    return {
      verified: row.verified,
      unsure: decodeUnsure(row.unsure),
      stamps: decodeStamps(row.stamps),
      isClean: row.is_clean === 1,
    };
  }

  put(id: InfoHash, row: ResumeRow): void {
    const { verified } = row;
    const unsure = encodeUnsure(row.unsure);
    const stamps = encodeStamps(row.stamps);
    const checksum = resumeChecksum([verified, unsure, stamps]);
    this.#put.run({ id, verified, unsure, stamps, isClean: row.isClean ? 1 : 0, checksum });
  }

  delete(id: InfoHash): void {
    this.#delete.run({ id });
  }
}
