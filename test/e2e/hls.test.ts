// A film plays as HLS from a torrent that is still on its way, over a narrow line.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { HlsPlayer, packetsOf, parseMaster } from "../support/hls-player.ts";
import { makeMedia } from "../support/media.ts";
import { describeIsolated } from "../support/namespace.ts";
import { type MadeTorrent, makeTorrent } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";

const FILM_SEC = 120;
const BYTES_PER_SEC = 100_000;
const LINE_BYTES_PER_SEC = 400_000;

describeIsolated("hls", () => {
  let server: Torrx;
  let seeder: LibtorrentPeer;
  let torrent: MadeTorrent;
  let player: HlsPlayer;

  beforeAll(async () => {
    const media = await makeMedia({ kind: "mkv", durationSec: FILM_SEC, bytesPerSec: BYTES_PER_SEC });
    torrent = await makeTorrent(media.path, { pieceBytes: 64 * 1024 });
    [server, seeder] = await Promise.all([
      Torrx.start({ env: { TORRX_LOG_LEVEL: "debug" } }),
      LibtorrentPeer.start({
        torrentPath: torrent.torrentPath,
        saveFolder: torrent.dataFolder,
        seed: true,
        uploadLimit: LINE_BYTES_PER_SEC,
      }),
    ]);
    await server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
    await server.waitFor(torrent.infoHash, (body) => body.files.length > 0, {
      withinMs: 20_000,
      what: "the file list",
    });
    player = new HlsPlayer(server, torrent.infoHash, 0);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([server?.stop(), seeder?.stop()]);
  });

  test("an incomplete film starts: session, playlists, init, first segment", async () => {
    const startMs = performance.now();
    const at = (what: string) => console.log(what, (performance.now() - startMs).toFixed(0));
    const session = await player.open();
    at("session");
    expect(session).toMatchObject({ mode: "remux", is_playable: true, quality: "original", audio: 0 });
    const master = parseMaster(await player.text(session.url));
    expect(master.variants).toHaveLength(1);
    expect(master.audio).toHaveLength(1);
    const video = await player.playlist(master.variants[0]!);
    expect(video.segments.length).toBeGreaterThan(20);
    at("playlists");
    const [init, first] = await Promise.all([
      player.bytes(video.init!),
      player.bytes(video.segments[0]!.uri),
    ]);
    at("segment");
    const firstMs = performance.now() - startMs;
    const packets = await packetsOf(init, first);
    expect(packets[0]).toMatchObject({ isKey: true });
    expect(packets[0]!.ptsSec).toBeCloseTo(0, 1);
    console.log(
      `first segment ${firstMs.toFixed(0)} ms after the press of the button, ${packets.length} pictures`,
    );
    const torrentNow = await server.call<{ progress: number }>("GET", `/api/torrents/${torrent.infoHash}`);
    expect(torrentNow.body.progress).toBeLessThan(0.5);
    console.log(server.process.lines.join("\n"));
  }, 60_000);
});
