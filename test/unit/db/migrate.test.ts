import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { MIGRATIONS, open, torrentRow } from "./rows.ts";

const tempDirectory = useTempDirectories();

function setUp() {
  const folder = tempDirectory();
  const migrationsDir = join(folder, "migrations");
  mkdirSync(migrationsDir);
  for (const name of readdirSync(MIGRATIONS)) copyFileSync(join(MIGRATIONS, name), join(migrationsDir, name));
  const count = readdirSync(migrationsDir).length;
  const next = join(migrationsDir, `${String(count + 1).padStart(4, "0")}_next.sql`);
  return { path: join(folder, "torrx.db"), migrationsDir, count, next };
}

function schemaOf(path: string): string[] {
  const raw = new Database(path, { readonly: true });
  try {
    return raw
      .query<{ name: string }, []>("SELECT name FROM sqlite_master ORDER BY name")
      .all()
      .map((r) => r.name);
  } finally {
    raw.close();
  }
}

describe("migrations", () => {
  test("opening again applies nothing again", () => {
    const { path, migrationsDir } = setUp();
    let steps = 0;
    open(path, { migrationsDir, onMigrationStep: () => steps++ }).close();
    expect(steps).toBeGreaterThan(0);
    steps = 0;
    open(path, { migrationsDir, onMigrationStep: () => steps++ }).close();
    expect(steps).toBe(0);
  });

  test("an edited migration is refused, one with other line ends is not", () => {
    const { path, migrationsDir } = setUp();
    open(path, { migrationsDir }).close();
    const file = join(migrationsDir, "0001_init.sql");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    open(path, { migrationsDir }).close();
    appendFileSync(file, "-- a word more\n");
    expect(() => open(path, { migrationsDir })).toThrow(/edited/);
  });

  test("a gap in the numbers, or a strange name, is refused", () => {
    const { path, migrationsDir } = setUp();
    writeFileSync(join(migrationsDir, "0009_later.sql"), "SELECT 1;");
    expect(() => open(path, { migrationsDir })).toThrow(/expected number/);
    writeFileSync(join(migrationsDir, "x.sql"), "SELECT 1;");
    expect(() => open(path, { migrationsDir })).toThrow(/migration/);
  });

  test("a migration that fails halfway leaves nothing of itself and keeps a copy from before", () => {
    const { path, migrationsDir, count, next } = setUp();
    const db = open(path, { migrationsDir });
    db.torrents.insert(torrentRow(1));
    db.close();
    writeFileSync(next, "CREATE TABLE one (a); INSERT INTO one VALUES (1); CREATE TABLE one (a);");
    expect(() => open(path, { migrationsDir })).toThrow(/migration \d+ \(next\).*failed/);
    expect(schemaOf(path)).not.toContain("one");
    expect(existsSync(`${path}.schema-${count}`)).toBe(true);
    writeFileSync(next, "CREATE TABLE one (a);");
    const healed = open(path, { migrationsDir });
    expect(healed.torrents.all()).toHaveLength(1);
    healed.close();
    expect(schemaOf(path)).toContain("one");
  });

  test("a migration that leaves rows pointing nowhere is refused", () => {
    const { path, migrationsDir, next } = setUp();
    open(path, { migrationsDir }).close();
    writeFileSync(next, "INSERT INTO metadata VALUES ('nobody', x'00');");
    expect(() => open(path, { migrationsDir })).toThrow(/point nowhere/);
  });

  for (const step of ["begun", "executed", "recorded"] as const) {
    test(`a process killed at "${step}" of a migration leaves the old schema, and the next start finishes it`, () => {
      const { path, migrationsDir, next } = setUp();
      const db = open(path, { migrationsDir });
      db.torrents.insert(torrentRow(1));
      db.close();
      writeFileSync(next, "CREATE TABLE one (a); CREATE TABLE two (a); INSERT INTO two VALUES (1);");
      const script = `
        import { open } from ${JSON.stringify(join(import.meta.dir, "rows.ts"))};
        open(${JSON.stringify(path)}, {
          migrationsDir: ${JSON.stringify(migrationsDir)},
          onMigrationStep: (_, step) => { if (step === ${JSON.stringify(step)}) process.kill(process.pid, "SIGKILL"); },
        });`;
      const child = Bun.spawnSync([process.execPath, "-e", script], { timeout: 20_000 });
      expect(child.signalCode).toBe("SIGKILL");
      expect(schemaOf(path)).not.toContain("one");
      const healed = open(path, { migrationsDir });
      expect(healed.torrents.all()).toHaveLength(1);
      expect(healed.warnings).toEqual([]);
      healed.close();
      expect(schemaOf(path)).toEqual(expect.arrayContaining(["one", "two"]));
    });
  }
});
