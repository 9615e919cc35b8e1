// What the user wants survives: pause, chosen files, the queue, the end of seeding. Real server, real seeder.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { describeIsolated } from "../support/namespace.ts";
import { addTo, type Supply, supply, view } from "../support/supply.ts";
import { tmpFolder } from "../support/tmp.ts";
import { sha256OfFile } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const HASHED = '"data on disk was hashed"';

let server: Torrx;
const supplies: Supply[] = [];

async function supplied(options: Parameters<typeof supply>[0]): Promise<Supply> {
  const made = await supply(options);
  supplies.push(made);
  return made;
}

async function restart(): Promise<void> {
  expect(await server.process.stop()).toBe(0);
  server = await Torrx.start({ folder: server.folder });
}

const bodyOf = async (id: string) => (await server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
const command = (id: string, name: string) => server.call("PUT", `/api/torrents/${id}/${name}`);
const until = (id: string, what: string, isReached: (body: TorrentBody) => boolean, withinMs = 15_000) =>
  server.waitFor(id, isReached, { withinMs, what });
const isStatus = (status: string) => (body: TorrentBody) => body.status === status;

describeIsolated("resume", () => {
  beforeEach(async () => {
    server = await Torrx.start();
  });
  afterEach(async () => {
    await server.stop();
    await Promise.all(supplies.splice(0).map((one) => one.stop()));
  });

  test("a paused torrent fetches nothing, stays paused over a restart, and goes on where it was", async () => {
    const film = await supplied({ files: { "film.bin": 24 * MIB }, uploadLimit: 6_000_000 });
    const id = film.torrent.infoHash;
    await addTo(server, film);
    await until(id, "some of it", (body) => body.progress > 0.2);
    expect((await command(id, "pause")).status).toBe(200);
    const paused = await bodyOf(id);
    expect(paused.status).toBe("paused");
    await restart();
    expect((await bodyOf(id)).status).toBe("paused");
    const sentBytes = film.seeder.state?.uploaded ?? 0;
    await film.seeder.waitForState((state) => state.peers === 0, 5_000);
    await Bun.sleep(1_500);
    expect(film.seeder.state?.uploaded).toBe(sentBytes);
    expect((await bodyOf(id)).progress).toBeGreaterThanOrEqual(paused.progress);
    await command(id, "resume");
    await server.call("POST", "/api/torrents", { magnet: film.magnet });
    await until(id, "the rest", (body) => body.progress === 1);
    expect(server.process.lines.filter((line) => line.includes(HASHED))).toEqual([]);
    expect(await sha256OfFile(join(server.downloads, "film.bin"))).toBe(await sha256OfFile(film.pathOf()));
    const extraBytes = (film.seeder.state?.uploaded ?? 0) - film.torrent.lengthBytes;
    expect(extraBytes).toBeLessThan(4 * MIB);
  }, 45_000);

  test("pause holds at once, also when a viewer has just left, and not against one who reads", async () => {
    const film = await supplied({ files: { "film.bin": 48 * MIB }, uploadLimit: 4_000_000 });
    const id = film.torrent.infoHash;
    await addTo(server, film);
    const viewing = view(server, (await bodyOf(id)).files[0]!, film.pathOf());
    await until(id, "the stream gets bytes", () => viewing.matchedBytes > 0);
    await command(id, "pause");
    expect((await bodyOf(id)).status).toBe("downloading");
    const matchedBytes = viewing.matchedBytes;
    await until(id, "the viewer goes on", () => viewing.matchedBytes > matchedBytes + MIB);
    viewing.abort();
    await viewing.ended;
    await command(id, "pause");
    await until(id, "it is paused", isStatus("paused"), 1_000);
    await film.seeder.waitForState((state) => state.peers === 0, 3_000);
  }, 30_000);

  test("a file that is not chosen is not fetched nor made, and completes when it is chosen later", async () => {
    // 256 KiB pieces: the files share one.
    const sizes = { "a.bin": 8 * MIB + 100_000, "b.bin": 8 * MIB + 50_000 };
    const pair = await supplied({ files: sizes, name: "pair", uploadLimit: 8_000_000 });
    const id = pair.torrent.infoHash;
    await server.upload(pair.torrent.bytes);
    const choose = (isSelected: boolean) =>
      server.call("PATCH", `/api/torrents/${id}/files`, { files: [{ index: 1, is_selected: isSelected }] });
    await choose(false);
    await restart();
    await server.call("POST", "/api/torrents", { magnet: pair.magnet });
    const done = await until(id, "the chosen file", (body) => body.progress === 1);
    expect(done.files.map((file) => file.is_selected)).toEqual([true, false]);
    expect(done.status).toBe("seeding");
    const [pathA, pathB] = ["a.bin", "b.bin"].map((name) => join(server.downloads, "pair", name)) as [
      string,
      string,
    ];
    expect(await sha256OfFile(pathA)).toBe(await sha256OfFile(pair.pathOf(0)));
    expect(existsSync(pathB)).toBe(false);
    expect(pair.seeder.state?.uploaded).toBeLessThan(sizes["a.bin"] + 2 * pair.torrent.pieceBytes);
    await restart();
    await server.call("POST", "/api/torrents", { magnet: pair.magnet });
    await choose(true);
    expect((await bodyOf(id)).progress).toBeLessThan(0.6);
    await until(id, "the other file", (body) => body.progress === 1);
    expect(await sha256OfFile(pathB)).toBe(await sha256OfFile(pair.pathOf(1)));
    expect(await sha256OfFile(pathA)).toBe(await sha256OfFile(pair.pathOf(0)));
    expect(pair.seeder.state?.uploaded).toBeLessThan(pair.torrent.lengthBytes + 2 * pair.torrent.pieceBytes);
    expect(server.process.lines.filter((line) => line.includes(HASHED))).toEqual([]);
  }, 45_000);

  test("with one place the second torrent is queued; pause, completion and a stream let it start", async () => {
    await server.call("PUT", "/api/settings", { max_concurrent_torrents: 1 });
    const one = await supplied({ files: { "one.bin": 12 * MIB }, uploadLimit: 2_000_000 });
    const two = await supplied({ files: { "two.bin": 24 * MIB }, uploadLimit: 2_000_000 });
    const [first, second] = [one.torrent.infoHash, two.torrent.infoHash];
    await addTo(server, one);
    await addTo(server, two);
    await until(first, "the first downloads", isStatus("downloading"));
    await until(second, "the second waits", isStatus("queued"));
    expect(two.seeder.state?.uploaded).toBe(0);
    await command(first, "pause");
    await until(
      second,
      "the second starts",
      (body) => body.status === "downloading" && body.downloaded > 0,
      3_000,
    );
    await command(first, "resume");
    await until(first, "the first has its place back", isStatus("downloading"), 3_000);
    await until(second, "the second waits again", isStatus("queued"), 3_000);
    const three = await supplied({ files: { "three.bin": 24 * MIB }, uploadLimit: 4_000_000 });
    const third = three.torrent.infoHash;
    await addTo(server, three);
    const startMs = performance.now();
    const viewing = view(server, (await bodyOf(third)).files[0]!, three.pathOf());
    await until(third, "the stream gets bytes", () => viewing.matchedBytes > 0, 3_000);
    console.log(`first bytes from a queued torrent after ${Math.round(performance.now() - startMs)} ms`);
    await until(third, "the streamed one is no longer queued", isStatus("downloading"), 1_500);
    await until(first, "it has the only place", isStatus("queued"), 1_500);
    await server.call("DELETE", `/api/torrents/${third}?delete_files=true`);
    await viewing.ended;
    expect(viewing.wrongAt).toBeNull();
    one.seeder.setUploadLimit(0);
    await until(first, "the first completes", isStatus("seeding"), 10_000);
    await until(second, "the second has the place", isStatus("downloading"), 3_000);
  }, 60_000);

  test("seeding ends at the ratio limit, survives a restart as completed, and goes on when the limit is lifted", async () => {
    const film = await supplied({ files: { "film.bin": 4 * MIB } });
    const id = film.torrent.infoHash;
    await server.call("PUT", "/api/settings", { seed_ratio_limit: 0.5 });
    await addTo(server, film);
    await until(id, "the download", isStatus("seeding"));
    const leecher = await LibtorrentPeer.start({
      torrentPath: film.torrent.torrentPath,
      saveFolder: tmpFolder("leecher"),
      peers: [{ host: "127.0.0.1", port: server.peerPort }],
    });
    try {
      const completed = await until(id, "the ratio", isStatus("completed"));
      expect(completed.uploaded).toBeGreaterThanOrEqual(2 * MIB);
      await restart();
      await until(id, "still completed", isStatus("completed"), 3_000);
      await server.call("PUT", "/api/settings", { seed_ratio_limit: 0 });
      await until(id, "seeding again", isStatus("seeding"), 3_000);
      await command(id, "pause");
      expect((await bodyOf(id)).status).toBe("completed");
    } finally {
      await leecher.stop();
    }
  }, 45_000);

  test("a torrent that was streamed is removed: the reader's connection ends, its data is gone", async () => {
    const film = await supplied({ files: { "film.bin": 16 * MIB }, uploadLimit: 2_000_000 });
    const id = film.torrent.infoHash;
    await addTo(server, film);
    const viewing = view(server, (await bodyOf(id)).files[0]!, film.pathOf());
    await until(id, "the stream gets bytes", () => viewing.matchedBytes > MIB);
    const path = join(server.downloads, "film.bin");
    expect(statSync(path).isFile()).toBe(true);
    const startMs = performance.now();
    expect((await server.call("DELETE", `/api/torrents/${id}?delete_files=true`)).status).toBe(204);
    await viewing.ended;
    expect(performance.now() - startMs).toBeLessThan(2_000);
    expect(viewing.end).toBe("cut");
    expect(viewing.wrongAt).toBeNull();
    await Bun.sleep(1_000);
    expect(existsSync(path)).toBe(false);
    expect((await server.call("GET", `/api/torrents/${id}`)).status).toBe(404);
    await restart();
    expect((await server.call<{ total: number }>("GET", "/api/torrents")).body.total).toBe(0);
    expect(existsSync(path)).toBe(false);
  }, 45_000);
});
