// What becomes of a film that plays as HLS when its bytes stop coming, when it is complete, and when the server is killed.

import { afterEach, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { HlsPlayer, packetsOf, parseMaster } from "../support/hls-player.ts";
import { type HlsWorld, programsOf, startHlsWorld } from "../support/hls-world.ts";
import { packetsOf as filmPackets } from "../support/media-files.ts";
import { describeIsolated } from "../support/namespace.ts";
import { Torrx } from "../support/torrx.ts";

const CHROME =
  "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";

describeIsolated("the life of hls", () => {
  let world: HlsWorld | null = null;

  afterEach(async () => {
    await world?.stop();
    world = null;
  });

  const start = async (lineBytesPerSec: number) => {
    world = await startHlsWorld({ lineBytesPerSec });
    return { ...world, player: new HlsPlayer(world.server, world.torrent.infoHash, world.file) };
  };

  test("bytes that do not come: 503 with the reason and when to ask again, and the same once they do", async () => {
    const { player, seeder } = await start(400_000);
    const session = await player.open();
    const { variants } = parseMaster(await player.text(session.url));
    const video = await player.playlist(variants[0]!);
    await player.bytes(video.segments[0]!.uri);
    seeder.pause();
    const startMs = performance.now();
    const refused = await player.get(video.segments[25]!.uri);
    const waitedMs = performance.now() - startMs;
    const { error } = (await refused.json()) as { error: { code: string; message: string } };
    console.log(`refused after ${waitedMs.toFixed(0)} ms: ${error.message}`);
    expect(refused.status).toBe(503);
    expect(error.code).toBe("busy");
    expect(error.message).toMatch(/^waiting_pieces: [A-Z_]+, /);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(waitedMs).toBeGreaterThan(15_000);
    expect(waitedMs).toBeLessThan(45_000);
    const again = player.bytes(video.segments[25]!.uri);
    seeder.resume();
    expect((await again).length).toBeGreaterThan(100_000);
  }, 120_000);

  test("completion in mid-playback: the viewer goes on without a gap, the next request gets the bytes", async () => {
    const { player, server, seeder, torrent, file } = await start(400_000);
    const address = `/api/stream/${torrent.infoHash}/${file}`;
    const browser = (method = "GET") =>
      fetch(`${server.origin}${address}`, {
        method,
        headers: { authorization: server.authorization, "user-agent": CHROME, range: "bytes=0-99" },
      });
    const before = await browser();
    expect(before.headers.get("content-type")).toStartWith("application/vnd.apple.mpegurl");
    await before.text();
    const session = await player.open();
    const { variants } = parseMaster(await player.text(session.url));
    const video = await player.playlist(variants[0]!);
    const init = await player.bytes(video.init!);
    const parts: Uint8Array[] = [];
    for (const [n, { uri }] of video.segments.entries()) {
      if (n === 5) seeder.setUploadLimit(0);
      if (n === 10) {
        await server.waitFor(torrent.infoHash, (body) => body.progress === 1, {
          withinMs: 30_000,
          what: "the rest",
        });
      }
      parts.push(await player.bytes(uri));
    }
    const packets = await packetsOf(init, ...parts);
    const film = await filmPackets(join(torrent.dataFolder, torrent.name, torrent.files[file]!.path));
    expect(packets.length).toBe(film.length);
    const shift = packets.map(({ ptsSec }, i) => Math.abs(ptsSec - film[i]!.ptsSec));
    expect(Math.max(...shift)).toBeLessThan(0.002);
    const after = await browser();
    expect([after.status, (await after.arrayBuffer()).byteLength]).toEqual([206, 100]);
    expect(after.headers.get("etag")).not.toBeNull();
    const head = await browser("HEAD");
    expect([head.status, head.headers.get("content-length")]).toEqual([206, "100"]);
    // The old session is still one of HLS.
    expect(await player.text(session.url)).toStartWith("#EXTM3U");
  }, 120_000);

  test("kill -9 leaves no program behind, and a restart no segment", async () => {
    const { player, server } = await start(2_000_000);
    const session = await player.open({ position_sec: 30 });
    const { variants, audio } = parseMaster(await player.text(session.url));
    for (const uri of [variants[0]!, audio[0]!]) {
      const list = await player.playlist(uri);
      await player.bytes(list.segments[8]!.uri);
    }
    const programs = programsOf(server.process.pid);
    expect(programs.length).toBeGreaterThan(0);
    await server.process.stop("SIGKILL");
    const endMs = performance.now() + 2_000;
    const left = () =>
      programs.filter((pid) => existsSync(`/proc/${pid}/stat`) && programsOf(null).includes(pid));
    while (left().length > 0 && performance.now() < endMs) await Bun.sleep(10);
    expect(left()).toEqual([]);
    const restarted = await Torrx.start({ folder: server.folder });
    const segments = join(server.folder, "data", "tmp", "hls");
    expect(readdirSync(segments)).toEqual([]);
    await restarted.stop();
    expect(readdirSync(segments)).toEqual([]);
  }, 60_000);

  test("a stop ends programs and waiting players before it is over, well within its five seconds", async () => {
    const { player, server, seeder } = await start(400_000);
    const session = await player.open({ position_sec: 60 });
    const { variants } = parseMaster(await player.text(session.url));
    const video = await player.playlist(variants[0]!);
    seeder.pause();
    const held = player.get(video.segments[20]!.uri).then(
      (response) => response.status,
      () => "cut",
    );
    await Bun.sleep(500);
    const startMs = performance.now();
    await server.stop();
    const stopMs = performance.now() - startMs;
    console.log(`stopped after ${stopMs.toFixed(0)} ms`);
    expect(stopMs).toBeLessThan(4_000);
    expect(server.process.exitCode).toBe(0);
    expect([503, "cut"]).toContain(await held);
  }, 60_000);
});
