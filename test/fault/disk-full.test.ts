// B5 #3: a disk that fills stops the torrents on it and nothing else; when space returns they go on by themselves.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { describeIsolated } from "../support/namespace.ts";
import { type SmallDisk, smallDisk } from "../support/small-disk.ts";
import { addTo, type Supply, supply, view } from "../support/supply.ts";
import { tmpFolder } from "../support/tmp.ts";
import { sha256OfFile } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const DISK_BYTES = 48 * MIB;
const HEAD_BYTES = 2 * MIB;
/** The server looks for space every 10 s. */
const RETRY_MS = 13_000;

let disk: SmallDisk;
let server: Torrx;
const supplies: Supply[] = [];

async function supplied(name: string, lengthBytes: number, uploadLimit: number): Promise<Supply> {
  const made = await supply({ files: { [name]: lengthBytes }, uploadLimit });
  supplies.push(made);
  return made;
}

async function startOnDisk(folder: string): Promise<Torrx> {
  return await Torrx.start({ folder, wrapper: disk.wrapper(folder) });
}

const downloadTo = (path: string) => server.call("PUT", "/api/settings", { download_dir: path });
const until = (id: string, what: string, isReached: (body: TorrentBody) => boolean, withinMs = 15_000) =>
  server.waitFor(id, isReached, { withinMs, what });
const isFull = (body: TorrentBody) => body.status === "error" && body.error?.code === "disk_full";

/** Whether the first bytes of the torrent can be read and are right. */
async function isHeadRight(film: Supply): Promise<boolean> {
  const { body } = await server.call<TorrentBody>("GET", `/api/torrents/${film.torrent.infoHash}`);
  const response = await fetch(`${server.origin}${body.files[0]?.stream_url}&mode=direct`, {
    headers: { range: `bytes=0-${HEAD_BYTES - 1}` },
    signal: AbortSignal.timeout(5_000),
  });
  const original = Buffer.alloc(HEAD_BYTES);
  readSync(openSync(film.pathOf(), "r"), original, 0, HEAD_BYTES, 0);
  return response.status === 206 && original.equals(Buffer.from(await response.arrayBuffer()));
}

/** A torrent that fits the disk when it is added, and a viewer whose position is where it was read up to. */
async function filledUp(film: Supply): Promise<void> {
  const id = film.torrent.infoHash;
  await downloadTo(disk.path);
  await addTo(server, film);
  const { body } = await server.call<TorrentBody>("GET", `/api/torrents/${id}`);
  const viewing = view(server, body.files[0]!, film.pathOf());
  await until(id, "its head", () => viewing.matchedBytes >= 2 * HEAD_BYTES);
  viewing.abort();
  await viewing.ended;
  disk.fill();
  const { error } = await until(id, "it says that the disk is full", isFull, 8_000);
  expect(error?.message).toMatch(/disk is full/i);
}

describeIsolated("a full disk", () => {
  beforeEach(async () => {
    disk = await smallDisk(DISK_BYTES);
    server = await startOnDisk(tmpFolder("torrx"));
  });
  afterEach(async () => {
    await server.stop();
    await Promise.all(supplies.splice(0).map((one) => one.stop()));
    await disk.unmount();
  });

  test("stops its torrent alone: others and streams go on, and it completes when space returns", async () => {
    const film = await supplied("film.bin", 40 * MIB, 4_000_000);
    const other = await supplied("other.bin", 40 * MIB, 8_000_000);
    const id = film.torrent.infoHash;
    await filledUp(film);
    expect(await isHeadRight(film)).toBe(true);
    const elsewhere = join(server.folder, "elsewhere");
    mkdirSync(elsewhere);
    await downloadTo(elsewhere);
    await addTo(server, other);
    const { body } = await server.call<TorrentBody>("GET", `/api/torrents/${other.torrent.infoHash}`);
    const viewing = view(server, body.files[0]!, other.pathOf());
    await until(other.torrent.infoHash, "the other completes", (now) => now.progress === 1, 20_000);
    await viewing.ended;
    expect(viewing.end).toBe("done");
    expect(isFull((await server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body)).toBe(true);
    expect(await isHeadRight(film)).toBe(true);
    disk.free();
    const freedMs = performance.now();
    await until(id, "it goes on by itself", (now) => now.status === "downloading", RETRY_MS);
    console.log(`went on ${Math.round(performance.now() - freedMs)} ms after space returned`);
    await until(id, "it completes", (now) => now.progress === 1, 20_000);
    expect(film.seeder.state?.uploaded).toBeLessThan(film.torrent.lengthBytes + 6 * MIB);
    expect(await sha256OfFile(join(disk.outsidePath, "film.bin"))).toBe(await sha256OfFile(film.pathOf()));
  }, 60_000);

  test("resume by the user tries again at once; over a restart nothing is lost", async () => {
    const film = await supplied("film.bin", 40 * MIB, 4_000_000);
    const id = film.torrent.infoHash;
    await filledUp(film);
    const { progress } = (await server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
    await server.call("PUT", `/api/torrents/${id}/resume`);
    await until(id, "it is still full", isFull, 3_000);
    expect(await server.process.stop()).toBe(0);
    server = await startOnDisk(server.folder);
    const again = await until(id, "its progress is known", (body) => body.progress > 0, 3_000);
    expect(again.progress).toBeGreaterThanOrEqual(progress - 0.01);
    await server.call("POST", "/api/torrents", { magnet: film.magnet });
    await until(id, "it is full after the restart, too", isFull, 8_000);
    disk.free();
    await server.call("PUT", `/api/torrents/${id}/resume`);
    await until(
      id,
      "it goes on at once",
      (body) => body.status === "downloading" && body.progress > again.progress,
      4_000,
    );
    await until(id, "it completes", (body) => body.progress === 1, 20_000);
    expect(await sha256OfFile(join(disk.outsidePath, "film.bin"))).toBe(await sha256OfFile(film.pathOf()));
  }, 60_000);

  test("is said before the start, in figures, where a torrent does not fit", async () => {
    const film = await supplied("film.bin", 64 * MIB, 4_000_000);
    await downloadTo(disk.path);
    const answer = await server.upload<{ error: { code: string; message: string } }>(film.torrent.bytes);
    expect(answer.status).toBe(507);
    expect(answer.body.error.code).toBe("disk_full");
    expect(answer.body.error.message).toMatch(/0\.06 GiB needed, 0\.0\d GiB free/);
    expect((await server.call<{ total: number }>("GET", "/api/torrents")).body.total).toBe(0);
  }, 20_000);
});
