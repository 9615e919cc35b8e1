// B5 #26 and PRODUCT §3.1: data that is on disk already is checked and continued from; what is wrong in it is found,
// fetched again, and never served; what is not the torrent's own is left alone.

import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describeIsolated } from "../support/namespace.ts";
import { addMagnetTo, addTo, type Supply, supply, view } from "../support/supply.ts";
import { sha256OfFile } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** As many names are tried as there are here. */
const MAX_NAMES = 20;

let server: Torrx;
const supplies: Supply[] = [];

async function supplied(options: Parameters<typeof supply>[0]): Promise<Supply> {
  const made = await supply({ pieceBytes: PIECE_BYTES, ...options });
  supplies.push(made);
  return made;
}

const until = (id: string, what: string, isReached: (body: TorrentBody) => boolean, withinMs = 15_000) =>
  server.waitFor(id, isReached, { withinMs, what });
const isStatus = (status: string) => (body: TorrentBody) => body.status === status;
const connect = (one: Supply) => server.call("POST", "/api/torrents", { magnet: one.magnet });

/** Turns one byte in each of the pieces around, in place. */
function flip(path: string, pieces: readonly number[]): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  for (const piece of pieces) {
    const at = piece * PIECE_BYTES + 1_234;
    readSync(file, byte, 0, 1, at);
    writeSync(file, Buffer.from([~(byte[0] ?? 0) & 0xff]), 0, 1, at);
  }
  closeSync(file);
}

/** Its magnet names the seeder, so that it is found again under another name. */
async function completeUnder(film: Supply, name: string): Promise<TorrentBody> {
  const body = await until(film.torrent.infoHash, `the download under ${name}`, isStatus("seeding"));
  const path = join(server.downloads, name);
  for (const [index, file] of body.files.entries()) {
    const lies = film.torrent.files.length > 1 ? join(path, file.path) : path;
    expect(await sha256OfFile(lies)).toBe(await sha256OfFile(film.pathOf(index)));
  }
  return body;
}

async function complete(film: Supply): Promise<string> {
  await addTo(server, film);
  await until(film.torrent.infoHash, "the download", isStatus("seeding"));
  return join(server.downloads, film.torrent.name);
}

describeIsolated("data on disk", () => {
  beforeEach(async () => {
    server = await Torrx.start();
  });
  afterEach(async () => {
    await server.stop();
    await Promise.all(supplies.splice(0).map((one) => one.stop()));
  });

  test("a whole file that is there already seeds without a download", async () => {
    const film = await supplied({ files: { "film.bin": 12 * MIB } });
    const path = join(server.downloads, "film.bin");
    mkdirSync(server.downloads, { recursive: true });
    copyFileSync(film.pathOf(), path);
    await addTo(server, film);
    const body = await until(film.torrent.infoHash, "the check", isStatus("seeding"));
    expect(body.progress).toBe(1);
    expect(body.downloaded).toBe(0);
    expect(film.seeder.state?.uploaded).toBe(0);
    expect(await sha256OfFile(path)).toBe(await sha256OfFile(film.pathOf()));
  }, 20_000);

  test("of a file that is partly wrong only the wrong pieces are fetched", async () => {
    const film = await supplied({ files: { "film.bin": 12 * MIB } });
    const path = join(server.downloads, "film.bin");
    mkdirSync(server.downloads, { recursive: true });
    copyFileSync(film.pathOf(), path);
    flip(path, [3, 17, 40]);
    await addTo(server, film);
    const body = await until(film.torrent.infoHash, "the repair", isStatus("seeding"));
    expect(body.downloaded).toBe(3 * PIECE_BYTES);
    expect(await sha256OfFile(path)).toBe(await sha256OfFile(film.pathOf()));
  }, 20_000);

  test("bytes that were turned while it was off are found at the start and fetched again", async () => {
    const film = await supplied({ files: { "film.bin": 12 * MIB } });
    const id = film.torrent.infoHash;
    const path = await complete(film);
    await server.stop();
    flip(path, [5, 6]);
    server = await Torrx.start({ folder: server.folder });
    await until(id, "they are missed", (body) => body.progress < 1, 5_000);
    await connect(film);
    await until(id, "the repair", isStatus("seeding"));
    expect(await sha256OfFile(path)).toBe(await sha256OfFile(film.pathOf()));
    expect(film.seeder.state?.uploaded).toBeLessThan(film.torrent.lengthBytes + 4 * PIECE_BYTES);
  }, 30_000);

  test("bytes that were turned while it runs are found by a recheck, also while a viewer reads", async () => {
    const film = await supplied({ files: { "film.bin": 24 * MIB } });
    const id = film.torrent.infoHash;
    const path = await complete(film);
    const { body } = await server.call<TorrentBody>("GET", `/api/torrents/${id}`);
    flip(path, [60, 61, 90]);
    expect((await server.call("PUT", `/api/torrents/${id}/recheck`)).status).toBe(200);
    const viewing = view(server, body.files[0]!, film.pathOf());
    await connect(film);
    const after = await until(
      id,
      "the repair",
      (now) => now.status === "seeding" && now.downloaded > film.torrent.lengthBytes,
    );
    expect(after.downloaded).toBe(film.torrent.lengthBytes + 3 * PIECE_BYTES);
    expect(await sha256OfFile(path)).toBe(await sha256OfFile(film.pathOf()));
    await viewing.ended;
    expect(viewing.wrongAt).toBeNull();
    const again = view(server, body.files[0]!, film.pathOf());
    await again.ended;
    expect(again.end).toBe("done");
  }, 30_000);

  test("two torrents of one name lie side by side, the second with (2), also after a restart", async () => {
    const first = await supplied({ files: { "a.bin": 2 * MIB, "b.bin": MIB }, name: "film" });
    const second = await supplied({ files: { "a.bin": 3 * MIB, "b.bin": MIB }, name: "film" });
    await addTo(server, first);
    await addTo(server, second);
    await server.stop();
    server = await Torrx.start({ folder: server.folder });
    await connect(first);
    await connect(second);
    await until(first.torrent.infoHash, "the first", isStatus("seeding"));
    await until(second.torrent.infoHash, "the second", isStatus("seeding"));
    for (const [one, folder] of [
      [first, "film"],
      [second, "film (2)"],
    ] as const) {
      for (const [index, name] of ["a.bin", "b.bin"].entries()) {
        const path = join(server.downloads, folder, name);
        expect(await sha256OfFile(path)).toBe(await sha256OfFile(one.pathOf(index)));
      }
    }
  }, 30_000);

  test("data of a torrent that left the list is not written over by another one of its name", async () => {
    const first = await supplied({ files: { "a.bin": 2 * MIB, "b.bin": MIB }, name: "film" });
    const second = await supplied({ files: { "a.bin": 2 * MIB, "b.bin": 3 * MIB }, name: "film" });
    const folder = await complete(first);
    await server.call("DELETE", `/api/torrents/${first.torrent.infoHash}`);
    await addMagnetTo(server, second);
    await completeUnder(second, "film (2)");
    await server.call("DELETE", `/api/torrents/${second.torrent.infoHash}`);
    // Back again each finds its own.
    for (const [one, name] of [
      [second, "film (2)"],
      [first, "film"],
    ] as const) {
      await addMagnetTo(server, one);
      expect((await completeUnder(one, name)).downloaded).toBe(0);
    }
    for (const [index, name] of ["a.bin", "b.bin"].entries())
      expect(await sha256OfFile(join(folder, name))).toBe(await sha256OfFile(first.pathOf(index)));
  }, 30_000);

  test("a magnet finds other data in its file's place: it is left alone, also at the removal with data", async () => {
    const film = await supplied({ files: { "film.bin": 2 * MIB } });
    const id = film.torrent.infoHash;
    const foreign = Buffer.alloc(2 * MIB, 9);
    mkdirSync(server.downloads, { recursive: true });
    writeFileSync(join(server.downloads, "film.bin"), foreign);
    await addMagnetTo(server, film);
    await completeUnder(film, "film (2).bin");
    await server.stop();
    server = await Torrx.start({ folder: server.folder });
    await until(id, "it is there again", isStatus("seeding"));
    expect((await server.call("DELETE", `/api/torrents/${id}?delete_files=true`)).status).toBe(204);
    expect(readdirSync(server.downloads)).toEqual(["film.bin"]);
    expect(readFileSync(join(server.downloads, "film.bin")).equals(foreign)).toBe(true);
  }, 30_000);

  test("a paused torrent is removed with its data after a restart that did not look at it", async () => {
    const film = await supplied({ files: { "film.bin": 2 * MIB } });
    const id = film.torrent.infoHash;
    const path = await complete(film);
    await server.call("PUT", `/api/torrents/${id}/pause`);
    await server.stop();
    server = await Torrx.start({ folder: server.folder });
    expect((await server.call("DELETE", `/api/torrents/${id}?delete_files=true`)).status).toBe(204);
    expect(existsSync(path)).toBe(false);
  }, 20_000);

  test("a torrent for which no name is free can be removed at any time, with nothing of others", async () => {
    const film = await supplied({ files: { "film.bin": 2 * MIB } });
    const id = film.torrent.infoHash;
    const foreign = Buffer.alloc(2 * MIB, 9);
    const names = ["film.bin", ...Array.from({ length: MAX_NAMES - 1 }, (_, at) => `film (${at + 2}).bin`)];
    mkdirSync(server.downloads, { recursive: true });
    for (const name of names) writeFileSync(join(server.downloads, name), foreign);
    await addTo(server, film);
    await until(id, "the conflict", (body) => body.error?.code === "data_conflict");
    await server.call("PUT", `/api/torrents/${id}/recheck`);
    await server.call("PUT", `/api/torrents/${id}/resume`);
    expect((await server.call("DELETE", `/api/torrents/${id}?delete_files=true`)).status).toBe(204);
    expect(readdirSync(server.downloads).sort()).toEqual([...names].sort());
    for (const name of names) expect(readFileSync(join(server.downloads, name)).equals(foreign)).toBe(true);
  }, 30_000);

  test("removing leaves the data, removing with data leaves the files of others", async () => {
    const show = await supplied({ files: { "s1/a.bin": 2 * MIB, "s2/b.bin": MIB }, name: "show" });
    const id = show.torrent.infoHash;
    const folder = await complete(show);
    expect((await server.call("DELETE", `/api/torrents/${id}`)).status).toBe(204);
    expect(readdirSync(folder).sort()).toEqual(["s1", "s2"]);
    await addTo(server, show);
    expect((await until(id, "taken over", isStatus("seeding"))).downloaded).toBe(0);
    // What the seeder says of itself may lag.
    expect(show.seeder.state?.uploaded).toBeLessThanOrEqual(show.torrent.lengthBytes);
    writeFileSync(join(folder, "s1", "notes.txt"), "mine");
    expect((await server.call("DELETE", `/api/torrents/${id}?delete_files=true`)).status).toBe(204);
    expect(readdirSync(folder)).toEqual(["s1"]);
    expect(readdirSync(join(folder, "s1"))).toEqual(["notes.txt"]);
    expect(readFileSync(join(folder, "s1", "notes.txt"), "utf8")).toBe("mine");
    await addTo(server, show);
    await until(id, "fetched anew", isStatus("seeding"));
    await server.call("DELETE", `/api/torrents/${id}?delete_files=true`);
    expect(existsSync(join(folder, "s2"))).toBe(false);
  }, 30_000);
});
