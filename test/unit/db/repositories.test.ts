import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { SafePath } from "../../../src/base/brand.ts";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { fileRow, idOf, open, torrentRow } from "./rows.ts";

const tempDirectory = useTempDirectories();

const HOSTILE_TEXTS = [
  "plain",
  `it's "quoted" \`back\``,
  "'; DROP TABLE torrents; --",
  "a\0b",
  "😀 café Ленин 電影 \u202Eevil",
  "$name :id ?1 @x",
  "\\",
  "line\r\nbreak",
  "x".repeat(10_000),
];

describe("repositories", () => {
  test("a torrent reads back as it was written, also after the database was opened again", () => {
    const path = join(tempDirectory(), "torrx.db");
    const layout = {
      torrentName: "Show" as SafePath,
      diskName: "Show (2)" as SafePath,
      isMultiFile: true,
      isPrivate: true,
      totalSize: 2 ** 50,
    };
    const row = torrentRow(1, { layout, isPaused: true, priority: "high", magnetUri: "magnet:?xt=1" });
    const first = open(path);
    first.write(() => first.torrents.insert(row));
    first.close();
    const second = open(path);
    expect(second.torrents.all()).toEqual([row]);
    expect(second.warnings).toEqual([]);
    second.close();
  });

  test("each group of columns is changed without touching the others", () => {
    const db = open(join(tempDirectory(), "torrx.db"));
    db.torrents.insert(torrentRow(1));
    db.torrents.insert(torrentRow(2));
    const choices = { name: "Mine", isRenamed: true, trackers: [["a"], ["b", "c"]], isPaused: true };
    db.torrents.setChoices({ ...torrentRow(1), ...choices, priority: "low", maxUploadSpeed: 7 });
    const figures = { status: "error", fault: "disk_full", faultDetail: "x", progress: 0.5 } as const;
    db.torrents.setFigures(idOf(1), { ...figures, downloaded: 2 ** 45, uploaded: 3 });
    db.torrents.setCompleted(idOf(1), 99);
    db.torrents.setRemoval(idOf(1), "files");
    expect(db.torrents.all()).toEqual([
      torrentRow(1, {
        ...choices,
        ...figures,
        priority: "low",
        maxUploadSpeed: 7,
        downloaded: 2 ** 45,
        uploaded: 3,
        completedAtMs: 99,
        removal: "files",
      }),
      torrentRow(2),
    ]);
    db.close();
  });

  test("text of any kind is a value and never becomes part of a statement", () => {
    const db = open(join(tempDirectory(), "torrx.db"));
    HOSTILE_TEXTS.forEach((text, n) => {
      db.torrents.insert(torrentRow(n, { name: text, trackers: [[text]], savePath: text, magnetUri: text }));
      db.files.replace(idOf(n), [fileRow(0, { path: text as SafePath })]);
      db.settings.put(text, text);
      db.state.put(text, { text });
    });
    expect(db.torrents.all().map(({ name }) => name)).toEqual(HOSTILE_TEXTS);
    HOSTILE_TEXTS.forEach((text, n) => {
      expect(db.files.one(idOf(n), 0)?.path).toBe(text as SafePath);
      expect(db.settings.all().get(text)).toBe(text);
      expect(db.state.get(text)).toEqual({ text });
    });
    db.close();
  });

  test("files are read by torrent and index, chosen and counted", () => {
    const db = open(join(tempDirectory(), "torrx.db"));
    db.torrents.insert(torrentRow(1));
    db.files.replace(idOf(1), [fileRow(0), fileRow(2), fileRow(10)]);
    db.files.choose(idOf(1), { index: fileRow(2).index, isSelected: false, priority: "low" });
    db.files.setVerifiedBytes(idOf(1), 10, 500);
    expect(db.files.of(idOf(1))).toEqual([
      fileRow(0),
      fileRow(2, { isSelected: false, priority: "low" }),
      fileRow(10, { verifiedBytes: 500 }),
    ]);
    expect(db.files.one(idOf(1), 1)).toBeNull();
    expect(db.files.one(idOf(2), 0)).toBeNull();
    db.close();
  });

  test("resume data keeps bits, unsure pieces and stamps, fractions of a millisecond included", () => {
    const db = open(join(tempDirectory(), "torrx.db"));
    db.torrents.insert(torrentRow(1));
    const state = {
      verified: Uint8Array.of(0xff, 0, 0x80),
      unsure: [3, 2 ** 21 - 1],
      stamps: [{ sizeBytes: 2 ** 45, mtimeMs: 1_700_000_000_123.456, inode: 2 ** 40 }, null],
      isClean: false,
    };
    db.resume.put(idOf(1), { ...state, isClean: true, unsure: [] });
    db.resume.put(idOf(1), state);
    db.resume.putInfoBytes(idOf(1), Uint8Array.of(1, 2, 3));
    const read = db.resume.get(idOf(1));
    expect(read && { ...read, verified: new Uint8Array(read.verified) }).toEqual(state);
    expect([...(db.resume.infoBytes(idOf(1)) ?? [])]).toEqual([1, 2, 3]);
    expect(db.resume.get(idOf(2))).toBeNull();
    db.close();
  });

  test("resume data with a bit turned is not believed", () => {
    const path = join(tempDirectory(), "torrx.db");
    const db = open(path);
    const state = { verified: Uint8Array.of(0xff, 1), unsure: [], stamps: [], isClean: true };
    for (const n of [1, 2]) {
      db.torrents.insert(torrentRow(n));
      db.resume.put(idOf(n), state);
    }
    const raw = new Database(path);
    raw.run("UPDATE resume SET verified = x'ff03' WHERE torrent_id = ?", [idOf(1)]);
    raw.close(true);
    expect(db.resume.get(idOf(1))).toBeNull();
    expect(db.resume.get(idOf(2))).not.toBeNull();
    db.close();
  });

  test("what belongs to a torrent goes with it", () => {
    const db = open(join(tempDirectory(), "torrx.db"));
    db.torrents.insert(torrentRow(1));
    db.files.replace(idOf(1), [fileRow(0)]);
    db.resume.putInfoBytes(idOf(1), Uint8Array.of(1));
    db.resume.put(idOf(1), { verified: Uint8Array.of(1), unsure: [], stamps: [], isClean: true });
    db.torrents.delete(idOf(1));
    expect(db.files.of(idOf(1))).toEqual([]);
    expect(db.resume.infoBytes(idOf(1))).toBeNull();
    expect(db.resume.get(idOf(1))).toBeNull();
    expect(() => db.files.replace(idOf(1), [fileRow(0)])).toThrow();
    db.close();
  });

  test("a transaction that throws leaves nothing behind, also from inside another one", () => {
    const db = open(join(tempDirectory(), "torrx.db"));
    const failing = () =>
      db.write(() => {
        db.torrents.insert(torrentRow(1));
        db.write(() => db.torrents.insert(torrentRow(1)), { durable: true });
      });
    expect(failing).toThrow();
    expect(db.torrents.all()).toEqual([]);
    db.write(() => db.torrents.insert(torrentRow(2)), { durable: true });
    expect(db.torrents.all()).toHaveLength(1);
    db.close();
  });
});
