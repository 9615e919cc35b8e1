// A viewer jumps about in a film while it downloads through a narrow line: the new place is asked for at once, what was
// asked for the old one is taken back in the same turn, and the picture is there as soon as the line can bring it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { type Relay, type SeenFrame, startRelay } from "../support/actors/relay.ts";
import { describeIsolated } from "../support/namespace.ts";
import { randomFile } from "../support/random-file.ts";
import { type MadeTorrent, makeTorrent } from "../support/torrent-maker.ts";
import { type FileBody, Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const FILE_BYTES = 300 * MIB;
const PIECE_BYTES = MIB;
const LINE_BYTES_PER_SEC = 1_000_000;
/** Of acceptance: the piece itself must come over the line, and a second is for all else. */
const FIRST_BYTE_MS = 1_000 + (PIECE_BYTES * 1_000) / LINE_BYTES_PER_SEC;
const ON_THE_WIRE_MS = 50;
const SAME_TURN_MS = 5;
/** Some players close the old connection only once they have the new one. */
const SEEKS = [
  { share: 0.8, closesLate: false },
  { share: 0.3, closesLate: false },
  { share: 0.95, closesLate: false },
  { share: 0.5, closesLate: true },
];
const CLOSES_LATE_MS = 20;
const STORM_SEEKS = 100;
const STORM_PERIOD_MS = 20;

interface Playing {
  readonly askedAtMs: number;
  readonly response: IncomingMessage;
  /** performance.now() of the first byte. */
  readonly firstByteMs: Promise<number>;
  readonly takenBytes: () => number;
  /** The next `lengthBytes` of the body, from its start. */
  first(lengthBytes: number): Promise<Buffer>;
  stop(): void;
}

/** Opens the file as a player does: one connection, read as fast as it comes. */
function play(url: string, startBytes: number): Promise<Playing> {
  const { promise, resolve, reject } = Promise.withResolvers<Playing>();
  const askedAtMs = performance.now();
  const request = get(url, { agent: false, headers: { range: `bytes=${startBytes}-` } }, (response) => {
    const parts: Buffer[] = [];
    let taken = 0;
    const arrived = Promise.withResolvers<number>();
    response.on("data", (part: Buffer) => {
      if (taken === 0) arrived.resolve(performance.now());
      if (taken < 2 * MIB) parts.push(part);
      taken += part.length;
    });
    response.on("error", () => undefined);
    resolve({
      askedAtMs,
      response,
      firstByteMs: arrived.promise,
      takenBytes: () => taken,
      async first(lengthBytes) {
        while (taken < lengthBytes && !response.destroyed) await Bun.sleep(10);
        return Buffer.concat(parts).subarray(0, lengthBytes);
      },
      stop: () => request.destroy(),
    });
  });
  request.on("error", reject);
  return promise;
}

async function bytesOf(path: string, startBytes: number, lengthBytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(lengthBytes);
    await file.read(buffer, 0, lengthBytes, startBytes);
    return buffer;
  } finally {
    await file.close();
  }
}

describeIsolated("seek", () => {
  let server: Torrx;
  let seeder: LibtorrentPeer;
  let relay: Relay;
  let path: string;
  let torrent: MadeTorrent;
  let file: FileBody;

  beforeAll(async () => {
    path = randomFile(FILE_BYTES);
    torrent = await makeTorrent(path, { pieceBytes: PIECE_BYTES });
    [server, seeder] = await Promise.all([
      Torrx.start(),
      LibtorrentPeer.start({ torrentPath: torrent.torrentPath, saveFolder: torrent.dataFolder, seed: true }),
    ]);
    relay = await startRelay(seeder, { bytesPerSec: LINE_BYTES_PER_SEC });
    await server.upload(torrent.bytes);
    const { files } = await server.waitFor(torrent.infoHash, (body) => body.files.length > 0, {
      withinMs: 5_000,
      what: "the file list",
    });
    file = files[0]!;
  }, 60_000);

  afterAll(async () => {
    await relay?.stop();
    await Promise.all([server?.stop(), seeder?.stop()]);
  });

  test("to 80 %, 30 % and 95 %: asked for within 50 ms, old requests taken back in the same turn, first byte in time", async () => {
    const url = `${server.origin}${file.stream_url}&mode=direct`;
    let current = play(url, 0);
    await server.call("POST", "/api/torrents", { magnet: torrent.magnet([relay.peer]) });
    let playing = await current;
    await playing.first(2 * MIB);

    for (const { share, closesLate } of SEEKS) {
      const startBytes = Math.floor(FILE_BYTES * share) + 12_345;
      const piece = Math.floor(startBytes / PIECE_BYTES);
      const seenBefore = relay.frames.length;
      const isNew = (frame: SeenFrame) =>
        frame.name === "request" && frame.piece !== null && frame.piece >= piece && frame.piece <= piece + 2;
      const asked = relay.waitForFrame(isNew, 5_000);
      const startMs = performance.now();
      const old = playing;
      if (closesLate) setTimeout(() => old.stop(), CLOSES_LATE_MS);
      else old.stop();
      current = play(url, startBytes);
      const request = await asked;
      const firstByteMs = async () => (await (await current).firstByteMs) - startMs;
      playing = await current;
      const [byteMs, sample] = await Promise.all([firstByteMs(), playing.first(256 * 1024)]);
      const since = relay.frames.slice(seenBefore).filter((frame) => frame.isToTarget);
      const cancels = since.filter((frame) => frame.name === "cancel");
      const late = cancels.filter((frame) => frame.atMs > request.atMs + SAME_TURN_MS);
      const early = cancels.length - late.length;
      const wireMs = request.atMs - startMs;
      console.log(
        `seek to ${share * 100} %: request after ${wireMs.toFixed(1)} ms, ` +
          `${early} cancels by then, first byte after ${byteMs.toFixed(0)} ms`,
      );
      expect(createHash("sha256").update(sample).digest("hex")).toBe(
        createHash("sha256")
          .update(await bytesOf(path, startBytes, sample.length))
          .digest("hex"),
      );
      expect(wireMs).toBeLessThanOrEqual(ON_THE_WIRE_MS);
      expect(early).toBeGreaterThan(0);
      expect(byteMs).toBeLessThanOrEqual(FIRST_BYTE_MS);
    }
    playing.stop();
  }, 60_000);

  test("50 places a second for two seconds: the last one is there as soon as after one seek", async () => {
    const url = `${server.origin}${file.stream_url}&mode=direct`;
    await server.call("POST", "/api/torrents", { magnet: torrent.magnet([relay.peer]) });
    for (let at = 0; at < STORM_SEEKS; at++) {
      const request = get(url, { agent: false, headers: { range: `bytes=${at * 2 * MIB}-` } });
      request.on("error", () => request.destroy());
      await Bun.sleep(STORM_PERIOD_MS);
      request.destroy();
    }
    const startBytes = 250 * MIB;
    const startMs = performance.now();
    const playing = await play(url, startBytes);
    const byteMs = (await playing.firstByteMs) - startMs;
    const sample = await playing.first(64 * 1024);
    playing.stop();
    console.log(`after ${STORM_SEEKS} seeks: first byte after ${byteMs.toFixed(0)} ms`);
    expect(sample.equals(await bytesOf(path, startBytes, sample.length))).toBe(true);
    expect(byteMs).toBeLessThanOrEqual(FIRST_BYTE_MS);
  }, 30_000);
});
