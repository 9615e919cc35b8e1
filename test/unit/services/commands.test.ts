import { afterEach, describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../src/base/brand.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { makeTorrent, type Rig, settle, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
const GO = { paused: false };
const MADE = makeTorrent("Show", [
  ["a.mkv", 70],
  ["b.mkv", 30],
  ["c.txt", 0],
]);
const NOBODY = "f".repeat(40) as InfoHash;
let rig: Rig;

async function startWithTorrent(): Promise<Rig> {
  rig = await startRig(tempDirectory());
  await rig.services.torrents.addTorrentFile(MADE.bytes, GO);
  return rig;
}

afterEach(async () => {
  await rig.close();
});

describe("commands", () => {
  test("every call for an unknown torrent says not_found", async () => {
    const { torrents, streams } = (await startWithTorrent()).services;
    const calls: (() => unknown)[] = [
      () => torrents.get(NOBODY),
      () => torrents.patch(NOBODY, { name: "x" }),
      () => torrents.patchFiles(NOBODY, []),
      () => torrents.remove(NOBODY, { deleteFiles: true }),
      () => torrents.pause(NOBODY),
      () => torrents.resume(NOBODY),
      () => torrents.recheck(NOBODY),
      () => torrents.reannounce(NOBODY),
      () => torrents.peers(NOBODY),
      () => torrents.trackers(NOBODY),
      () => torrents.pieces(NOBODY),
      () => streams.resolve(NOBODY, 0),
      () => streams.playable(NOBODY),
    ];
    for (const call of calls) {
      await expect((async () => call())(), String(call)).rejects.toMatchObject({ code: "not_found" });
    }
  });

  test("pause and resume are told by the view at once and survive a restart", async () => {
    await startWithTorrent();
    expect((await rig.services.torrents.pause(MADE.id)).status).toBe("paused");
    rig = await rig.restart();
    expect(rig.engine.specs.get(MADE.id)?.isPaused).toBe(true);
    await rig.services.torrents.resume(MADE.id);
    expect(rig.engine.specs.get(MADE.id)?.isPaused).toBe(false);
  });

  test("a patch reaches the engine and survives a restart", async () => {
    await startWithTorrent();
    const patch = {
      name: " Моё 'кино' 😀 ",
      priority: "high",
      download: "watched",
      maxDownloadSpeed: 5,
      maxUploadSpeed: 7,
    };
    const view = await rig.services.torrents.patch(MADE.id, patch as never);
    const expected = { ...patch, name: patch.name.trim() };
    expect(view).toMatchObject(expected);
    const { name: _, ...change } = patch;
    expect(rig.engine.callsOf("change")).toMatchObject([{ argument: change }]);
    rig = await rig.restart();
    expect(rig.services.torrents.get(MADE.id).torrent).toMatchObject(expected);
    expect(rig.engine.specs.get(MADE.id)).toMatchObject(change);
  });

  test("a patch with a bad value names the field, not the value, and changes nothing", async () => {
    const { services, engine } = await startWithTorrent();
    const bad: [object, string][] = [
      [{ name: "" }, "name"],
      [{ name: "x".repeat(256) }, "name"],
      [{ name: "a\0b" }, "name"],
      [{ name: "evil\nline" }, "name"],
      [{ priority: "urgent-evil" }, "priority"],
      [{ download: "evil" }, "download"],
      [{ maxDownloadSpeed: -1 }, "max_download_speed"],
      [{ maxUploadSpeed: 1.5 }, "max_upload_speed"],
      [{ maxUploadSpeed: Number.NaN }, "max_upload_speed"],
    ];
    for (const [patch, field] of bad) {
      const error = await services.torrents
        .patch(MADE.id, { ...patch, priority: "low", ...patch })
        .catch((e) => e);
      expect(error).toBeInstanceOf(TorrxError);
      expect(error.code).toBe("validation");
      expect(error.message).toStartWith(field);
      expect(error.message).not.toContain("evil");
    }
    expect(services.torrents.get(MADE.id).torrent).toMatchObject({ name: "Show", priority: "normal" });
    expect(engine.callsOf("change")).toEqual([]);
  });

  test("files are chosen all or none", async () => {
    await startWithTorrent();
    const { torrents } = rig.services;
    const broken = [{ index: 0, isSelected: false }, { index: 3 }];
    await expect(torrents.patchFiles(MADE.id, broken)).rejects.toMatchObject({ code: "validation" });
    await expect(torrents.patchFiles(MADE.id, [{ index: 0, priority: "x" as never }])).rejects.toThrow(
      "priority",
    );
    await expect(torrents.patchFiles(MADE.id, [{ index: 0, isSelected: 1 as never }])).rejects.toThrow(
      "is_selected",
    );
    expect(torrents.get(MADE.id).files.every(({ isSelected }) => isSelected)).toBe(true);
    const files = await torrents.patchFiles(MADE.id, [
      { index: 0, isSelected: false },
      { index: 1, priority: "high" },
    ]);
    expect(files).toMatchObject([
      { isSelected: false },
      { priority: "high" },
      { isSelected: true, progress: 1 },
    ]);
    const expected = [
      { isSelected: false, priority: "normal" },
      { isSelected: true, priority: "high" },
      { isSelected: true, priority: "normal" },
    ] as const;
    expect(rig.engine.specs.get(MADE.id)?.files).toEqual(expected);
    rig = await rig.restart();
    expect(rig.engine.specs.get(MADE.id)?.files).toEqual(expected);
  });

  test("what needs the metadata says not_ready without it", async () => {
    const { torrents, streams } = (await startWithTorrent()).services;
    const { id, magnet } = makeTorrent("Other");
    await torrents.addMagnet(magnet, GO);
    await expect(torrents.patchFiles(id, [])).rejects.toMatchObject({ code: "not_ready" });
    await expect(torrents.recheck(id)).rejects.toMatchObject({ code: "not_ready" });
    await expect(torrents.pieces(id)).rejects.toMatchObject({ code: "not_ready" });
    expect(() => streams.resolve(id, 0)).toThrow("not known yet");
    expect(() => streams.playable(id)).toThrow("not known yet");
  });

  test("a removal tells the engine whether to delete, and leaves nothing in list and database", async () => {
    const { services, engine, database, events } = await startWithTorrent();
    await services.torrents.remove(MADE.id, { deleteFiles: true });
    expect(engine.callsOf("remove")).toMatchObject([{ argument: { deleteFiles: true } }]);
    expect(services.torrents.list({}).total).toBe(0);
    expect(database.torrents.all()).toEqual([]);
    expect(events.at(-1)).toEqual({ type: "torrent_removed", id: MADE.id });
    // Late words of the engine about it are nobody's.
    engine.emit({ type: "completed", id: MADE.id, atMs: 1 });
    engine.emit({
      type: "resume",
      id: MADE.id,
      state: { verified: new Uint8Array(1), unsure: [], stamps: [], isClean: true },
    });
    engine.emit({ type: "metadata", id: MADE.id, infoBytes: MADE.info.infoBytes });
    await settle();
    expect(services.torrents.list({}).total).toBe(0);
    expect((await services.torrents.addTorrentFile(MADE.bytes, GO)).isNew).toBe(true);
  });

  test("a removal that fails leaves the torrent in list and engine, paused", async () => {
    const { services, engine, database } = await startWithTorrent();
    engine.failures.set("remove", new Error("EIO"));
    await expect(services.torrents.remove(MADE.id, { deleteFiles: true })).rejects.toThrow("EIO");
    expect(services.torrents.list({}).total).toBe(1);
    expect(engine.callsOf("add").at(-1)?.argument).toMatchObject({ isPaused: true });
    expect(database.torrents.all()[0]?.removal).toBeNull();
  });

  test("a removal cut short by a crash is finished at the next start", async () => {
    await startWithTorrent();
    const other = makeTorrent("Other");
    await rig.services.torrents.addTorrentFile(other.bytes, GO);
    rig.database.torrents.setRemoval(MADE.id, "files");
    rig.database.torrents.setRemoval(other.id, "list");
    rig = await rig.restart();
    expect(rig.engine.callsOf("remove")).toMatchObject([{ id: MADE.id, argument: { deleteFiles: true } }]);
    expect(rig.engine.specs.size).toBe(0);
    expect(rig.services.torrents.list({}).total).toBe(0);
    expect(rig.database.torrents.all()).toEqual([]);
  });

  test("commands on one torrent given at once run in their order, each on the state the one before left", async () => {
    const { services, engine } = await startWithTorrent();
    const { torrents } = services;
    const results = await Promise.allSettled([
      torrents.pause(MADE.id),
      torrents.patch(MADE.id, { name: "One" }),
      torrents.remove(MADE.id, { deleteFiles: false }),
      torrents.patch(MADE.id, { name: "Two" }),
      torrents.addTorrentFile(MADE.bytes, GO),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(torrents.get(MADE.id).torrent.name).toBe("Show");
    expect(engine.specs.size).toBe(1);
  });

  test("recheck, reannounce, peers, trackers and pieces go to the engine", async () => {
    const { services, engine } = await startWithTorrent();
    await services.torrents.recheck(MADE.id);
    await services.torrents.reannounce(MADE.id);
    expect(await services.torrents.peers(MADE.id)).toEqual([]);
    expect(await services.torrents.trackers(MADE.id)).toEqual([]);
    expect((await services.torrents.pieces(MADE.id)).count).toBe(8);
    const names = engine.calls.map(({ name }) => name).filter((name) => name !== "stats" && name !== "add");
    expect(names).toEqual(["recheck", "reannounce", "peers", "trackers", "pieces"]);
  });
});
