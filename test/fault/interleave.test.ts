// B5 #27: commands that cross each other. Readers get a clean end, nothing is made again after a removal, the same
// command twice is no error.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describeIsolated } from "../support/namespace.ts";
import { addTo, type Supply, supply, view } from "../support/supply.ts";
import { sha256OfFile } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
/** No late write shows up after a removal within this. */
const QUIET_MS = 1_500;

let server: Torrx;
const supplies: Supply[] = [];

async function supplied(options: Parameters<typeof supply>[0]): Promise<Supply> {
  const made = await supply(options);
  supplies.push(made);
  return made;
}

const bodyOf = async (id: string) => (await server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
const until = (id: string, what: string, isReached: (body: TorrentBody) => boolean, withinMs = 15_000) =>
  server.waitFor(id, isReached, { withinMs, what });
const remove = (id: string) => server.call("DELETE", `/api/torrents/${id}?delete_files=true`);

describeIsolated("commands that cross", () => {
  beforeEach(async () => {
    server = await Torrx.start();
  });
  afterEach(async () => {
    await server.stop();
    await Promise.all(supplies.splice(0).map((one) => one.stop()));
  });

  test("a file that is no longer chosen is still streamed to its end", async () => {
    const pair = await supplied({
      files: { "a.bin": 12 * MIB, "b.bin": 4 * MIB },
      name: "pair",
      uploadLimit: 6_000_000,
    });
    const id = pair.torrent.infoHash;
    await addTo(server, pair);
    const viewing = view(server, (await bodyOf(id)).files[0]!, pair.pathOf(0));
    await until(id, "the stream gets bytes", () => viewing.matchedBytes > MIB);
    const files = [{ index: 0, is_selected: false }];
    expect((await server.call("PATCH", `/api/torrents/${id}/files`, { files })).status).toBe(200);
    await viewing.ended;
    expect(viewing.wrongAt).toBeNull();
    expect(viewing.end).toBe("done");
  }, 20_000);

  test("removal in the middle of a recheck ends it, and nothing comes back", async () => {
    const film = await supplied({ files: { "film.bin": 128 * MIB } });
    const id = film.torrent.infoHash;
    mkdirSync(server.downloads, { recursive: true });
    copyFileSync(film.pathOf(), join(server.downloads, "film.bin"));
    await addTo(server, film);
    await until(id, "it is taken over", (body) => body.status === "seeding");
    expect((await server.call("PUT", `/api/torrents/${id}/recheck`)).status).toBe(200);
    const viewing = view(server, (await bodyOf(id)).files[0]!, film.pathOf());
    expect((await remove(id)).status).toBe(204);
    await viewing.ended;
    expect(viewing.wrongAt).toBeNull();
    await Bun.sleep(QUIET_MS);
    expect(existsSync(join(server.downloads, "film.bin"))).toBe(false);
    expect((await remove(id)).status).toBe(404);
  }, 20_000);

  test("removed and added again in the middle of a download it completes", async () => {
    const film = await supplied({ files: { "film.bin": 12 * MIB }, uploadLimit: 8_000_000 });
    const id = film.torrent.infoHash;
    for (let round = 0; round < 4; round++) {
      await addTo(server, film);
      await until(id, "some of it", (body) => body.downloaded > 0);
      const [first, second] = await Promise.all([remove(id), remove(id)]);
      expect([first.status, second.status].sort()).toEqual([204, 404]);
    }
    await Bun.sleep(QUIET_MS);
    expect(readdirSync(server.downloads)).toEqual([]);
    const answers = await Promise.all([server.upload(film.torrent.bytes), server.upload(film.torrent.bytes)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 201]);
    await server.call("POST", "/api/torrents", { magnet: film.magnet });
    await until(id, "all of it", (body) => body.progress === 1);
    expect(await sha256OfFile(join(server.downloads, "film.bin"))).toBe(await sha256OfFile(film.pathOf()));
  }, 40_000);

  test("pause, resume and recheck in any order, at once, end in the state of the last one", async () => {
    const film = await supplied({ files: { "film.bin": 48 * MIB }, uploadLimit: 8_000_000 });
    const id = film.torrent.infoHash;
    await addTo(server, film);
    await until(id, "some of it", (body) => body.progress > 0.1);
    const command = (name: string) => server.call("PUT", `/api/torrents/${id}/${name}`);
    const storm = ["recheck", "pause", "recheck", "resume", "pause", "recheck", "resume", "recheck", "pause"];
    for (const answer of await Promise.all(storm.map(command))) expect(answer.status).toBe(200);
    await until(id, "it is paused", (body) => body.status === "paused", 5_000);
    for (const answer of await Promise.all([command("recheck"), command("resume")]))
      expect(answer.status).toBe(200);
    await until(id, "all of it", (body) => body.progress === 1, 20_000);
    expect(await sha256OfFile(join(server.downloads, "film.bin"))).toBe(await sha256OfFile(film.pathOf()));
    expect(film.seeder.state?.uploaded).toBeLessThan(film.torrent.lengthBytes * 1.35);
  }, 45_000);
});
