// The real clients of the tests, proven on each other: when one of these fails, a failure of TorrX against that client
// says nothing.

import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Actor } from "../support/actors/actor.ts";
import { AriaPeer } from "../support/actors/aria2.ts";
import { LibtorrentPeer, startSeederSwarm } from "../support/actors/libtorrent.ts";
import { QbittorrentPeer } from "../support/actors/qbittorrent.ts";
import { startRelay } from "../support/actors/relay.ts";
import { SEEDERS } from "../support/actors/seeders.ts";
import { startTracker } from "../support/actors/tracker.ts";
import { TransmissionPeer } from "../support/actors/transmission.ts";
import { MEDIA_KINDS, makeMedia } from "../support/media.ts";
import { describeIsolated } from "../support/namespace.ts";
import { runProcess } from "../support/process.ts";
import { tmpFolder } from "../support/tmp.ts";
import { type MadeTorrent, makeTorrent, sha256OfFile } from "../support/torrent-maker.ts";

const MEDIA = { kind: "mkv", durationSec: 20, bytesPerSec: 200_000 } as const;

type Acting = <T extends Actor>(actor: T) => T;

/** The tests run side by side (transmission takes its time), so each ends its own actors. */
function testActors(title: string, body: (acting: Acting) => Promise<void>): void {
  test.concurrent(title, async () => {
    const actors: Actor[] = [];
    try {
      await body((actor) => {
        actors.push(actor);
        return actor;
      });
    } finally {
      for (const actor of actors) await actor.stop();
    }
  });
}

async function torrentOfMedia(): Promise<MadeTorrent> {
  return await makeTorrent((await makeMedia(MEDIA)).path, { pieceBytes: 64 * 1024 });
}

async function expectFetched(torrent: MadeTorrent, seeder: Actor, acting: Acting): Promise<void> {
  const saveFolder = tmpFolder("leech");
  const leecher = acting(
    await LibtorrentPeer.start({ magnet: torrent.magnet([seeder.peer]), saveFolder, peers: [seeder] }),
  );
  await leecher.waitForComplete();
  expect(await sha256OfFile(join(saveFolder, torrent.name))).toBe(
    await sha256OfFile(join(torrent.dataFolder, torrent.name)),
  );
}

describeIsolated("real clients seed to libtorrent, found by a magnet's x.pe", () => {
  for (const [name, startSeeder] of Object.entries(SEEDERS)) {
    testActors(name, async (acting) => {
      const torrent = await torrentOfMedia();
      await expectFetched(torrent, acting(await startSeeder(torrent)), acting);
    });
  }

  testActors("aria2c", async (acting) => {
    const torrent = await torrentOfMedia();
    const { torrentPath, dataFolder } = torrent;
    const seeder = await AriaPeer.start({ source: torrentPath, saveFolder: dataFolder, isSeed: true });
    await expectFetched(torrent, acting(seeder), acting);
  });
});

describeIsolated("real clients fetch", () => {
  testActors("transmission-daemon by magnet, from a peer that the tracker names", async (acting) => {
    const tracker = startTracker();
    try {
      const torrent = await makeTorrent((await makeMedia(MEDIA)).path, { trackers: [[tracker.url]] });
      const { torrentPath, dataFolder } = torrent;
      const seeder = acting(await LibtorrentPeer.start({ torrentPath, saveFolder: dataFolder, seed: true }));
      await tracker.waitForAnnounce((announce) => announce.port === seeder.port);
      const saveFolder = tmpFolder("leech");
      const leecher = acting(await TransmissionPeer.start({ magnet: torrent.magnet(), saveFolder }));
      await leecher.waitForComplete(50_000);
      expect(await sha256OfFile(join(saveFolder, torrent.name))).toBe(
        await sha256OfFile(join(dataFolder, torrent.name)),
      );
    } finally {
      await tracker.stop();
    }
  });

  testActors("qbittorrent-nox from a peer that it is told", async (acting) => {
    const { torrentPath, dataFolder } = await torrentOfMedia();
    const seeder = acting(await LibtorrentPeer.start({ torrentPath, saveFolder: dataFolder, seed: true }));
    const saveFolder = tmpFolder("leech");
    const leecher = acting(await QbittorrentPeer.start({ torrentPath, saveFolder, peers: [seeder] }));
    await leecher.waitForComplete();
    expect((await leecher.state()).progress).toBe(1);
  });

  testActors("libtorrent from a peer that the tracker names", async (acting) => {
    const tracker = startTracker();
    try {
      const media = await makeMedia(MEDIA);
      const torrent = await makeTorrent(media.path, { trackers: [[tracker.url]] });
      const { torrentPath, dataFolder } = torrent;
      const seeder = acting(await LibtorrentPeer.start({ torrentPath, saveFolder: dataFolder, seed: true }));
      await tracker.waitForAnnounce((announce) => announce.port === seeder.port && announce.left === 0);
      const leecher = acting(await LibtorrentPeer.start({ torrentPath, saveFolder: tmpFolder("leech") }));
      await leecher.waitForComplete();
      expect(tracker.announces.every((announce) => announce.infoHash === torrent.infoHash)).toBe(true);
    } finally {
      await tracker.stop();
    }
  });
});

describeIsolated("libtorrent under orders", () => {
  testActors("keeps an upload limit and drops it when told", async (acting) => {
    const { torrentPath, dataFolder, lengthBytes } = await torrentOfMedia();
    const limited = { torrentPath, saveFolder: dataFolder, seed: true, uploadLimit: 200_000 };
    const seeder = acting(await LibtorrentPeer.start(limited));
    const leecher = acting(
      await LibtorrentPeer.start({ torrentPath, saveFolder: tmpFolder("leech"), peers: [seeder] }),
    );
    await leecher.waitForState((state) => state.downloaded > 0);
    const startMs = performance.now();
    await leecher.waitForState((state) => state.downloaded > 600_000);
    expect(performance.now() - startMs).toBeGreaterThan(1_500);
    expect(leecher.state?.downloaded ?? 0).toBeLessThan(lengthBytes);
    seeder.setUploadLimit(0);
    await leecher.waitForComplete(5_000);
  });

  testActors(
    "as a liar it serves wrong bytes, which an honest client refuses and cuts it off",
    async (acting) => {
      const torrent = await torrentOfMedia();
      const saveFolder = tmpFolder("liar");
      await Bun.write(join(saveFolder, torrent.name), new Uint8Array(torrent.lengthBytes).fill(7));
      const liar = acting(
        await LibtorrentPeer.start({ torrentPath: torrent.torrentPath, saveFolder, seed: "lie" }),
      );
      const leecher = acting(
        await LibtorrentPeer.start({
          torrentPath: torrent.torrentPath,
          saveFolder: tmpFolder("leech"),
          peers: [liar],
        }),
      );
      await leecher.waitForState((state) => state.downloaded >= torrent.pieceBytes && state.peers === 0);
      expect(leecher.state?.pieces).toBe(0);
    },
  );
});

describeIsolated("many and between", () => {
  test.concurrent("thirty seeders on addresses of their own serve together", async () => {
    const { torrentPath, dataFolder } = await torrentOfMedia();
    const swarm = await startSeederSwarm({
      torrentPath,
      saveFolder: dataFolder,
      count: 30,
      uploadLimit: 40_000,
    });
    const { peers } = swarm;
    expect(new Set(peers.map((peer) => peer.host)).size).toBe(30);
    const leecher = await LibtorrentPeer.start({ torrentPath, saveFolder: tmpFolder("leech"), peers });
    await leecher.waitForState((state) => state.peers === 30);
    await leecher.waitForComplete();
    await leecher.stop();
    await swarm.stop();
  });

  test.concurrent("a relay notes what passes in both directions, and changes nothing", async () => {
    const torrent = await torrentOfMedia();
    const seeder = await SEEDERS.libtorrent(torrent);
    const relay = await startRelay(seeder);
    const { torrentPath } = torrent;
    const plain = { out_enc_policy: 2, in_enc_policy: 2 };
    const saveFolder = tmpFolder("leech");
    const first = relay.waitForFrame((frame) => frame.name === "request");
    const leecher = await LibtorrentPeer.start({ torrentPath, saveFolder, peers: [relay], settings: plain });
    expect((await first).isToTarget).toBe(true);
    await leecher.waitForComplete();
    const blocks = relay.frames.filter((frame) => frame.name === "piece");
    const bytes = blocks.reduce((sum, frame) => sum + frame.lengthBytes - 9, 0);
    expect(bytes).toBeGreaterThanOrEqual(torrent.lengthBytes);
    expect(new Set(blocks.map((frame) => frame.piece)).size).toBe(
      Math.ceil(torrent.lengthBytes / torrent.pieceBytes),
    );
    expect(blocks.every((frame) => !frame.isToTarget)).toBe(true);
    await leecher.stop();
    await relay.stop();
    await seeder.stop();
  });
});

describeIsolated("media", () => {
  for (const kind of MEDIA_KINDS) {
    test(`${kind} has about the asked size, plays, and has its index where it should be`, async () => {
      const media = await makeMedia({ ...MEDIA, kind });
      expect(media.lengthBytes).toBeGreaterThan(MEDIA.durationSec * MEDIA.bytesPerSec * 0.7);
      expect(media.lengthBytes).toBeLessThan(MEDIA.durationSec * MEDIA.bytesPerSec * 1.3);
      const probe = await runProcess([
        "ffprobe",
        ...[
          "-v",
          "error",
          "-show_entries",
          "format=duration:stream=codec_name",
          "-of",
          "csv=p=0",
          media.path,
        ],
      ]);
      expect(probe.stdoutLines.slice(0, 2)).toEqual(["h264", "aac"]);
      expect(Math.abs(Number(probe.stdoutLines[2]) - MEDIA.durationSec)).toBeLessThan(1);
      const bytes = Buffer.from(await Bun.file(media.path).arrayBuffer());
      const [moov, mdat] = [bytes.indexOf("moov"), bytes.indexOf("mdat")];
      if (kind === "mp4-faststart") expect(moov).toBeLessThan(mdat);
      if (kind === "mp4-moov-at-end") expect(bytes.lastIndexOf("moov")).toBeGreaterThan(bytes.length * 0.9);
    });
  }
});
