// The wire against a real libtorrent, both ways, by .torrent.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dialPeer, listenForPeers } from "../../src/wire/index.ts";
import {
  identityFor,
  type Libtorrent,
  readTorrent,
  startLibtorrent,
  TestLeecher,
  TestSeeder,
  type TestTorrent,
  wireDeps,
} from "./wire-libtorrent.ts";

const MEBIBYTES = 64;
let directory = "";
let seeder: Libtorrent;
let port = 0;
let torrent: TestTorrent;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "torrx-wire-"));
  seeder = startLibtorrent("seed", directory, String(MEBIBYTES));
  const said = await seeder.said();
  port = Number(said.port);
  torrent = await readTorrent(join(directory, "data.torrent"));
}, 60_000);

afterAll(async () => {
  await seeder.close();
  await rm(directory, { recursive: true });
});

function sha256(bytes: Uint8Array): string {
  return new Bun.SHA256().update(bytes).digest("hex");
}

describe("with libtorrent", () => {
  test("we fetch a whole torrent from it, every piece right", async () => {
    const data = new Uint8Array(torrent.totalBytes);
    const leecher = new TestLeecher(torrent, data, 200);
    const link = await dialPeer(wireDeps, {
      address: { host: "127.0.0.1", port },
      timeoutMs: 5000,
      signal: new AbortController().signal,
      identity: identityFor(torrent),
      createHandler: (made) => {
        leecher.link = made;
        return leecher;
      },
    });
    expect(await leecher.done.promise).toBe("all");
    link.close("done");
    for (let piece = 0; piece < torrent.pieceCount; piece++) {
      const start = piece * torrent.pieceBytes;
      const hash = new Bun.SHA1().update(data.subarray(start, start + torrent.pieceLength(piece))).digest();
      expect(Buffer.compare(hash as Uint8Array, torrent.hashes.subarray(piece * 20, piece * 20 + 20))).toBe(
        0,
      );
    }
    expect(sha256(data)).toBe(await Bun.file(join(directory, "data.sha256")).text());
    expect(leecher.lines).toContain("have-all");
    expect(leecher.lines.some((line) => /^extended-handshake .*ut_metadata/.test(line))).toBe(true);
    expect(link.traffic.payloadIn).toBe(torrent.totalBytes);
  }, 60_000);

  test("it fetches a whole torrent from us, also when it tries encryption first", async () => {
    const data = await Bun.file(join(directory, "data.bin")).bytes();
    const seeders: TestSeeder[] = [];
    const listener = await listenForPeers(wireDeps, {
      host: "127.0.0.1",
      port: 0,
      acceptor: {
        accept: (infoHash, link) => {
          if (infoHash !== torrent.infoHash) return null;
          const handler = new TestSeeder(torrent, data, link);
          seeders.push(handler);
          return { identity: identityFor(torrent), handler };
        },
      },
    });
    const target = join(directory, "fetched");
    const leecher = startLibtorrent("leech", join(directory, "data.torrent"), target, String(listener.port));
    const said = await leecher.said();
    expect(said.done).toBe(true);
    await leecher.close();
    listener.close();
    for (const one of seeders) one.link.close("done");
    expect(sha256(await Bun.file(join(target, "data.bin")).bytes())).toBe(sha256(data));
    expect(seeders[0]?.lines).toContain("interested");
    expect(seeders.reduce((sum, one) => sum + one.link.traffic.payloadOut, 0)).toBeGreaterThanOrEqual(
      torrent.totalBytes,
    );
  }, 60_000);
});
