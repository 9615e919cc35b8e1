// B5 #1: what the server has answered with success is there after a kill -9 in the next moment.

import { afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describeIsolated } from "../support/namespace.ts";
import { type Supply, supply } from "../support/supply.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;

let server: Torrx;
let pair: Supply;

const pathOf = (id: string) => `/api/torrents/${id}`;
const bodyOf = async (id: string) => (await server.call<TorrentBody>("GET", pathOf(id))).body;

/** Sends the command, kills once it is answered, starts again. */
async function killAfter(method: string, path: string, body?: object): Promise<void> {
  const answer = await server.call(method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBeWithin(200, 300);
  await server.process.stop("SIGKILL");
  server = await Torrx.start({ folder: server.folder });
}

describeIsolated("an answered command survives kill -9", () => {
  beforeAll(async () => {
    pair = await supply({ files: { "a.bin": 4 * MIB, "b.bin": 4 * MIB }, name: "pair" });
    await pair.stop();
  });
  beforeEach(async () => {
    server = await Torrx.start();
  });
  afterEach(() => server.stop());

  test("adding by magnet and by file", async () => {
    const magnet = `magnet:?xt=urn:btih:${"ab".repeat(20)}&dn=waiting`;
    await killAfter("POST", "/api/torrents", { magnet });
    expect(await bodyOf("ab".repeat(20))).toMatchObject({ name: "waiting", status: "metadata" });
    const form = new FormData();
    form.append("torrent", new Blob([pair.torrent.bytes as Uint8Array<ArrayBuffer>]), "pair.torrent");
    await killAfter("POST", "/api/torrents", form);
    expect((await bodyOf(pair.torrent.infoHash)).files.map((file) => file.path)).toEqual(["a.bin", "b.bin"]);
  }, 20_000);

  test("pause, choice of files, limits, name, priority", async () => {
    const id = pair.torrent.infoHash;
    await server.upload(pair.torrent.bytes);
    await killAfter("PUT", `${pathOf(id)}/pause`);
    await killAfter("PATCH", `${pathOf(id)}/files`, {
      files: [{ index: 1, is_selected: false, priority: "high" }],
    });
    await killAfter("PATCH", pathOf(id), {
      name: "mine",
      priority: "low",
      max_download_speed: 4_321,
      download: "watched",
    });
    const body = await bodyOf(id);
    expect(body).toMatchObject({
      status: "paused",
      name: "mine",
      priority: "low",
      max_download_speed: 4_321,
    });
    expect(body).toMatchObject({ download: "watched" });
    expect(body.files[1]).toMatchObject({ is_selected: false, priority: "high" });
    await killAfter("PUT", `${pathOf(id)}/resume`);
    expect((await bodyOf(id)).status).not.toBe("paused");
  }, 20_000);

  test("settings and credentials", async () => {
    await killAfter("PUT", "/api/settings", { max_download_speed: 777, seed_ratio_limit: 3.5 });
    const settings = await server.call("GET", "/api/settings");
    expect(settings.body).toMatchObject({ max_download_speed: 777, seed_ratio_limit: 3.5 });
    const change = { current_password: "a password of tests", password: "another password" };
    await killAfter("PUT", "/api/settings/credentials", change);
    expect((await server.call("GET", "/api/settings")).status).toBe(401);
    const authorization = `Basic ${Buffer.from("admin:another password").toString("base64")}`;
    expect((await fetch(`${server.origin}/api/settings`, { headers: { authorization } })).status).toBe(200);
  }, 20_000);

  test("removal with its data, also when the kill comes before the answer", async () => {
    const id = pair.torrent.infoHash;
    for (const waitsForAnswer of [true, false]) {
      const folder = join(server.downloads, "pair");
      mkdirSync(folder, { recursive: true });
      for (const index of [0, 1]) copyFileSync(pair.pathOf(index), join(folder, `${"ab"[index]}.bin`));
      await server.upload(pair.torrent.bytes);
      await server.waitFor(id, (body) => body.status === "seeding", { withinMs: 5_000, what: "the check" });
      if (waitsForAnswer) {
        await killAfter("DELETE", `${pathOf(id)}?delete_files=true`);
      } else {
        const answer = server.call("DELETE", `${pathOf(id)}?delete_files=true`).catch(() => null);
        await Bun.sleep(3);
        await server.process.stop("SIGKILL");
        await answer;
        server = await Torrx.start({ folder: server.folder });
      }
      const isThere = (await server.call("GET", pathOf(id))).status === 200;
      // All of it or nothing of it.
      expect(existsSync(join(folder, "a.bin"))).toBe(isThere);
      expect(existsSync(join(folder, "b.bin"))).toBe(isThere);
      if (waitsForAnswer) expect(isThere).toBe(false);
    }
  }, 30_000);

  test("SIGTERM in the middle of a check: out at once, and the check begins anew", async () => {
    const big = await supply({ files: { "big.bin": 128 * MIB } });
    await big.stop();
    const id = big.torrent.infoHash;
    mkdirSync(server.downloads, { recursive: true });
    copyFileSync(big.pathOf(), join(server.downloads, "big.bin"));
    await server.upload(big.torrent.bytes);
    expect((await bodyOf(id)).status).toBe("checking");
    const startMs = performance.now();
    server.process.signal("SIGTERM");
    expect(await server.process.waitForExit(5_000)).toBe(0);
    console.log(`stopped in the middle of a check in ${Math.round(performance.now() - startMs)} ms`);
    server = await Torrx.start({ folder: server.folder });
    const body = await server.waitFor(id, ({ status }) => status === "seeding", {
      withinMs: 15_000,
      what: "the check",
    });
    expect(body.progress).toBe(1);
    expect(body.downloaded).toBe(0);
  }, 40_000);
});
