// B5 #23: a signal ends the server in order, within its time, and the next start goes on without hashing anything.

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { constants } from "node:os";
import { join } from "node:path";
import { describeIsolated, PRIVATE_ADDRESS } from "../support/namespace.ts";
import { addMagnetTo, type Supply, supply, type Viewing, view } from "../support/supply.ts";
import { sha256OfFile } from "../support/torrent-maker.ts";
import { type TorrentBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const STOP_MS = 5_000;
const HASHED = '"data on disk was hashed"';

/** A server that downloads and streams, at least a few MiB into both. */
async function busyServer(
  supplied: Supply,
  tracker?: string,
): Promise<{ server: Torrx; viewing: Viewing; progress: number }> {
  const server = await Torrx.start();
  const magnet = tracker === undefined ? "" : `&tr=${encodeURIComponent(tracker)}`;
  await addMagnetTo(server, { ...supplied, magnet: supplied.magnet + magnet });
  const id = supplied.torrent.infoHash;
  const { files } = await server.waitFor(id, (body) => body.files.length > 0, {
    withinMs: 5_000,
    what: "files",
  });
  const viewing = view(server, files[0]!, supplied.pathOf());
  const { progress } = await server.waitFor(
    id,
    (body) => {
      if (viewing.end !== "open") throw new Error(`the stream was cut: ${String(viewing.failure)}`);
      return body.progress * supplied.torrent.lengthBytes > 4 * MIB && viewing.matchedBytes > MIB;
    },
    { withinMs: 10_000, what: "a download and a stream" },
  );
  return { server, viewing, progress };
}

/** Every status that the torrent shows from the start until it has new data. */
async function statusesUntilProgress(server: Torrx, id: string, before: number): Promise<string[]> {
  const seen = new Set<string>();
  await server.waitFor(
    id,
    (body: TorrentBody & { check_progress?: number | null }) => {
      seen.add(body.status);
      if ((body.check_progress ?? 0) > 0) seen.add(`check ${body.check_progress}`);
      return body.progress > before;
    },
    { withinMs: 10_000, what: "the download goes on" },
  );
  return [...seen];
}

/** Sends and never reads. */
function deafClient(port: number, request: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.pause();
      socket.write(request);
      resolve(socket);
    });
    socket.on("error", reject);
  });
}

function databaseIsSound(server: Torrx): boolean {
  const database = new Database(join(server.folder, "data", "torrx.db"), { readonly: true });
  const found = database.query("PRAGMA integrity_check").values();
  database.close();
  return JSON.stringify(found) === '[["ok"]]';
}

describeIsolated("a stop in order", () => {
  let supplied: Supply;
  beforeAll(async () => {
    supplied = await supply({ files: { "film.bin": 40 * MIB }, uploadLimit: 6_000_000 });
  });
  afterAll(() => supplied.stop());

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    test(`${signal} while a stream and a download run: exit 0 in time, and no hash at the next start`, async () => {
      const { server, viewing, progress } = await busyServer(supplied);
      const id = supplied.torrent.infoHash;
      const startMs = performance.now();
      server.process.signal(signal);
      expect(await server.process.waitForExit(STOP_MS)).toBe(0);
      const tookMs = performance.now() - startMs;
      await viewing.ended;
      expect(viewing.wrongAt).toBeNull();
      expect(viewing.end).toBe("cut");
      expect(databaseIsSound(server)).toBe(true);
      const again = await Torrx.start({ folder: server.folder });
      try {
        const shown = (await again.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
        expect(shown.progress).toBeGreaterThanOrEqual(progress);
        expect(shown.downloaded).toBeGreaterThanOrEqual(Math.floor(progress * supplied.torrent.lengthBytes));
        const seen = await statusesUntilProgress(again, id, shown.progress);
        expect(seen.filter((status) => status.startsWith("check "))).toEqual([]);
        expect(again.process.lines.filter((line) => line.includes(HASHED))).toEqual([]);
        console.log(
          `${signal}: stopped in ${Math.round(tookMs)} ms; statuses after the start: ${seen.join(", ")}`,
        );
        if (signal === "SIGINT") {
          await again.waitFor(id, (body) => body.progress === 1, { withinMs: 20_000, what: "the rest" });
          expect(await sha256OfFile(join(again.downloads, "film.bin"))).toBe(
            await sha256OfFile(supplied.pathOf()),
          );
        }
      } finally {
        await again.stop();
      }
    }, 45_000);
  }

  test("a tracker that never answers holds up no stop; a second signal ends it at once", async () => {
    const tracker = createServer(() => undefined);
    await new Promise<void>((resolve) => tracker.listen(0, PRIVATE_ADDRESS, resolve));
    const { port } = tracker.address() as { port: number };
    const tookMs: number[] = [];
    for (const signals of [1, 2]) {
      const { server, viewing } = await busyServer(supplied, `http://${PRIVATE_ADDRESS}:${port}/announce`);
      const startMs = performance.now();
      server.process.signal("SIGTERM");
      await server.process.waitForLine('"stopping"', 2_000);
      if (signals === 2) server.process.signal("SIGTERM");
      const exitCode = await server.process.waitForExit(STOP_MS);
      tookMs.push(Math.round(performance.now() - startMs));
      await viewing.ended;
      expect(exitCode).toBe(signals === 2 ? 1 : 0);
      expect(databaseIsSound(server)).toBe(true);
      const again = await Torrx.start({ folder: server.folder });
      const list = await again.call<{ total: number }>("GET", "/api/torrents");
      await again.process.stop("SIGKILL");
      expect(list.body.total).toBe(1);
    }
    tracker.closeAllConnections();
    tracker.close();
    console.log(`stop with a dead tracker: ${tookMs[0]} ms; with a second signal: ${tookMs[1]} ms`);
    expect(tookMs[1]).toBeLessThan(500);
  }, 40_000);

  test("clients that do not read, idle connections and event streams hold up no stop", async () => {
    const { server, viewing } = await busyServer(supplied);
    const { files } = (await server.call<TorrentBody>("GET", `/api/torrents/${supplied.torrent.infoHash}`))
      .body;
    const requests = [
      `GET ${files[0]!.stream_url}&mode=direct HTTP/1.1\r\nhost: localhost\r\n\r\n`,
      `GET /api/events HTTP/1.1\r\nhost: localhost\r\nauthorization: ${server.authorization}\r\n\r\n`,
      "GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n",
      "POST /api/torrents HTTP/1.1\r\nhost: localhost\r\n",
      "",
    ];
    const sockets = await Promise.all(requests.map((request) => deafClient(server.port, request)));
    await Bun.sleep(500);
    const startMs = performance.now();
    server.process.signal("SIGTERM");
    expect(await server.process.waitForExit(STOP_MS)).toBe(0);
    console.log(`stop with deaf clients: ${Math.round(performance.now() - startMs)} ms`);
    await viewing.ended;
    for (const socket of sockets) socket.destroy();
    expect(server.process.lines.filter((line) => /"level":"error"/.test(line))).toEqual([]);
  }, 30_000);

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal} at any moment of a start ends it in time and leaves data that starts`, async () => {
      const seed = Number(process.env["TORRX_TEST_SEED"] ?? 1);
      const rounds = process.env["TORRX_TEST_ALL"] === "1" ? 50 : 6;
      let folder: string | undefined;
      for (let round = 0; round < rounds; round++) {
        // From the first instruction to after "ready".
        const afterMs = ((seed + round) * 0.618_034 - Math.floor((seed + round) * 0.618_034)) * 600;
        const server = Torrx.launch(folder === undefined ? {} : { folder });
        folder = server.folder;
        await Bun.sleep(afterMs);
        const startMs = performance.now();
        server.process.signal(signal);
        const exitCode = await server.process.waitForExit(STOP_MS);
        const note = `seed ${seed}, round ${round}, after ${Math.round(afterMs)} ms`;
        expect([0, 128 + constants.signals[signal]], note).toContain(exitCode);
        expect(performance.now() - startMs, note).toBeLessThan(STOP_MS);
        if (exitCode === 0) expect(databaseIsSound(server), note).toBe(true);
      }
      const again = await Torrx.start(folder === undefined ? {} : { folder });
      expect((await again.call("GET", "/api/torrents")).status).toBe(200);
      await again.stop();
    }, 120_000);
  }
});
