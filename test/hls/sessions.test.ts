// A film plays as HLS from a torrent that is still on its way, over a narrow line.

import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { CHROMIUM_CAPS, HlsPlayer, packetsOf, parseMaster } from "../support/hls-player.ts";
import { type HlsWorld, programsOf, startHlsWorld } from "../support/hls-world.ts";
import { describeIsolated } from "../support/namespace.ts";

const LINE_BYTES_PER_SEC = 400_000;
const CHROME =
  "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";

describeIsolated("hls from a torrent that is on its way", () => {
  let world: HlsWorld;
  let player: HlsPlayer;
  let other: HlsPlayer;
  let base: string;

  beforeAll(async () => {
    world = await startHlsWorld({ lineBytesPerSec: LINE_BYTES_PER_SEC });
    player = new HlsPlayer(world.server, world.torrent.infoHash, world.file);
    other = new HlsPlayer(world.server, world.torrent.infoHash, world.file);
    base = `/api/stream/${world.torrent.infoHash}/${world.file}`;
  }, 90_000);

  afterAll(async () => {
    await world?.stop();
  });

  // A session that is left open is thought of as watched for a while.
  afterEach(async () => {
    await player.endAll();
    await other.endAll();
  });

  const progressOf = async () => {
    const { body } = await world.server.call<{ progress: number }>(
      "GET",
      `/api/torrents/${world.torrent.infoHash}`,
    );
    return body.progress;
  };

  test("starts: session, playlists with the whole timeline, init, first segment", async () => {
    const startMs = performance.now();
    const session = await player.open();
    expect(session).toMatchObject({ mode: "remux", is_playable: true, quality: "original", audio: 0 });
    expect(session.qualities).toEqual(["original"]);
    const master = parseMaster(await player.text(session.url));
    expect([master.variants.length, master.audio.length]).toEqual([1, 2]);
    const video = await player.playlist(master.variants[0]!);
    const whole = video.segments.reduce((sum, { durationSec }) => sum + durationSec, 0);
    expect(whole).toBeCloseTo(120, 0);
    const [init, first] = await Promise.all([
      player.bytes(video.init!),
      player.bytes(video.segments[0]!.uri),
    ]);
    const firstMs = performance.now() - startMs;
    const packets = await packetsOf(init, first);
    expect(packets[0]).toMatchObject({ isKey: true });
    expect(packets[0]!.ptsSec).toBeCloseTo(0, 1);
    const progress = await progressOf();
    console.log(
      `first segment after ${firstMs.toFixed(0)} ms, ${(progress * 100).toFixed(0)} % of the torrent there`,
    );
    expect(progress).toBeLessThan(0.6);
  }, 60_000);

  test("seeks into a hole: the new place is fetched first, and its first picture is the one that was asked for", async () => {
    const session = await player.open({ position_sec: 100 });
    const startMs = performance.now();
    const { variants } = parseMaster(await player.text(session.url));
    const video = await player.playlist(variants[0]!);
    const segment = video.segments.find(({ startSec, durationSec }) => startSec + durationSec > 100)!;
    const [init, bytes] = await Promise.all([player.bytes(video.init!), player.bytes(segment.uri)]);
    const seekMs = performance.now() - startMs;
    const packets = await packetsOf(init, bytes);
    expect(packets[0]!.isKey).toBe(true);
    expect(packets[0]!.ptsSec).toBeCloseTo(segment.startSec, 2);
    const progress = await progressOf();
    console.log(`a hole at 100 s after ${seekMs.toFixed(0)} ms, ${(progress * 100).toFixed(0)} % there`);
    expect(progress).toBeLessThan(0.9);
    expect(seekMs).toBeLessThan(6_000);
  }, 60_000);

  test("two viewers, each with its own language, have joined segments; who changes the language lets go of the old one", async () => {
    const [one, two] = await Promise.all([
      player.open({ audio: 0 }),
      other.open({ audio: 1, caps: { ...CHROMIUM_CAPS, platform: "desktop" } }),
    ]);
    expect(two.audio).toBe(1);
    const first = parseMaster(await player.text(one.url));
    const second = await player.text(two.url);
    expect(second).toMatch(/LANGUAGE="ru",DEFAULT=YES/);
    for (const uri of [first.audio[0]!, parseMaster(second).audio[1]!]) {
      const audio = await player.playlist(uri);
      const init = await player.bytes(audio.init!);
      const parts: Uint8Array[] = [];
      for (const { uri: part } of audio.segments.slice(0, 3)) parts.push(await player.bytes(part));
      const packets = await packetsOf(init, ...parts);
      expect(packets.length).toBe(3 * 188);
      for (let i = 1; i < packets.length; i++) {
        expect(packets[i]!.ptsSec - packets[i - 1]!.ptsSec).toBeCloseTo(1024 / 48_000, 3);
      }
    }
  }, 60_000);

  test("subtitles: the file beside the film at once, as one file and cut as the film is", async () => {
    const session = await player.open();
    const { subtitles } = parseMaster(await player.text(session.url));
    const info = (await (await player.get(`${base}/info?${query(session.url)}`)).json()) as {
      tracks: { subtitles: object[] };
    };
    const { tracks } = info;
    expect(tracks.subtitles).toMatchObject([
      { index: 0, source: "embedded", available: true },
      { index: 1, source: "file", language: "ru", available: true },
    ]);
    const whole = await player.text(`${base}/subtitles/1.vtt?${query(session.url)}`);
    expect(whole).toStartWith("WEBVTT");
    expect(whole).toContain("beside 110 &amp; more");
    const playlist = await player.playlist(subtitles.find((uri) => uri.includes("r=s1"))!);
    expect(playlist.init).toBeNull();
    const segment = playlist.segments.find(({ startSec, durationSec }) => startSec + durationSec > 100)!;
    const text = await player.text(segment.uri);
    expect(text).toContain("X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000");
    expect(text).toContain("00:01:40.000 --> 00:01:42.000\nbeside 100 &amp; more");
    expect(text).not.toContain("beside 0 ");

    const inside = await player.playlist(subtitles.find((uri) => uri.includes("r=s0"))!);
    const there = await player.text(inside.segments[25]!.uri);
    // The film's own muxer moved them with the sound.
    expect(there).toMatch(/00:01:40\.0\d\d --> 00:01:42\.0\d\d\ninside 100 &amp; more/);
    expect(await player.text(`${base}/subtitles/0.vtt?${query(session.url)}`)).toContain("inside 100 ");
    const stretch = await player.text(`${base}/subtitles/0.vtt?from=0&to=20&${query(session.url)}`);
    expect(stretch.match(/inside \d+/g)).toEqual(["inside 0", "inside 10"]);
  }, 60_000);

  test("one address: a playlist for browsers, bytes for players that read containers, and what the query says", async () => {
    const { files } = (
      await world.server.call<{ files: { index: number; stream_url: string }[] }>(
        "GET",
        `/api/torrents/${world.torrent.infoHash}`,
      )
    ).body;
    const url = files.find(({ index }) => index === world.file)!.stream_url;
    const ask = async (mode: string | null, headers: Record<string, string>, method = "GET") => {
      const response = await player.get(mode === null ? url : `${url}&mode=${mode}`, {
        method,
        headers: { range: "bytes=0-99", ...headers },
      });
      const body = new Uint8Array(await response.arrayBuffer());
      const type = response.headers.get("content-type") ?? "";
      return {
        status: response.status,
        isList: type.startsWith("application/vnd.apple.mpegurl"),
        response,
        body,
      };
    };
    const browser = { "user-agent": CHROME };
    const list = await ask(null, browser);
    expect([list.status, list.isList]).toEqual([200, true]);
    expect(list.response.headers.get("cache-control")).toBe("no-store");
    expect(list.response.headers.get("etag")).toBeNull();
    expect(list.response.headers.get("vary")).toBe("Accept, User-Agent");
    for (const line of Buffer.from(list.body).toString().split("\n")) {
      if (line !== "" && !line.startsWith("#")) expect(line).toStartWith(base);
    }
    const head = await ask(null, browser, "HEAD");
    expect([head.status, head.isList, head.body.length]).toEqual([200, true, 0]);
    expect(head.response.headers.get("content-length")).toBe(String(list.body.length));
    for (const name of [
      "VLC/3.0.20 LibVLC/3.0.20",
      "mpv 0.38.0",
      "Kodi/21.0 (X11; Linux x86_64)",
      "Lavf/60.16.100",
    ]) {
      const bytes = await ask(null, { "user-agent": name });
      expect([name, bytes.status, bytes.body.length]).toEqual([name, 206, 100]);
      expect(bytes.response.headers.get("vary")).toBe("Accept, User-Agent");
      const forced = await ask("hls", { "user-agent": name });
      expect([name, forced.isList, forced.isList ? "" : Buffer.from(forced.body).toString()]).toEqual([
        name,
        true,
        "",
      ]);
    }
    expect((await ask(null, { ...browser, accept: "video/*" })).status).toBe(206);
    expect((await ask(null, { ...browser, accept: "*/*" })).isList).toBe(true);
    expect((await ask("direct", browser)).status).toBe(206);
    expect((await ask("dash", browser)).status).toBe(422);
    const sidecar = files.find(({ index }) => index !== world.file)!.stream_url;
    expect((await player.get(`${sidecar}&mode=hls`, { headers: browser })).headers.get("content-type")).toBe(
      "application/x-subrip",
    );
  }, 60_000);

  test("what is not there is 404, what makes no sense 422, and who leaves leaves nothing behind", async () => {
    const session = await player.open();
    const q = query(session.url);
    const statusOf = async (path: string) => (await player.get(`${base}/${path}`)).status;
    expect(await statusOf(`segment/30?r=v0&${q}`)).toBe(404);
    expect(await statusOf(`segment/999999?r=v0&${q}`)).toBe(404);
    expect(await statusOf(`segment/x?r=v0&${q}`)).toBe(404);
    expect(await statusOf(`playlist.m3u8?r=a7&${q}`)).toBe(404);
    expect(await statusOf(`playlist.m3u8?r=v0&q=720&${q}`)).toBe(404);
    expect(await statusOf(`playlist.m3u8?r=v1&${q}`)).toBe(422);
    expect(await statusOf(`playlist.m3u8?r=v0&q=1080&${q}`)).toBe(422);
    expect(await statusOf(`master.m3u8?audio=7&${q}`)).toBe(422);
    expect(await statusOf(`subtitles/9.vtt?${q}`)).toBe(404);
    expect(await statusOf(`master.m3u8?${q.replace(/session=[^&]+/, "session=nobody")}`)).toBe(404);
    const end = await player.get(`${base}/session/${session.session}/end?${q}`, { method: "POST" });
    expect(end.status).toBe(204);
    expect(await statusOf(`master.m3u8?${q}`)).toBe(404);
  }, 60_000);

  test("a viewer's picture and sound are one stream, with the viewer's own address, window and place", async () => {
    const session = await player.open({ position_sec: 40 });
    const { variants, audio } = parseMaster(await player.text(session.url));
    for (const uri of [variants[0]!, audio[0]!]) {
      const list = await player.playlist(uri);
      await player.bytes(list.segments.find(({ startSec, durationSec }) => startSec + durationSec > 40)!.uri);
    }
    const { streams } = (
      await world.server.call<{ streams: Record<string, unknown>[] }>("GET", "/api/status")
    ).body;
    const mine = streams.filter(({ file_index }) => file_index === world.file);
    expect(mine).toHaveLength(1);
    expect(mine[0]).toMatchObject({ mode: "hls", client_ip: "127.0.0.1" });
    expect(mine[0]!["position_sec"]).toBeCloseTo(40, -1);
    expect(mine[0]!["window"]).not.toBeNull();
  }, 60_000);

  test("no token is ever logged", () => {
    const { lines } = world.server.process;
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line).not.toMatch(/v1\.[\w-]{20,}/);
  });

  test("sessions that end leave no program running", async () => {
    const session = await player.open({ position_sec: 60 });
    const { variants } = parseMaster(await player.text(session.url));
    const video = await player.playlist(variants[0]!);
    await player.bytes(video.segments[15]!.uri);
    expect(programsOf(world.server.process.pid).length).toBeGreaterThan(0);
    await player.get(`${base}/session/${session.session}/end?${query(session.url)}`, { method: "POST" });
    const endMs = performance.now() + 3_000;
    while (programsOf(world.server.process.pid).length > 0 && performance.now() < endMs) await Bun.sleep(20);
    expect(programsOf(world.server.process.pid)).toEqual([]);
  }, 60_000);
});

/** Session and token of a session's URL. */
function query(url: string): string {
  return url.slice(url.indexOf("?") + 1);
}
