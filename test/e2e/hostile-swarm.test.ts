// Peers and trackers that lie, flood and mislead, against the whole server: what it serves stays right, what it asks
// stays little, and nobody honest pays for it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { copyFileSync, openSync, writeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { type Relay, startRelay } from "../support/actors/relay.ts";
import { startTracker } from "../support/actors/tracker.ts";
import { answerHandshake, listening, portOf } from "../support/actors/useless-peers.ts";
import { always, httpVictim, redirectTo } from "../support/http-victim.ts";
import { LoopProbe, WITH_LOOP_PROBE } from "../support/loop-probe.ts";
import { describeIsolated, PRIVATE_ADDRESS } from "../support/namespace.ts";
import { randomFile } from "../support/random-file.ts";
import { tmpFolder } from "../support/tmp.ts";
import { makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";
import { type FileBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
const LIAR = "10.77.0.66";
const FLOODER = "10.77.0.67";
/** An address that counts as public, and leads nowhere but to this network. */
const PUBLIC = "5.6.7.8";
const BYTES_PER_SEC = 4_000_000;
const LOOP_LAG_MS = 50;
const RSS_GROWTH_BYTES = 8 * MIB;
const TRACKER_WATCH_MS = 6_000;

async function sha256OfStream(server: Torrx, file: FileBody): Promise<string> {
  const response = await fetch(`${server.origin}${file.stream_url}&mode=direct`);
  expect(response.status).toBe(200);
  const hash = createHash("sha256");
  if (response.body !== null) for await (const chunk of response.body) hash.update(chunk);
  return hash.digest("hex");
}

/** A copy of the file in a folder of its own, with one byte of every third piece changed. */
function spoiledCopy(path: string, name: string, lengthBytes: number): string {
  const folder = tmpFolder("liar");
  copyFileSync(path, join(folder, name));
  const file = openSync(join(folder, name), "r+");
  for (let at = 1000; at < lengthBytes; at += 3 * PIECE_BYTES)
    writeSync(file, randomFillSync(Buffer.alloc(16)), 0, 16, at);
  return folder;
}

const connectionsOf = (relay: Relay) => new Set(relay.frames.map((frame) => frame.connection)).size;

describeIsolated("a hostile swarm", () => {
  let server: Torrx;
  beforeAll(async () => {
    server = await Torrx.start({ env: WITH_LOOP_PROBE });
  });
  afterAll(() => server.stop());

  test("a liar beside an honest seeder: no wrong byte served, the liar cut off for good, all arrives", async () => {
    const lengthBytes = 32 * MIB;
    const path = randomFile(lengthBytes);
    const torrent = await makeTorrent(path, { pieceBytes: PIECE_BYTES });
    const { torrentPath } = torrent;
    const [honest, liar] = await Promise.all([
      LibtorrentPeer.start({ torrentPath, saveFolder: torrent.dataFolder, seed: true }),
      LibtorrentPeer.start({
        torrentPath,
        saveFolder: spoiledCopy(path, torrent.name, lengthBytes),
        seed: "lie",
        host: LIAR,
      }),
    ]);
    const honestLine = await startRelay(honest, { bytesPerSec: BYTES_PER_SEC });
    const liarLine = await startRelay(liar, { host: LIAR, bytesPerSec: BYTES_PER_SEC });
    /** The liar again, on another port. */
    const liarAgain = await startRelay(liar, { host: LIAR });
    try {
      await server.upload(torrent.bytes);
      await server.call("POST", "/api/torrents", {
        magnet: torrent.magnet([honestLine.peer, liarLine.peer]),
      });
      const { files } = await server.waitFor(torrent.infoHash, (body) => body.files.length > 0, {
        withinMs: 5_000,
        what: "the file list",
      });
      const served = sha256OfStream(server, files[0]!);
      await liarIsGone(torrent.infoHash, liarLine);
      await server.call("POST", "/api/torrents", { magnet: torrent.magnet([liarAgain.peer]) });
      expect(await served).toBe(await sha256OfFile(path));
      await server.waitFor(torrent.infoHash, (body) => body.progress === 1, {
        withinMs: 30_000,
        what: "the download",
      });
      expect(await sha256OfFile(join(server.downloads, torrent.name))).toBe(await sha256OfFile(path));
      const blocks = (relay: Relay) => relay.frames.filter((frame) => frame.name === "piece").length;
      console.log(
        `liar: ${blocks(liarLine)} blocks in ${connectionsOf(liarLine)} connection, ` +
          `honest: ${blocks(honestLine)} in ${connectionsOf(honestLine)}`,
      );
      expect(blocks(liarLine)).toBeGreaterThan(0);
      expect(connectionsOf(liarLine)).toBe(1);
      expect(connectionsOf(liarAgain)).toBe(0);
      expect(connectionsOf(honestLine)).toBe(1);
    } finally {
      await Promise.all([honestLine, liarLine, liarAgain, honest, liar].map((end) => end.stop()));
      await server.call("DELETE", `/api/torrents/${torrent.infoHash}?delete_files=true`);
    }
  }, 60_000);

  /** Resolves once the liar has given blocks and is no peer any more. */
  async function liarIsGone(infoHash: string, line: Relay): Promise<void> {
    if (!line.frames.some(({ name }) => name === "piece"))
      await line.waitForFrame(({ name }) => name === "piece");
    const endMs = performance.now() + 15_000;
    for (;;) {
      const path = `/api/torrents/${infoHash}/peers`;
      const { body } = await server.call<{ items: { address: string }[] }>("GET", path);
      if (!body.items.some(({ address }) => address.startsWith(LIAR))) return;
      expect(performance.now(), "the liar is still a peer").toBeLessThan(endMs);
      await Bun.sleep(50);
    }
  }

  test("a peer that announces a 2 GiB message is gone at once, at no cost", async () => {
    const torrent = await makeTorrent(randomFile(4 * MIB), { pieceBytes: PIECE_BYTES });
    const flooding = await startFlooder(2 ** 31);
    try {
      const probe = new LoopProbe(server);
      const before = await probe.figures();
      probe.restart();
      await server.upload(torrent.bytes);
      const magnet = torrent.magnet([`${FLOODER}:${flooding.port}`]);
      await server.call("POST", "/api/torrents", { magnet });
      const shakenAtMs = await flooding.shaken;
      const goneMs = (await flooding.gone) - shakenAtMs;
      const after = await probe.figures();
      const growthMib = (after.rssBytes - before.rssBytes) / MIB;
      console.log(
        `a 2 GiB message: gone after ${goneMs.toFixed(1)} ms and ${flooding.sentBytes()} bytes, ` +
          `loop lag at worst ${after.maxMs} ms, RSS ${growthMib.toFixed(1)} MiB more`,
      );
      expect(goneMs).toBeLessThan(1_000);
      expect(after.maxMs).toBeLessThan(LOOP_LAG_MS);
      expect(after.rssBytes - before.rssBytes).toBeLessThan(RSS_GROWTH_BYTES);
    } finally {
      await flooding.stop();
      await server.call("DELETE", `/api/torrents/${torrent.infoHash}?delete_files=true`);
    }
  }, 30_000);

  test("trackers with senseless intervals, redirects to private places and gzip bombs: nothing follows", async () => {
    expect(spawnSync("ip", ["addr", "add", `${PUBLIC}/32`, "dev", "lo"]).status).toBe(0);
    const victim = await httpVictim(always("d8:intervali1800ee"), PRIVATE_ADDRESS);
    const loopbackVictim = await httpVictim(always("d8:intervali1800ee"));
    const victims = [
      `http://${PRIVATE_ADDRESS}:${victim.port}`,
      `http://127.0.0.1:${loopbackVictim.port}`,
      `http://[::ffff:127.0.0.1]:${loopbackVictim.port}`,
    ];
    const bomb = gzipSync(Buffer.alloc(64 * MIB), { level: 9 });
    const intervals = ["i0e", "i1e", `i${2 ** 32}e`, "i-1e", "3:abc"].map((interval) =>
      startTracker({ reply: () => new Response(`d8:interval${interval}5:peers0:e`) }),
    );
    const redirecting = await Promise.all([
      ...victims.map((url) => httpVictim(redirectTo(`${url}/announce`), PUBLIC)),
      httpVictim(redirectTo(`${victims[0]}/admin`), PRIVATE_ADDRESS),
    ]);
    const bombing = await httpVictim(always(bomb, "Content-Encoding: gzip\r\n"), PRIVATE_ADDRESS);
    const hosts = [...redirecting.slice(0, 3).map(() => PUBLIC), PRIVATE_ADDRESS, PRIVATE_ADDRESS];
    const raw = [...redirecting, bombing];
    const trackers = [
      ...intervals.map(({ url }) => [url]),
      ...raw.map(({ port }, at) => [`http://${hosts[at]}:${port}/announce`]),
    ];
    const torrent = await makeTorrent(randomFile(4 * MIB), { pieceBytes: PIECE_BYTES, trackers });
    try {
      const probe = new LoopProbe(server);
      const before = await probe.figures();
      probe.restart();
      await server.upload(torrent.bytes);
      await Promise.all(intervals.map((tracker) => tracker.waitForAnnounce(() => true)));
      await Bun.sleep(TRACKER_WATCH_MS);
      const after = await probe.figures();
      const announces = intervals.map((tracker) => tracker.announces.length);
      const asked = raw.map(({ heads }) => heads.length);
      const growthMib = (after.rssBytes - before.rssBytes) / MIB;
      console.log(
        `announces in ${TRACKER_WATCH_MS / 1000} s: ${announces} to odd intervals, ${asked} to redirects and the bomb; ` +
          `RSS ${growthMib.toFixed(1)} MiB more, loop lag at worst ${after.maxMs} ms`,
      );
      expect(announces).toEqual(intervals.map(() => 1));
      for (const count of asked) {
        expect(count).toBeGreaterThan(0);
        expect(count).toBeLessThan(4);
      }
      expect(victim.connections()).toBe(0);
      expect(loopbackVictim.connections()).toBe(0);
      expect(after.rssBytes - before.rssBytes).toBeLessThan(4 * RSS_GROWTH_BYTES);
      expect(after.maxMs).toBeLessThan(LOOP_LAG_MS);
    } finally {
      await server.call("DELETE", `/api/torrents/${torrent.infoHash}?delete_files=true`);
      spawnSync("ip", ["addr", "del", `${PUBLIC}/32`, "dev", "lo"]);
      await Promise.all(intervals.map((tracker) => tracker.stop()));
      for (const each of [...raw, victim, loopbackVictim]) await each[Symbol.asyncDispose]();
    }
  }, 30_000);
});

/** Shakes hands, announces a message of `lengthBytes` and sends as much of it as is taken. */
async function startFlooder(lengthBytes: number) {
  const shaken = Promise.withResolvers<number>();
  const gone = Promise.withResolvers<number>();
  const sockets = new Set<Socket>();
  let sentBytes = 0;
  const flood = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => gone.resolve(performance.now()));
    const chunk = Buffer.alloc(64 * 1024);
    const pump = () => {
      while (!socket.destroyed && sentBytes < lengthBytes) {
        sentBytes += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    answerHandshake(socket, 1, () => {
      shaken.resolve(performance.now());
      const head = Buffer.alloc(5);
      head.writeUInt32BE(lengthBytes);
      head[4] = 7;
      socket.write(head);
      socket.on("drain", pump);
      pump();
    });
  });
  const listener = await listening(flood, FLOODER);
  return {
    port: portOf(listener),
    shaken: shaken.promise,
    gone: gone.promise,
    sentBytes: () => sentBytes,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
