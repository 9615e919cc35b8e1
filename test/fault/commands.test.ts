// B5 #27: commands of several users at once, in every order. Each gets an answer that fits some order of them, nothing
// fails inside, and what is left at the end is whole.

import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeIsolated } from "../support/namespace.ts";
import { tmpFolder } from "../support/tmp.ts";
import { type MadeTorrent, makeTorrent } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const COMMANDS = 1_500;
const AT_ONCE = 8;
const FILES = 3;

/** Two torrents of three files each. */
async function someTorrents(): Promise<MadeTorrent[]> {
  const folder = tmpFolder("films");
  const made: MadeTorrent[] = [];
  for (let n = 0; n < 2; n++) {
    const path = join(folder, `film ${n}`);
    mkdirSync(path);
    for (let f = 0; f < FILES; f++) {
      writeFileSync(join(path, `part ${f}.mkv`), Buffer.alloc(700_000 + f, n * 7 + f));
    }
    made.push(await makeTorrent(path, { pieceBytes: 64 * 1024 }));
  }
  return made;
}

/** One file that takes a while to check. */
async function bigFilm(): Promise<MadeTorrent & { readonly sourcePath: string }> {
  const sourcePath = join(tmpFolder("film"), "film.mkv");
  writeFileSync(sourcePath, Buffer.alloc(256 * 1024 * 1024, 1));
  return { ...(await makeTorrent(sourcePath, { pieceBytes: 1024 * 1024 })), sourcePath };
}

const errorsOf = (server: Torrx) => server.process.lines.filter((line) => line.includes('"level":"error"'));

/** Numbers in [0, below) from a seed (a linear congruential generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function readSome(server: Torrx, path: string, leaveAfterMs: number): Promise<number> {
  const leave = AbortSignal.timeout(leaveAfterMs);
  try {
    const answer = await fetch(server.origin + path, {
      headers: { authorization: server.authorization },
      signal: leave,
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    // Left, or cut off because the torrent went.
    if (leave.aborted || !(error as Error).message.includes("refused")) return 200;
    throw error;
  }
}

async function command(
  server: Torrx,
  torrent: MadeTorrent,
  pick: (below: number) => number,
): Promise<number> {
  const path = `/api/torrents/${torrent.infoHash}`;
  const stream = `/api/stream/${torrent.infoHash}/${pick(FILES)}`;
  const files = [{ index: pick(FILES), is_selected: pick(2) === 0 }];
  const all: (() => Promise<{ readonly status: number }>)[] = [
    () => server.upload(torrent.bytes),
    () => server.upload(torrent.bytes),
    () => server.call("POST", "/api/torrents", { magnet: torrent.magnet() }),
    () => server.call("PUT", `${path}/pause`),
    () => server.call("PUT", `${path}/resume`),
    () => server.call("PUT", `${path}/recheck`),
    () => server.call("DELETE", path),
    () => server.call("DELETE", `${path}?delete_files=true`),
    () => server.call("PATCH", `${path}/files`, { files }),
    () => server.call("PATCH", path, { download: pick(2) === 0 ? "all" : "watched" }),
    () => server.call("PUT", "/api/settings", { max_concurrent_torrents: 1 + pick(2) }),
    () => server.call("GET", `${path}/pieces`),
    () => server.call("GET", `${stream}/info`),
    async () => ({ status: await readSome(server, `${stream}?mode=direct`, 20 + pick(200)) }),
    async () => ({ status: await readSome(server, `${stream}?mode=direct`, 20 + pick(200)) }),
  ];
  return (await (all[pick(all.length)] ?? all[0]!)()).status;
}

describeIsolated("commands of several users at once", () => {
  test("are each answered, and leave nothing broken or behind", async () => {
    const seed = Number(process.env["TORRX_TEST_SEED"] ?? crypto.getRandomValues(new Uint32Array(1))[0]);
    const pick = numbers(seed);
    const torrents = await someTorrents();
    const server = await Torrx.start();
    try {
      const statuses = new Map<number, number>();
      let left = COMMANDS;
      const user = async () => {
        while (left-- > 0) {
          const status = await command(server, torrents[pick(torrents.length)]!, pick);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, user));
      expect([...statuses.keys()].sort(), `seed ${seed}`).toEqual([200, 201, 204, 404, 409]);
      expect(errorsOf(server)).toEqual([]);

      for (const { infoHash, bytes, dataFolder, name } of torrents) {
        await server.call("DELETE", `/api/torrents/${infoHash}?delete_files=true`);
        await server.upload(bytes);
        expect((await server.call("DELETE", `/api/torrents/${infoHash}?delete_files=true`)).status).toBe(204);
        expect(existsSync(join(server.downloads, name)), `seed ${seed}`).toBe(false);
        cpSync(join(dataFolder, name), join(server.downloads, name), { recursive: true });
        expect((await server.upload(bytes)).status).toBe(201);
        await server.waitFor(infoHash, (body) => body.progress === 1, {
          withinMs: 5_000,
          what: `the data of ${name} is found whole (seed ${seed})`,
        });
      }
    } finally {
      await server.stop();
    }
    expect(server.process.exitCode).toBe(0);
  }, 60_000);

  test("a stream of a torrent whose check was just cut short by a pause has it checked", async () => {
    const film = await bigFilm();
    const server = await Torrx.start();
    const path = `/api/torrents/${film.infoHash}`;
    try {
      cpSync(film.sourcePath, join(server.downloads, "film.mkv"));
      // The cut takes about a piece's time, so that it takes a few tries to meet it.
      for (let n = 0; n < 6; n++) {
        await server.upload(film.bytes);
        const pausing = server.call("PUT", `${path}/pause`);
        const answer = await fetch(`${server.origin}/api/stream/${film.infoHash}/0?mode=direct`, {
          headers: { authorization: server.authorization, range: "bytes=0-99" },
        });
        expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([206, 100]);
        expect((await pausing).status).toBe(200);
        await server.call("DELETE", path);
      }
      expect(errorsOf(server)).toEqual([]);
    } finally {
      await server.stop();
    }
  }, 30_000);

  test("a stream that waits for the check of its torrent's data is told when the torrent is removed", async () => {
    const { bytes, infoHash, sourcePath } = await bigFilm();
    const server = await Torrx.start();
    try {
      cpSync(sourcePath, join(server.downloads, "film.mkv"));
      await server.upload(bytes);
      const streaming = server.call("GET", `/api/stream/${infoHash}/0?mode=direct`);
      const isOpen = async () =>
        (await server.call<{ streams: unknown[] }>("GET", "/api/status")).body.streams.length > 0;
      while (!(await isOpen())) await Bun.sleep(1);
      expect((await server.call<TorrentBody>("GET", `/api/torrents/${infoHash}`)).body.status).toBe(
        "checking",
      );
      expect((await server.call("DELETE", `/api/torrents/${infoHash}`)).status).toBe(204);
      expect((await streaming).status).toBe(404);
      expect(errorsOf(server)).toEqual([]);
    } finally {
      await server.stop();
    }
  }, 30_000);
});
