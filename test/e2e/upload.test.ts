// Others download from us: libtorrent and transmission, what we have and what we are still getting, by .torrent and by
// magnet, and about as fast as they get it from libtorrent.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { PeerEnd } from "../support/actors/actor.ts";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { startTracker } from "../support/actors/tracker.ts";
import { TransmissionPeer } from "../support/actors/transmission.ts";
import { describeIsolated, PRIVATE_ADDRESS } from "../support/namespace.ts";
import { randomFile } from "../support/random-file.ts";
import { removeFolder, tmpFolder } from "../support/tmp.ts";
import { type MadeTorrent, makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const FILE_BYTES = 200 * MIB;
const PIECE_BYTES = MIB;
const RATE_SHARE = 0.7;
const SLOW_SEED_BYTES_PER_SEC = 40_000_000;

/** Downloads the torrent from one peer into `saveFolder` and returns the bytes per second since its first byte. */
type Fetch = (from: PeerEnd, saveFolder: string) => Promise<number>;

const median = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[figures.length >> 1] ?? 0;

describeIsolated("uploading", () => {
  let server: Torrx;
  let seeder: LibtorrentPeer;
  let torrent: MadeTorrent;
  let path: string;
  let expected: string;
  let us: PeerEnd;

  beforeAll(async () => {
    path = randomFile(FILE_BYTES);
    torrent = await makeTorrent(path, { pieceBytes: PIECE_BYTES });
    const { torrentPath, dataFolder } = torrent;
    [server, seeder, expected] = await Promise.all([
      Torrx.start(),
      LibtorrentPeer.start({ torrentPath, saveFolder: dataFolder, seed: true }),
      sha256OfFile(path),
    ]);
    // It gives the whole torrent more than once, and would stop at its ratio.
    expect((await server.call("PUT", "/api/settings", { seed_ratio_limit: 0 })).status).toBe(200);
    us = { host: PRIVATE_ADDRESS, port: server.peerPort };
    await take(server, seeder);
    await server.waitFor(torrent.infoHash, (body) => body.progress === 1, {
      withinMs: 30_000,
      what: "our own download",
    });
  }, 60_000);
  afterAll(async () => {
    await Promise.all([server?.stop(), seeder?.stop()]);
  });

  async function take(into: Torrx, from: LibtorrentPeer): Promise<void> {
    await into.upload(torrent.bytes);
    await into.call("POST", "/api/torrents", { magnet: torrent.magnet([from.peer]) });
  }

  const libtorrent: Fetch = async (from, saveFolder) => {
    const leecher = await LibtorrentPeer.start({
      torrentPath: torrent.torrentPath,
      saveFolder,
      peers: [from],
    });
    try {
      await leecher.waitForState((state) => state.downloaded > 0, 20_000);
      const startMs = performance.now();
      const had = leecher.state?.downloaded ?? 0;
      await leecher.waitForComplete(60_000);
      return ((FILE_BYTES - had) * 1000) / (performance.now() - startMs);
    } finally {
      await leecher.stop();
    }
  };

  const transmission: Fetch = async (from, saveFolder) => {
    const tracker = startTracker();
    tracker.addPeer(torrent.infoHash, from.host, from.port);
    const { torrentPath } = await makeTorrent(path, { pieceBytes: PIECE_BYTES, trackers: [[tracker.url]] });
    const leecher = await TransmissionPeer.start({ torrentPath, saveFolder });
    try {
      let share = 0;
      while (share === 0) {
        share = (await leecher.state()).percentDone;
        await Bun.sleep(20);
      }
      const startMs = performance.now();
      await leecher.waitForComplete(60_000);
      return ((1 - share) * FILE_BYTES * 1000) / (performance.now() - startMs);
    } finally {
      await leecher.stop();
      await tracker.stop();
    }
  };

  async function fetchAndCheck(fetchFrom: Fetch, from: PeerEnd): Promise<number> {
    const folder = tmpFolder("leecher");
    const bytesPerSec = await fetchFrom(from, folder);
    expect(await sha256OfFile(join(folder, torrent.name))).toBe(expected);
    removeFolder(folder);
    return bytesPerSec;
  }

  describe("of what we have", () => {
    for (const { name, fetchFrom, runs, isParallel } of [
      { name: "libtorrent", fetchFrom: libtorrent, runs: 3, isParallel: false },
      // It takes 15 s to begin and as long to get up to speed: both at once, and once where time is short.
      {
        name: "transmission",
        fetchFrom: transmission,
        runs: process.env["TORRX_TEST_ALL"] ? 3 : 1,
        isParallel: true,
      },
    ]) {
      test(`${name} gets it from us as fast as from libtorrent, to seven tenths at least`, async () => {
        const ours: number[] = [];
        const theirs: number[] = [];
        for (let run = 0; run < runs; run++) {
          const their = fetchAndCheck(fetchFrom, seeder);
          if (!isParallel) await their;
          ours.push(await fetchAndCheck(fetchFrom, us));
          theirs.push(await their);
        }
        const inMib = (figures: readonly number[]) =>
          figures.map((rate) => (rate / MIB).toFixed(1)).join(" ");
        console.log(`${name} downloads at MiB/s: from us ${inMib(ours)}, from libtorrent ${inMib(theirs)}`);
        expect(median(ours)).toBeGreaterThan(RATE_SHARE * median(theirs));
      }, 250_000);
    }

    test("libtorrent gets it by magnet, the metadata with it", async () => {
      await fetchAndCheck(async (from, saveFolder) => {
        const leecher = await LibtorrentPeer.start({ magnet: torrent.magnet(), saveFolder, peers: [from] });
        try {
          await leecher.waitForState((state) => state.has_metadata, 10_000);
          await leecher.waitForComplete(60_000);
          return 0;
        } finally {
          await leecher.stop();
        }
      }, us);
    }, 90_000);
  });

  test("what we are still getting is passed on", async () => {
    const middle = await Torrx.start();
    const slow = await LibtorrentPeer.start({
      torrentPath: torrent.torrentPath,
      saveFolder: torrent.dataFolder,
      seed: true,
      uploadLimit: SLOW_SEED_BYTES_PER_SEC,
    });
    try {
      await take(middle, slow);
      await middle.waitFor(torrent.infoHash, (body) => body.progress > 0.05, {
        withinMs: 20_000,
        what: "the first pieces",
      });
      let progressAtFirst = 1;
      await fetchAndCheck(
        async (from, saveFolder) => {
          const leecher = await LibtorrentPeer.start({
            torrentPath: torrent.torrentPath,
            saveFolder,
            peers: [from],
          });
          try {
            await leecher.waitForState((state) => state.downloaded > 0, 20_000);
            progressAtFirst = (await middle.waitFor(torrent.infoHash, () => true, { withinMs: 0, what: "" }))
              .progress;
            await leecher.waitForComplete(60_000);
            return 0;
          } finally {
            await leecher.stop();
          }
        },
        { host: PRIVATE_ADDRESS, port: middle.peerPort },
      );
      const { uploaded } = await middle.waitFor(torrent.infoHash, () => true, { withinMs: 0, what: "" });
      console.log(
        `passed on ${uploaded} bytes; the first when we had ${(progressAtFirst * 100).toFixed(0)} %`,
      );
      expect(progressAtFirst).toBeLessThan(0.9);
      expect(await sha256OfFile(join(middle.downloads, torrent.name))).toBe(expected);
    } finally {
      await Promise.all([middle.stop(), slow.stop()]);
    }
  }, 90_000);
});
