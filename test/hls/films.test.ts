// Films of every shape behind one server: what each goes out as, and that its segments play.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { HlsPlayer, packetsOf, parseMaster, type SessionBody } from "../support/hls-player.ts";
import { makeFilm, remux } from "../support/media-files.ts";
import { describeIsolated } from "../support/namespace.ts";
import { tmpFolder } from "../support/tmp.ts";
import { type MadeTorrent, makeTorrent } from "../support/torrent-maker.ts";
import { type FileBody, Torrx } from "../support/torrx.ts";

const FILM_SEC = 8;

describeIsolated("films as hls", () => {
  let server: Torrx;
  let seeder: LibtorrentPeer;
  let torrent: MadeTorrent;
  let files: readonly FileBody[];

  beforeAll(async () => {
    const folder = join(tmpFolder("films"), "Films");
    mkdirSync(folder);
    const audio = [{ codec: "ac3", channels: 6 }, { codec: "mp3" }] as const;
    await makeFilm(folder, { name: "hevc.mkv", durationSec: FILM_SEC, video: "hevc", audio });
    await makeFilm(folder, {
      name: "old.avi",
      durationSec: FILM_SEC,
      video: "mpeg4",
      audio: [{ codec: "mp3" }],
    });
    const mkv = await makeFilm(folder, { name: "plain.mkv", durationSec: FILM_SEC, size: "640x360" });
    await remux(mkv, join(folder, "end.mp4"));
    await makeFilm(folder, { name: "tall.mkv", durationSec: FILM_SEC, size: "640x512" });
    await makeFilm(folder, {
      name: "song.mkv",
      durationSec: FILM_SEC,
      video: "none",
      audio: [{ codec: "flac" }],
    });
    torrent = await makeTorrent(folder, { pieceBytes: 32 * 1024 });
    [server, seeder] = await Promise.all([
      Torrx.start(),
      LibtorrentPeer.start({ torrentPath: torrent.torrentPath, saveFolder: torrent.dataFolder, seed: true }),
    ]);
    await server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
    const complete = await server.waitFor(torrent.infoHash, (body) => body.progress === 1, {
      withinMs: 30_000,
      what: "all of it",
    });
    files = complete.files;
  }, 120_000);

  afterAll(async () => {
    await Promise.all([server?.stop(), seeder?.stop()]);
  });

  const playerOf = (name: string) => {
    const file = files.find(({ path }) => path.endsWith(name))!.index;
    return new HlsPlayer(server, torrent.infoHash, file);
  };

  /** All of a film's first variant and first audio track, as ffprobe sees them. */
  const playAll = async (player: HlsPlayer, session: SessionBody) => {
    const master = await player.text(session.url);
    const { variants, audio } = parseMaster(master);
    const counts: number[] = [];
    for (const uri of new Set([variants[0]!, ...audio.slice(0, 1)])) {
      const list = await player.playlist(uri);
      const parts: Uint8Array[] = [];
      for (const { uri: part } of list.segments) parts.push(await player.bytes(part));
      const packets = await packetsOf(await player.bytes(list.init!), ...parts);
      const spanSec = Math.max(...packets.map(({ ptsSec }) => ptsSec)) - packets[0]!.ptsSec;
      expect(spanSec).toBeGreaterThan(FILM_SEC - 1);
      expect(spanSec).toBeLessThan(FILM_SEC + 1);
      counts.push(packets.length);
    }
    return { master, counts };
  };

  const codesOf = ({ reasons }: SessionBody) => reasons.map(({ code }) => code);

  test("H.264 and AAC in Matroska are copied; in MP4 they go out as the file itself, or as HLS where that is asked for", async () => {
    const matroska = playerOf("plain.mkv");
    const session = await matroska.open();
    expect([session.mode, codesOf(session)]).toEqual(["remux", ["ContainerNotSupported"]]);
    await playAll(matroska, session);
    const mp4 = playerOf("end.mp4");
    const direct = await mp4.open();
    expect([direct.mode, direct.reasons.length]).toEqual(["direct", 0]);
    expect(direct.url).toContain("mode=direct");
    expect((await mp4.bytes(direct.url)).length).toBeGreaterThan(10_000);
    await playAll(mp4, await mp4.open({ mode: "hls" }));
  }, 60_000);

  test("HEVC and AC-3 are encoded for a browser that plays neither, copied for one that plays HEVC", async () => {
    const player = playerOf("hevc.mkv");
    const session = await player.open();
    expect(session.mode).toBe("transcode");
    expect(codesOf(session)).toContain("VideoCodecNotSupported");
    expect(codesOf(session)).toContain("AudioCodecNotSupported");
    const { master } = await playAll(player, session);
    expect(master).toMatch(/CODECS="avc1\.64[0-9a-f]{4},mp4a\.40\.2"/);
    const caps = {
      mse: true,
      native_hls: true,
      types: [{ type: 'video/mp4; codecs="hvc1.2.4.L153.B0"', plays: true }],
    };
    const copied = await player.open({ caps });
    expect(copied.mode).toBe("remux");
    expect((await playAll(player, copied)).master).toContain("hvc1.2");
  }, 60_000);

  test("a smaller picture on request, and all of them in one playlist for players that let choose", async () => {
    const player = playerOf("tall.mkv");
    const all = await player.open({ quality: "all" });
    expect([all.mode, all.quality, all.qualities]).toEqual(["remux", "original", ["original", "480"]]);
    const both = parseMaster(await player.text(all.url)).variants;
    expect(both).toHaveLength(2);
    const [copied, encoded] = await Promise.all(both.map((uri) => player.playlist(uri)));
    // A player may change over at any boundary.
    expect(encoded!.segments.map(({ startSec }) => startSec)).toEqual(
      copied!.segments.map(({ startSec }) => startSec),
    );
    const small = await player.open({ quality: "480" });
    expect([small.mode, small.quality]).toEqual(["transcode", "480"]);
    expect(codesOf(small)).toContain("QualityRequested");
    expect((await playAll(player, small)).master).toContain("RESOLUTION=600x480");
    const smaller = playerOf("plain.mkv");
    expect((await smaller.open({ quality: "480" })).quality).toBe("original");
  }, 60_000);

  test("without an index all is encoded, on a timeline of equal steps", async () => {
    const player = playerOf("old.avi");
    const session = await player.open();
    expect(session.mode).toBe("transcode");
    expect(codesOf(session)).toContain("NoIndex");
    const { variants } = parseMaster(await player.text(session.url));
    const { segments } = await player.playlist(variants[0]!);
    expect(segments[0]!.durationSec).toBeCloseTo(4, 1);
    await playAll(player, session);
  }, 60_000);

  test("sound alone is a playlist of sound", async () => {
    const player = playerOf("song.mkv");
    const session = await player.open();
    expect(session.mode).toBe("transcode");
    const { master } = await playAll(player, session);
    expect(master).not.toContain("RESOLUTION");
  }, 60_000);
});
