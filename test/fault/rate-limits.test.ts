// Rate limits on the real server: global and per torrent, both directions, changed while blocks flow.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { describeIsolated } from "../support/namespace.ts";
import { addTo, type Supply, supply } from "../support/supply.ts";
import { tmpFolder } from "../support/tmp.ts";
import { Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const SETTLE_MS = 1_500;
const MEASURE_MS = 5_000;
const TOLERANCE = 0.15;

let server: Torrx;
let film: Supply;

/** Bytes/s at which `count` grows over the time of a measurement, once the change has had time to settle. */
async function rateOf(count: () => number): Promise<number> {
  await Bun.sleep(SETTLE_MS);
  const [from, startMs] = [count(), performance.now()];
  await Bun.sleep(MEASURE_MS);
  return ((count() - from) * 1_000) / (performance.now() - startMs);
}

function expectRate(what: string, rate: number, limit: number): void {
  console.log(`${what}: ${(rate / 1e6).toFixed(2)} MB/s of ${(limit / 1e6).toFixed(2)}`);
  expect(Math.abs(rate - limit) / limit, what).toBeLessThan(TOLERANCE);
}

const setGlobal = (settings: Record<string, number>) => server.call("PUT", "/api/settings", settings);
const setTorrent = (limits: Record<string, number>) =>
  server.call("PATCH", `/api/torrents/${film.torrent.infoHash}`, limits);

describeIsolated("rate limits", () => {
  beforeEach(async () => {
    server = await Torrx.start();
  });
  afterEach(async () => {
    await server.stop();
    await film.stop();
  });

  test("of the download hold within 15 %, global and per torrent, and change at once", async () => {
    film = await supply({ files: { "film.bin": 160 * MIB } });
    const sent = () => film.seeder.state?.uploaded ?? 0;
    await setGlobal({ max_download_speed: 2_000_000 });
    await addTo(server, film);
    expectRate("download, global limit", await rateOf(sent), 2_000_000);
    await setTorrent({ max_download_speed: 500_000 });
    expectRate("download, limit of the torrent below it", await rateOf(sent), 500_000);
    await setGlobal({ max_download_speed: 0 });
    await setTorrent({ max_download_speed: 6_000_000 });
    expectRate("download, limit of the torrent raised", await rateOf(sent), 6_000_000);
    await setTorrent({ max_download_speed: 0 });
    await server.waitFor(film.torrent.infoHash, (body) => body.progress === 1, {
      withinMs: 15_000,
      what: "the rest without a limit",
    });
  }, 60_000);

  test("of the upload hold within 15 %, global and per torrent, and change at once", async () => {
    film = await supply({ files: { "film.bin": 64 * MIB } });
    const id = film.torrent.infoHash;
    await setGlobal({ max_upload_speed: 3_000_000 });
    await addTo(server, film);
    await server.waitFor(id, (body) => body.progress === 1, { withinMs: 20_000, what: "the download" });
    await film.stop();
    const leecher = await LibtorrentPeer.start({
      torrentPath: film.torrent.torrentPath,
      saveFolder: tmpFolder("leecher"),
      peers: [{ host: "127.0.0.1", port: server.peerPort }],
    });
    try {
      const received = () => leecher.state?.downloaded ?? 0;
      await leecher.waitForState((state) => state.downloaded > 0);
      expectRate("upload, global limit", await rateOf(received), 3_000_000);
      await setTorrent({ max_upload_speed: 1_000_000 });
      expectRate("upload, limit of the torrent below it", await rateOf(received), 1_000_000);
    } finally {
      await leecher.stop();
    }
  }, 60_000);
});
