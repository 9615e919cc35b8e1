import { afterEach, describe, expect, test } from "bun:test";
import { performance } from "node:perf_hooks";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { GIB, makeTorrent, type Rig, settle, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
const GO = { paused: false };
let rig: Rig;

async function start(): Promise<Rig> {
  rig = await startRig(tempDirectory());
  return rig;
}

afterEach(async () => {
  await rig.close();
});

describe("adding", () => {
  test("a magnet has its row at once, named after its dn, and the engine has it", async () => {
    const { services, engine, events } = await start();
    const { id } = makeTorrent("Film");
    const magnet = `magnet:?xt=urn:btih:${id}&dn=Film&tr=http%3A%2F%2Ft.example%2Fannounce&x.pe=10.0.0.1:6881`;
    const before = performance.now();
    const { torrent, isNew } = await services.torrents.addMagnet(magnet, GO);
    expect(performance.now() - before).toBeLessThan(300);
    expect(isNew).toBe(true);
    expect(torrent).toMatchObject({
      id,
      name: "Film",
      status: "metadata",
      totalSize: null,
      savePath: "/downloads",
    });
    expect(engine.specs.get(id)).toMatchObject({
      infoBytes: null,
      trackers: [["http://t.example/announce"]],
      peers: [{ host: "10.0.0.1", port: 6881 }],
      isPaused: false,
    });
    expect(events).toEqual([{ type: "torrent_added", torrent }]);
    expect(services.torrents.get(id).files).toEqual([]);
  });

  test("a magnet without a name is called after its hash, and paused when asked to be", async () => {
    const { services, engine } = await start();
    const { id } = makeTorrent("Film");
    const { torrent } = await services.torrents.addMagnet(`magnet:?xt=urn:btih:${id}`, { paused: true });
    expect(torrent).toMatchObject({ name: id, status: "paused" });
    expect(engine.specs.get(id)?.isPaused).toBe(true);
  });

  test("the same torrent again is the one that is there, with the new trackers joined", async () => {
    const { services, engine } = await start();
    const { id, magnet } = makeTorrent("Film");
    await services.torrents.addMagnet(`${magnet}&tr=http%3A%2F%2Fa.example%2Fannounce`, GO);
    const again = await services.torrents.addMagnet(
      `${magnet}&tr=http%3A%2F%2Fa.example%2Fannounce&tr=http%3A%2F%2Fb.example%2Fannounce`,
      GO,
    );
    expect(again.isNew).toBe(false);
    expect(engine.specs.get(id)?.trackers.flat()).toEqual([
      "http://a.example/announce",
      "http://b.example/announce",
    ]);
    expect(engine.callsOf("add")).toHaveLength(1);
    await services.torrents.addMagnet(magnet, GO);
    expect(engine.callsOf("change")).toHaveLength(1);
    expect(services.torrents.list({}).total).toBe(1);
  });

  test("the same torrent added twice at the same moment is added once", async () => {
    const { services, engine } = await start();
    const { magnet, bytes } = makeTorrent("Film");
    const results = await Promise.all([
      services.torrents.addMagnet(magnet, GO),
      services.torrents.addMagnet(magnet, GO),
      services.torrents.addTorrentFile(bytes, GO),
    ]);
    expect(results.map(({ isNew }) => isNew)).toEqual([true, false, false]);
    expect(services.torrents.list({}).total).toBe(1);
    // The file brought the metadata: the engine was given the torrent anew, with it.
    expect(engine.specs.get(results[0].torrent.id)?.infoBytes).not.toBeNull();
  });

  test("trackers do not join a private torrent", async () => {
    const { services, engine } = await start();
    const made = makeTorrent("Film", null, { isPrivate: true });
    await services.torrents.addTorrentFile(made.bytes, GO);
    await services.torrents.addMagnet(`${made.magnet}&tr=http%3A%2F%2Fb.example%2Fannounce`, GO);
    expect(engine.specs.get(made.id)?.trackers.flat()).toEqual(["http://one.example/announce"]);
  });

  test("a .torrent file brings its files, sizes and trackers", async () => {
    const { services, engine } = await start();
    const made = makeTorrent("Show", [
      ["Season 1/E1.mkv", 700],
      ["notes.txt", 30],
    ]);
    const { torrent } = await services.torrents.addTorrentFile(made.bytes, GO);
    expect(torrent).toMatchObject({ id: made.id, name: "Show", totalSize: 730, progress: 0 });
    expect(services.torrents.get(made.id).files).toMatchObject([
      { index: 0, path: "Season 1/E1.mkv", size: 700, isSelected: true, isVideo: true, progress: 0 },
      { index: 1, path: "notes.txt", size: 30, isSelected: true, isVideo: false },
    ]);
    expect(engine.specs.get(made.id)).toMatchObject({
      files: [],
      diskName: null,
      saveDirectory: "/downloads",
    });
  });

  test("a link is fetched, and a magnet given as a link is a magnet", async () => {
    const { services, links } = await start();
    const made = makeTorrent("Show");
    links.set("https://example.org/x.torrent", made.bytes);
    expect((await services.torrents.addUrl("https://example.org/x.torrent", GO)).torrent.id).toBe(made.id);
    expect((await services.torrents.addUrl(made.magnet, GO)).isNew).toBe(false);
    await expect(services.torrents.addUrl("https://example.org/none", GO)).rejects.toThrow("no such link");
  });

  test("what is no torrent and no magnet is refused with its code, and leaves nothing", async () => {
    const { services } = await start();
    const code = (promise: Promise<unknown>) =>
      promise.then(
        () => "",
        (error) => error.code,
      );
    expect(await code(services.torrents.addMagnet("magnet:?dn=x", GO))).toBe("invalid_magnet");
    expect(await code(services.torrents.addTorrentFile(Buffer.from("<html>"), GO))).toBe("invalid_torrent");
    expect(services.torrents.list({}).total).toBe(0);
  });

  test("a second torrent of one name gets a place of its own, which it keeps over a restart", async () => {
    await start();
    const folders = ["a", "b", "c"].map((salt) => makeTorrent("Show", [["x.mkv", 9]], { salt }));
    const single = ["d", "e"].map((salt) => makeTorrent("show.mkv", null, { salt }));
    for (const { bytes } of [...folders, ...single]) await rig.services.torrents.addTorrentFile(bytes, GO);
    const names = () => [...folders, ...single].map(({ id }) => rig.engine.specs.get(id)?.diskName);
    const expected = [null, "Show (2)", "Show (3)", null, "show (2).mkv"];
    expect(names()).toEqual(expected as never);
    rig = await rig.restart();
    expect(names()).toEqual(expected as never);
    expect(rig.services.streams.resolve(folders[1]!.id, 0).diskPath).toBe("/downloads/Show (2)/x.mkv");
    expect(rig.services.streams.resolve(single[1]!.id, 0).diskPath).toBe("/downloads/show (2).mkv");
  });

  test("torrents of one name added at the same moment do not share a place", async () => {
    const { services, engine } = await start();
    const made = ["a", "b", "c", "d"].map((salt) => makeTorrent("Show", [["x.mkv", 9]], { salt }));
    await Promise.all(made.map(({ bytes }) => services.torrents.addTorrentFile(bytes, GO)));
    expect(new Set(made.map(({ id }) => engine.specs.get(id)?.diskName)).size).toBe(4);
  });

  test("a torrent that does not fit is refused before anything is written, unless it is there already", async () => {
    const { services, volume } = await start();
    volume.freeBytes = 5 * GIB;
    const made = makeTorrent("Big.mkv", null, { length: 4.5 * GIB });
    const refusal = services.torrents.addTorrentFile(made.bytes, GO);
    await expect(refusal).rejects.toMatchObject({ code: "disk_full", status: 507 });
    await expect(refusal).rejects.toThrow("4.50 GiB needed, 4.00 GiB free");
    await settle();
    expect(services.torrents.list({}).total).toBe(0);
    volume.present.set("/downloads/Big.mkv", 4.4 * GIB);
    expect((await services.torrents.addTorrentFile(made.bytes, GO)).isNew).toBe(true);
  });

  test("an addition that the engine refuses leaves no row", async () => {
    const { services, engine, database, events } = await start();
    engine.failures.set("add", new Error("engine says no"));
    const { magnet } = makeTorrent("Film");
    await expect(services.torrents.addMagnet(magnet, GO)).rejects.toThrow("engine says no");
    await settle();
    expect(services.torrents.list({}).total).toBe(0);
    expect(database.torrents.all()).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(["torrent_added", "torrent_removed"]);
    expect((await services.torrents.addMagnet(magnet, GO)).isNew).toBe(true);
  });
});

describe("metadata of a magnet", () => {
  test("is stored when it arrives: after a restart the files are listed without a peer", async () => {
    await start();
    const made = makeTorrent("Show", [
      ["a.mkv", 70],
      ["b.mkv", 30],
    ]);
    await rig.services.torrents.addMagnet(made.magnet.replace("Show", "dn"), GO);
    rig.engine.emit({ type: "metadata", id: made.id, infoBytes: made.info.infoBytes });
    await settle();
    expect(rig.engine.callsOf("confirmMetadata")).toMatchObject([
      { argument: { diskName: null, files: [] } },
    ]);
    rig = await rig.restart();
    expect(rig.services.torrents.get(made.id)).toMatchObject({
      torrent: { name: "Show", totalSize: 100 },
      files: [{ path: "a.mkv" }, { path: "b.mkv" }],
    });
    expect(Buffer.from(rig.engine.specs.get(made.id)?.infoBytes ?? [])).toEqual(
      Buffer.from(made.info.infoBytes),
    );
  });

  test("keeps a name that the user gave, selects what the magnet asks for, avoids a taken place", async () => {
    const { services, engine } = await start();
    await services.torrents.addTorrentFile(makeTorrent("Show", [["z", 1]]).bytes, GO);
    const made = makeTorrent("Show", [
      ["a.mkv", 70],
      ["b.mkv", 30],
      ["c.mkv", 5],
    ]);
    await services.torrents.addMagnet(`${made.magnet}&so=0,2`, GO);
    await services.torrents.patch(made.id, { name: "Mine" });
    engine.emit({ type: "metadata", id: made.id, infoBytes: made.info.infoBytes });
    await settle();
    expect(services.torrents.get(made.id).torrent.name).toBe("Mine");
    const choice = (isSelected: boolean) => ({ isSelected, priority: "normal" });
    expect(engine.callsOf("confirmMetadata")[0]?.argument).toEqual({
      diskName: "Show (2)",
      files: [choice(true), choice(false), choice(true)],
    });
  });

  test("that a .torrent file brings counts as the magnet's: what it selects stays selected", async () => {
    const { services, engine } = await start();
    const made = makeTorrent("Show", [
      ["a.mkv", 70],
      ["b.mkv", 30],
    ]);
    await services.torrents.addMagnet(`${made.magnet}&so=1`, GO);
    const { torrent, isNew } = await services.torrents.addTorrentFile(made.bytes, GO);
    expect({ isNew, totalSize: torrent.totalSize }).toEqual({ isNew: false, totalSize: 100 });
    expect(engine.specs.get(made.id)?.files.map(({ isSelected }) => isSelected)).toEqual([false, true]);
    // The engine's own find of the metadata, on its way meanwhile, changes nothing.
    engine.emit({ type: "metadata", id: made.id, infoBytes: made.info.infoBytes });
    await settle();
    expect(services.torrents.get(made.id).files.map(({ isSelected }) => isSelected)).toEqual([false, true]);
  });

  test("that cannot be used puts the torrent in error", async () => {
    const { services, engine } = await start();
    const made = makeTorrent("Show");
    await services.torrents.addMagnet(made.magnet, GO);
    engine.emit({ type: "metadata", id: made.id, infoBytes: Buffer.from("i5e") });
    await settle();
    expect(services.torrents.get(made.id).torrent).toMatchObject({
      status: "error",
      error: { code: "metadata_invalid" },
    });
  });

  test("of a torrent that does not fit holds it in error until there is room", async () => {
    const { services, engine, volume, clock } = await start();
    const made = makeTorrent("Big", [
      ["a.mkv", 3 * GIB],
      ["b.mkv", 9 * GIB],
    ]);
    volume.freeBytes = 5 * GIB;
    await services.torrents.addMagnet(made.magnet, GO);
    engine.emit({ type: "metadata", id: made.id, infoBytes: made.info.infoBytes });
    await settle();
    const torrent = () => services.torrents.get(made.id).torrent;
    expect(torrent()).toMatchObject({ status: "error", error: { code: "disk_full" } });
    clock.advance(10_000);
    await settle();
    expect(engine.callsOf("confirmMetadata")).toEqual([]);
    await services.torrents.patchFiles(made.id, [{ index: 1, isSelected: false }]);
    expect(engine.callsOf("confirmMetadata")).toHaveLength(1);
    expect(torrent().error).toBeNull();
  });

  test("held for space goes on by itself when space returns", async () => {
    const { services, engine, volume, clock } = await start();
    const made = makeTorrent("Big", null, { length: 9 * GIB });
    volume.freeBytes = 5 * GIB;
    await services.torrents.addMagnet(made.magnet, GO);
    engine.emit({ type: "metadata", id: made.id, infoBytes: made.info.infoBytes });
    await settle();
    volume.freeBytes = 50 * GIB;
    clock.advance(10_000);
    await settle();
    expect(engine.callsOf("confirmMetadata")).toHaveLength(1);
    expect(services.torrents.get(made.id).torrent.status).not.toBe("error");
  });
});
