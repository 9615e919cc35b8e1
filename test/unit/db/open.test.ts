import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { TorrxError } from "../../../src/base/errors.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { fileRow, idOf, open, torrentRow } from "./rows.ts";

const tempDirectory = useTempDirectories();
const { TORRX_CORRUPT_OFFSETS, TORRX_SEED } = process.env;
const OFFSETS = Number(TORRX_CORRUPT_OFFSETS ?? 20);

function startFailure(path: string): string {
  try {
    open(path).close();
  } catch (error) {
    expect(error).toBeInstanceOf(TorrxError);
    expect((error as TorrxError).code).toBe("start_failed");
    expect((error as TorrxError).message).not.toContain("\n");
    return (error as TorrxError).message;
  }
  throw new Error("it opened");
}

/** A database with some content, stopped cleanly. */
function makeDatabase(path: string, torrents = 3): void {
  const db = open(path);
  for (let n = 0; n < torrents; n++) {
    db.torrents.insert(torrentRow(n));
    db.files.replace(idOf(n), [fileRow(0), fileRow(1)]);
    db.resume.putInfoBytes(idOf(n), new Uint8Array(3_000).fill(n));
  }
  db.close();
}

describe("openDatabase", () => {
  test("a new database is made with its folder, readable by its owner only", () => {
    const path = join(tempDirectory(), "deep/er/torrx.db");
    const db = open(path);
    db.torrents.insert(torrentRow(1));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
    db.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(statSync(`${path}.backup`).mode & 0o777).toBe(0o600);
  });

  test("a second instance is refused while the first lives, and not afterwards", () => {
    const path = join(tempDirectory(), "torrx.db");
    const first = open(path);
    expect(startFailure(path)).toContain("another TorrX already uses the database");
    first.close();
    first.close();
    open(path).close();
  });

  test("a garbage file is set aside whole and a new database takes its place", () => {
    const path = join(tempDirectory(), "torrx.db");
    const garbage = Buffer.from(seededRandom(7).bytes(20_000));
    writeFileSync(path, garbage);
    const db = open(path, { wallMs: () => Date.UTC(2026, 4, 6, 7, 8, 9) });
    expect(db.torrents.all()).toEqual([]);
    expect(db.warnings.map(({ code }) => code)).toEqual(["database_damaged"]);
    db.close();
    const aside = `${path}.bad-2026-05-06T07-08-09-000Z`;
    expect(readFileSync(aside).equals(garbage)).toBe(true);
  });

  test("the copy of the last clean stop is restored when the database is garbage or was emptied", () => {
    for (const ruin of [
      (p: string) => writeFileSync(p, "no database at all ".repeat(500)),
      (p: string) => truncateSync(p),
    ]) {
      const path = join(tempDirectory(), "torrx.db");
      makeDatabase(path);
      ruin(path);
      const db = open(path);
      expect(db.torrents.all()).toHaveLength(3);
      expect(db.warnings[0]?.message).toContain("restored");
      db.close();
    }
  });

  test("a damaged copy is not restored", () => {
    const path = join(tempDirectory(), "torrx.db");
    makeDatabase(path);
    writeFileSync(path, "x".repeat(9_000));
    writeFileSync(`${path}.backup`, "y".repeat(9_000));
    const db = open(path);
    expect(db.torrents.all()).toEqual([]);
    expect(db.warnings[0]?.message).toContain("new, empty");
    db.close();
  });

  test("a database that was deleted stays deleted: its copy does not come back", () => {
    const path = join(tempDirectory(), "torrx.db");
    makeDatabase(path);
    rmSync(path);
    const db = open(path);
    expect(db.torrents.all()).toEqual([]);
    expect(db.warnings).toEqual([]);
    db.close();
  });

  test("a table that lost a column counts as damage", () => {
    const path = join(tempDirectory(), "torrx.db");
    makeDatabase(path);
    const raw = new Database(path);
    raw.run("ALTER TABLE torrent_files RENAME COLUMN path TO pfad");
    raw.close();
    const db = open(path);
    expect(db.warnings[0]?.code).toBe("database_damaged");
    expect(db.torrents.all()).toHaveLength(3);
    db.close();
  });

  test("another program's database is refused and left as it is", () => {
    const path = join(tempDirectory(), "theirs.db");
    const raw = new Database(path, { create: true });
    raw.run("CREATE TABLE music (title TEXT)");
    raw.close();
    expect(startFailure(path)).toContain("another program's database");
    expect(readdirSync(join(path, "..")).filter((name) => name.includes(".bad-"))).toEqual([]);
  });

  test("a path that cannot be a database is refused in one line", () => {
    const folder = tempDirectory();
    mkdirSync(join(folder, "dir.db"));
    expect(startFailure(join(folder, "dir.db"))).toContain("cannot be opened for writing");
    writeFileSync(join(folder, "file"), "");
    expect(startFailure(join(folder, "file/torrx.db"))).toContain("cannot be opened for writing");
  });

  test("a folder that cannot be written is refused in one line", () => {
    const folder = tempDirectory();
    chmodSync(folder, 0o555);
    const script = `
      import { open } from ${JSON.stringify(join(import.meta.dir, "rows.ts"))};
      process.setgid(65534); process.setuid(65534);
      try { open(${JSON.stringify(join(folder, "torrx.db"))}); console.log("opened"); }
      catch (error) { console.log(error.code, error.message); }`;
    const child = Bun.spawnSync([process.execPath, "-e", script], { timeout: 20_000 });
    expect(child.stdout.toString() + child.stderr.toString()).toContain("start_failed the database");
    chmodSync(folder, 0o755);
  });

  test("a database locked by another program is refused after the wait", () => {
    const path = join(tempDirectory(), "torrx.db");
    makeDatabase(path);
    const raw = new Database(path);
    raw.run("PRAGMA locking_mode = EXCLUSIVE");
    raw.run("BEGIN EXCLUSIVE");
    expect(startFailure(path)).toContain("locked by another program");
    raw.run("ROLLBACK");
    raw.close();
    open(path).close();
  }, 15_000);

  test("a newer schema is refused and left as it is", () => {
    const path = join(tempDirectory(), "torrx.db");
    makeDatabase(path);
    const raw = new Database(path);
    raw.run("INSERT INTO schema_migrations VALUES (99, 'future', ?, 0)", ["a".repeat(64)]);
    raw.close();
    expect(startFailure(path)).toContain("written by a newer TorrX (schema 99");
    expect(readdirSync(join(path, "..")).filter((name) => name.includes(".bad-"))).toEqual([]);
  });

  test("a database cut off at any length, or with garbage for a log, opens or is set aside", () => {
    const folder = tempDirectory();
    const path = join(folder, "torrx.db");
    makeDatabase(path, 20);
    const sound = readFileSync(path);
    for (const length of [1, 15, 16, 99, 100, 512, 4_095, 4_096, 4_097, 20_000, sound.length - 5_000]) {
      writeFileSync(path, sound.subarray(0, length));
      const db = open(path);
      expect(db.torrents.all(), `cut to ${length}`).toHaveLength(20);
      expect(db.warnings, `cut to ${length}`).toHaveLength(1);
      db.close();
    }
    writeFileSync(path, sound);
    writeFileSync(`${path}-wal`, seededRandom(3).bytes(40_000));
    const db = open(path);
    expect(db.torrents.all()).toHaveLength(20);
    db.close();
  });

  test(`a byte changed at any of ${OFFSETS} places never hangs or crashes the start`, () => {
    const folder = tempDirectory();
    const path = join(folder, "torrx.db");
    makeDatabase(path, 20);
    const sound = readFileSync(path);
    const seed = Number(TORRX_SEED ?? 20_260);
    const random = seededRandom(seed);
    for (let round = 0; round < OFFSETS; round++) {
      // Every third offset lies in the first page, where the header and the schema are.
      const offset = random.below(round % 3 === 0 ? 4096 : sound.length);
      const bytes = Buffer.from(sound);
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 + random.below(255));
      writeFileSync(path, bytes);
      try {
        const db = open(path);
        for (const { id } of db.torrents.all()) {
          db.files.of(id);
          db.resume.get(id);
        }
        db.close();
      } catch (error) {
        // The byte may be the schema number or a checksum; anything else would be a crash of the start.
        expect(error, `seed ${seed} offset ${offset}`).toBeInstanceOf(TorrxError);
      }
      for (const name of readdirSync(folder)) {
        if (name !== "torrx.db.backup") rmSync(join(folder, name));
      }
    }
  }, 60_000);
});
