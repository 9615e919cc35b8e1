// A large swarm in which most are of no use: seeders, idlers, refusers and black holes, all from one tracker. The few
// that give must be found soon and give as much as one seeder alone would.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { LibtorrentPeer, type SeederSwarm, startSeederSwarm } from "../support/actors/libtorrent.ts";
import { startTracker, type TestTracker } from "../support/actors/tracker.ts";
import {
  type IdlePeers,
  refusingPeers,
  startHangingPeers,
  startIdlePeers,
  type UselessPeers,
} from "../support/actors/useless-peers.ts";
import { LoopProbe, WITH_LOOP_PROBE } from "../support/loop-probe.ts";
import { describeIsolated } from "../support/namespace.ts";
import { randomFile } from "../support/random-file.ts";
import { type MadeTorrent, makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";

const MIB = 1024 * 1024;
const FILE_BYTES = 300 * MIB;
const SEEDERS = 30;
const IDLERS = 200;
/** Each: together 20 % of all. */
const REFUSERS = 29;
const HANGERS = 29;
const FIRST_CONNECTIONS_MS = 2_000;
const RATE_SHARE = 0.7;
/** What one gives alone, and each of the many: few enough that the machine is not what limits, and that it takes seconds. */
const SINGLE_BYTES_PER_SEC = 60_000_000;
const EACH_BYTES_PER_SEC = 10_000_000;
/** Alone among idlers, a seeder must be found before the viewer gives up. */
const ONE_AMONG_MANY_MS = 25_000;

interface PeerRow {
  readonly address: string;
  readonly download_speed: number;
}

interface Download {
  readonly firstConnectionMs: number;
  readonly firstByteMs: number;
  readonly bytesPerSec: number;
  readonly sha256: string;
}

describeIsolated("a large swarm", () => {
  let server: Torrx;
  let tracker: TestTracker;
  let torrent: MadeTorrent;
  let seeders: SeederSwarm;
  let single: LibtorrentPeer;
  let idlers: IdlePeers;
  let hangers: UselessPeers;
  let path: string;
  let expected: string;

  beforeAll(async () => {
    path = randomFile(FILE_BYTES);
    tracker = startTracker();
    torrent = await makeTorrent(path, { pieceBytes: MIB, trackers: [[tracker.url]] });
    // Seeders know no tracker: they are found and find nobody.
    const { torrentPath } = await makeTorrent(path, { pieceBytes: MIB });
    const seed = { torrentPath, saveFolder: torrent.dataFolder };
    [server, seeders, single, idlers, hangers, expected] = await Promise.all([
      Torrx.start({ env: WITH_LOOP_PROBE }),
      startSeederSwarm({ ...seed, count: SEEDERS, uploadLimit: EACH_BYTES_PER_SEC }),
      LibtorrentPeer.start({ ...seed, seed: true, uploadLimit: SINGLE_BYTES_PER_SEC }),
      startIdlePeers(IDLERS),
      startHangingPeers(HANGERS),
      sha256OfFile(path),
    ]);
  }, 60_000);

  afterAll(async () => {
    await tracker?.stop();
    await Promise.all([server, seeders, single, idlers, hangers].map((part) => part?.stop()));
  });

  /** Downloads the whole torrent and forgets it again. `x.pe` gives peers besides those of the tracker. */
  async function download(withinMs: number): Promise<Download> {
    const startMs = performance.now();
    await server.upload(torrent.bytes);
    let firstConnectionMs = 0;
    let firstByteMs = 0;
    const id = torrent.infoHash;
    await server.waitFor(
      id,
      (body) => {
        const passedMs = performance.now() - startMs;
        if (firstConnectionMs === 0 && body.peers > 0) firstConnectionMs = passedMs;
        if (firstByteMs === 0 && body.downloaded > 0) firstByteMs = passedMs;
        return body.progress === 1;
      },
      { withinMs, what: "the download" },
    );
    const tookMs = performance.now() - startMs;
    const sha256 = await sha256OfFile(join(server.downloads, torrent.name));
    await server.call("DELETE", `/api/torrents/${id}?delete_files=true`);
    return {
      firstConnectionMs,
      firstByteMs,
      bytesPerSec: (FILE_BYTES * 1000) / tookMs,
      sha256,
    };
  }

  function offer(peers: readonly { host: string; port: number }[]): void {
    for (const { host, port } of peers) tracker.addPeer(torrent.infoHash, host, port);
  }

  test("30 seeders, 200 idlers, 58 that refuse or hang: first connections within 2 s, full rate", async () => {
    offer([single]);
    const alone = await download(40_000);
    console.log(`one seeder alone: ${told(alone)}`);
    offer(seeders.peers);
    offer(idlers.peers);
    offer(hangers.peers);
    offer(await refusingPeers(REFUSERS));
    const probe = new LoopProbe(server);
    const among = await download(60_000);
    const { p99Ms, maxMs, samples } = await probe.figures();
    console.log(
      `the swarm: ${told(among)}; ${idlers.met()} idlers met; ` +
        `loop lag p99 ${p99Ms} ms, worst ${maxMs} ms of ${samples}`,
    );
    expect(alone.sha256).toBe(expected);
    expect(among.sha256).toBe(expected);
    expect(among.firstConnectionMs).toBeLessThan(FIRST_CONNECTIONS_MS);
    expect(among.bytesPerSec).toBeGreaterThan(RATE_SHARE * alone.bytesPerSec);
  }, 120_000);

  test("the only seeder among 200 idlers that fill every place is reached", async () => {
    const lonely = await makeTorrent(path, { pieceBytes: 2 * MIB, trackers: [[tracker.url]] });
    const { torrentPath } = await makeTorrent(path, { pieceBytes: 2 * MIB });
    const met = idlers.met();
    for (const { host, port } of idlers.peers) tracker.addPeer(lonely.infoHash, host, port);
    const startMs = performance.now();
    await server.upload(lonely.bytes);
    await waitUntil(() => idlers.met() - met >= 60, 15_000);
    const seeder = await LibtorrentPeer.start({
      torrentPath,
      saveFolder: lonely.dataFolder,
      seed: true,
    });
    try {
      await server.call("POST", "/api/torrents", { magnet: lonely.magnet([seeder.peer]) });
      await server.waitFor(lonely.infoHash, (body) => body.downloaded > 0, {
        withinMs: ONE_AMONG_MANY_MS,
        what: "a byte of the only seeder",
      });
      const { body } = await server.call<{ items: PeerRow[] }>(
        "GET",
        `/api/torrents/${lonely.infoHash}/peers`,
      );
      console.log(
        `the only seeder gives after ${Math.round(performance.now() - startMs)} ms; ${body.items.length} peers`,
      );
    } finally {
      await seeder.stop();
      await server.call("DELETE", `/api/torrents/${lonely.infoHash}?delete_files=true`);
    }
  }, 60_000);
});

function told(download: Download): string {
  const rate = (download.bytesPerSec / MIB).toFixed(1);
  return (
    `${rate} MiB/s, first connection after ${Math.round(download.firstConnectionMs)} ms, ` +
    `first byte after ${Math.round(download.firstByteMs)} ms`
  );
}

async function waitUntil(isReached: () => boolean, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!isReached()) {
    if (performance.now() > endMs) throw new Error(`not in ${withinMs} ms`);
    await Bun.sleep(20);
  }
}
