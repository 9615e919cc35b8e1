// The usual film of a torrent, HEVC with AC-3 and DTS: a browser gets what it can play and is told why, players that read
// containers get the file itself, all from one address; and a picture that no machine of this size can encode is refused
// with the reason instead of stuttering.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { TYPES_TO_ASK } from "../../src/media/index.ts";
import { type Film, HEVC, makeFilm } from "../support/film.ts";
import { FilmSwarm } from "../support/film-swarm.ts";
import { HlsPagePlayer } from "../support/hls-page-player.ts";
import { CHROMIUM_AGENT } from "../support/hls-viewer.ts";
import { describeIsolated } from "../support/namespace.ts";
import { runProcess } from "../support/process.ts";
import { WebBrowser } from "../support/web-browser.ts";

const UPLOAD_BYTES_PER_SEC = 250_000;
const AC3 = ["-c", "ac3", "-b", "192k", "-ac", "6"];
const DTS = ["-c", "dca", "-strict", "-2", "-b", "768k", "-ac", "2"];
const TONES_HZ = [440, 880] as const;

/** As mpv has its properties named in texts. */
const property = (name: string) => `\${${name}}`;

async function progressOf({ server, torrent }: FilmSwarm): Promise<number> {
  const { body } = await server.call<{ progress: number }>("GET", `/api/torrents/${torrent.infoHash}`);
  return body.progress;
}

describeIsolated("a film in HEVC with AC-3 and DTS that is on its way", () => {
  let swarm: FilmSwarm;
  let browser: WebBrowser;
  let link: string;

  beforeAll(async () => {
    const film = await makeFilm("Usual", {
      durationSec: 40,
      loopSec: 4,
      bitsPerSec: 500_000,
      videoCodec: HEVC,
      audio: [
        { hertz: TONES_HZ[0], language: "eng", codec: AC3 },
        { hertz: TONES_HZ[1], language: "rus", codec: DTS },
      ],
    });
    [swarm, browser] = await Promise.all([
      FilmSwarm.start(film, { uploadLimit: UPLOAD_BYTES_PER_SEC }),
      WebBrowser.start(),
    ]);
    link = await swarm.link();
    await swarm.connect();
    await swarm.waitForShare(0.05);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await swarm?.stop();
  });

  test("mpv plays the file itself", async () => {
    const told = `--term-playing-msg=${["file-format", "video-format", "audio-codec-name"].map(property).join(" ")}`;
    const silent = ["--no-config", "--vo=null", "--ao=null", "--untimed", "--end=3", told];
    const mpv = await runProcess(["mpv", ...silent, link], { withinMs: 40_000 });
    expect(mpv.exitCode, mpv.tail()).toBe(0);
    expect(mpv.stdout).toContain("mkv hevc ac3");
    expect(await progressOf(swarm)).toBeLessThan(1);
  }, 60_000);

  test("ffprobe reads the file itself, and a browser at the same address a playlist", async () => {
    const entries = ["-show_entries", "stream=codec_name:format=format_name", "-of", "compact=p=0:nk=1"];
    const ffprobe = await runProcess(["ffprobe", "-v", "error", ...entries, link], { withinMs: 40_000 });
    expect(ffprobe.stdoutLines).toEqual(["hevc", "ac3", "dts", "matroska,webm"]);
    const page = await fetch(link, { headers: { "user-agent": CHROMIUM_AGENT, range: "bytes=0-" } });
    expect([page.status, page.headers.get("content-type")]).toEqual([
      200,
      "application/vnd.apple.mpegurl; charset=utf-8",
    ]);
    expect(await page.text()).toStartWith("#EXTM3U");
    expect(await progressOf(swarm)).toBeLessThan(1);
  }, 60_000);

  test("a browser is told why, sees the picture and hears both tracks", async () => {
    const player = await HlsPagePlayer.open(browser, swarm.server.origin);
    const types = await player.call("plays", TYPES_TO_ASK);
    const { session } = await swarm.open({ caps: { mse: true, native_hls: false, types } });
    const reasons = session.reasons.map(({ code, track }) => `${track ?? ""} ${code}`.trim());
    console.log(`${session.mode}: ${reasons.join(", ")}`);
    expect(session.mode).toBe("transcode");
    expect(session.is_playable).toBe(true);
    expect(reasons).toContain("v0 VideoCodecNotSupported");
    expect(reasons).toContain("a0 AudioCodecNotSupported");
    expect(reasons).toContain("a1 AudioCodecNotSupported");
    await player.call("load", session.url);
    await player.call("play");
    for (const [track, hertz] of TONES_HZ.entries()) {
      await player.call("chooseAudio", track);
      await player.call("hear", hertz);
    }
    await player.call("reach", 4);
    expect((await player.call("figures")).corrupted).toBe(0);
    expect((await player.list("events")).filter(({ isFatal }) => isFatal)).toEqual([]);
    expect(player.problems).toEqual([]);
    await player.close();
  }, 60_000);
});

describeIsolated("a picture too large for the machine", () => {
  let film: Film;
  let swarm: FilmSwarm;

  beforeAll(async () => {
    film = await makeFilm("Large", {
      ...{
        durationSec: 0.5,
        loopSec: 0.5,
        bitsPerSec: 1_000_000,
        size: "3840x2160",
        framesPerSec: 60,
        isFlat: true,
      },
      videoCodec: HEVC,
      audio: [{ hertz: 440, language: "eng" }],
    });
    // One core, so that no machine is fast enough.
    swarm = await FilmSwarm.start(film, { uploadLimit: 0, wrapper: ["taskset", "--cpu-list", "0"] });
    await swarm.connect();
  }, 90_000);
  afterAll(() => swarm?.stop());

  test("is not encoded: the session says why and who can play it, and there is no playlist", async () => {
    const { session } = await swarm.open();
    expect(session.mode).toBe("direct");
    expect(session.is_playable).toBe(false);
    expect(session.qualities).toEqual([]);
    const codes = session.reasons.map(({ code }) => code);
    expect(codes).toContain("VideoCodecNotSupported");
    expect(codes).toContain("EncodingTooSlow");
    const forced = await fetch(`${await swarm.link()}&mode=hls`, {
      headers: { "user-agent": CHROMIUM_AGENT },
    });
    const { error } = (await forced.json()) as { error: { code: string; message: string } };
    expect([forced.status, error.code]).toEqual([415, "unsupported_media"]);
    expect(error.message).toContain("cannot encode");
    const bytes = await fetch(await swarm.link(), {
      headers: { "user-agent": "VLC/3.0.20", range: "bytes=0-3" },
    });
    expect(bytes.status).toBe(206);
  }, 60_000);
});
