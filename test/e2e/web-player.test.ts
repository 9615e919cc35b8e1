// The page's player in a real browser: a film that is still on its way comes as HLS, a complete one as it is; what a
// viewer can choose, and what is told when something does not work.

import { afterAll, beforeAll, expect } from "bun:test";
import type { Page } from "playwright-core";
import type { LibtorrentPeer } from "../support/actors/libtorrent.ts";
import { describeIsolated } from "../support/namespace.ts";
import type { MadeTorrent } from "../support/torrent-maker.ts";
import type { TorrentBody } from "../support/torrx.ts";
import {
  makeFilmTorrent,
  makeLargeTorrent,
  makePlainTorrent,
  TONES_HZ,
  waitForLine,
  waitForTone,
} from "../support/web-film.ts";
import { addText, onPage, rowOf, WebRig, waitForPicture } from "../support/web-rig.ts";

const FILM_SEC = 120;
const SESSION = "**/api/stream/*/*/session";

let rig: WebRig;
let film: MadeTorrent;
let plain: MadeTorrent;
let large: MadeTorrent;
const pageTest = (title: string, use: (page: Page) => Promise<void>) => onPage(() => rig, title, use);

const detailOf = async (id: string) =>
  (await rig.server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
const place = (page: Page) => page.evaluate(() => document.querySelector("video")?.currentTime ?? -1);
const source = (page: Page) => page.evaluate(() => document.querySelector("video")?.currentSrc ?? "");
const player = (page: Page) => page.getByLabel("Playing");
const optionsOf = (page: Page, label: string) => page.getByLabel(label).locator("option").allTextContents();
const seek = (page: Page, sec: number) =>
  page.evaluate((toSec) => {
    const video = document.querySelector("video");
    if (video !== null) video.currentTime = toSec;
  }, sec);
const seeders = new Map<MadeTorrent, LibtorrentPeer>();
/** Bytes/s; 0 = no limit. */
async function add(page: Page, torrent: MadeTorrent, uploadLimit = 0): Promise<void> {
  const seeder = seeders.get(torrent) ?? (await rig.seed(torrent, uploadLimit));
  seeders.set(torrent, seeder);
  seeder.setUploadLimit(uploadLimit);
  await addText(page, torrent.magnet([seeder.peer]));
}
const play = (page: Page, torrent: MadeTorrent) =>
  page.getByRole("button", { name: `Play ${torrent.name}` }).click();

describeIsolated("the page's player", () => {
  beforeAll(async () => {
    const torrents = Promise.all([makeFilmTorrent(FILM_SEC), makePlainTorrent(30), makeLargeTorrent(40)]);
    [rig, [film, plain, large]] = await Promise.all([WebRig.start(), torrents]);
  }, 90_000);
  afterAll(() => rig?.stop());

  pageTest("plays a film that is on its way: other sound, subtitles, another place", async (page) => {
    await add(page, film, 600_000);
    await rowOf(page, film.name)
      .getByText(/↓ [\d.]+ KB\/s/)
      .waitFor();
    const pressedMs = performance.now();
    await play(page, film);
    await waitForPicture(page, 0.1);
    const startMs = performance.now() - pressedMs;
    expect(startMs).toBeLessThan(10_000);
    expect(await source(page)).toStartWith("blob:");
    expect((await detailOf(film.infoHash)).progress).toBeLessThan(0.5);

    expect(await optionsOf(page, "Audio")).toEqual(["English · AAC stereo", "Russian · AC-3 stereo"]);
    await waitForTone(page, TONES_HZ.english);
    await page.getByLabel("Audio").selectOption("Russian · AC-3 stereo");
    await waitForTone(page, TONES_HZ.russian);

    // The film's maker wants these to be shown.
    await waitForLine(page, /^inside \d+$/);
    expect(await optionsOf(page, "Subtitles")).toEqual(["Off", "English", "Russian"]);
    expect(await page.getByLabel("Subtitles").inputValue()).toBe("0");
    await page.getByLabel("Subtitles").selectOption("Russian");
    await waitForLine(page, /^beside \d+$/);

    const seekMs = performance.now();
    await seek(page, FILM_SEC * 0.7);
    await waitForPicture(page, FILM_SEC * 0.7 + 0.1);
    console.log(`start ${startMs.toFixed(0)} ms, seek ${(performance.now() - seekMs).toFixed(0)} ms`);
    expect((await detailOf(film.infoHash)).progress).toBeLessThan(1);
    await waitForTone(page, TONES_HZ.russian);
    const line = await waitForLine(page, /^beside \d+$/);
    expect(Math.abs(Number(line.split(" ")[1]) - (await place(page)))).toBeLessThan(4);
    expect(await page.getByRole("alert").count()).toBe(0);

    await player(page).getByText("Repackaged for this browser").click();
    await player(page).getByText("turned into AAC. (Russian)").waitFor();
    await page.goBack();
    const backMs = performance.now();
    while ((await rig.readersOf(film.infoHash)) > 0) {
      expect(performance.now() - backMs).toBeLessThan(3_000);
    }
  });

  pageTest("plays a complete film as it is, without hls.js, with the subtitles beside it", async (page) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await add(page, plain);
    await rowOf(page, plain.name).getByText("Complete, sharing").waitFor();
    await play(page, plain);
    await waitForPicture(page, 1);
    expect(await source(page)).toContain("mode=direct");
    expect(asked.filter((path) => /hls|m3u8/.test(path))).toEqual([]);
    expect(await player(page).getByRole("combobox").count()).toBe(1);
    await page.getByLabel("Subtitles").selectOption("English");
    await waitForLine(page, /^plain \d+$/);
    await page.goBack();

    // Where the server cannot tell what it is, the browser may try.
    const error = { code: "unsupported_media", message: "FFmpeg is not installed" };
    await page.route(SESSION, (route) => route.fulfill({ status: 415, json: { error } }));
    await play(page, plain);
    await waitForPicture(page, 0.5);
    await player(page).getByText("FFmpeg is not installed.").waitFor();
  });

  pageTest("changes to a smaller picture and back without a break", async (page) => {
    const sessions: string[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/session")) sessions.push(request.url());
    });
    const heightIs = (wanted: number) =>
      page.waitForFunction((height) => document.querySelector("video")?.videoHeight === height, wanted);
    await add(page, large);
    await rowOf(page, large.name).getByText("Complete, sharing").waitFor();
    await rig.waitForEncoder(large.infoHash);
    await play(page, large);
    await waitForPicture(page, 0.5);
    expect(await optionsOf(page, "Quality")).toEqual(["Original · 720p", "480p"]);
    await heightIs(720);
    await page.getByLabel("Quality").selectOption("480p");
    await heightIs(480);
    await page.getByLabel("Quality").selectOption("Original · 720p");
    await heightIs(720);
    expect(sessions).toHaveLength(1);
    expect(await page.evaluate(() => document.querySelector("video")?.buffered.length)).toBe(1);
  });

  pageTest("gets over a segment that is broken on its way, but not for ever", async (page) => {
    let timesBroken = 1;
    await page.route(/\/segment\/2\?r=v0/, async (route) => {
      const answer = await route.fetch();
      const body = Buffer.from(await answer.body());
      if (timesBroken > 0) body.fill(0, Math.floor(body.length / 3));
      timesBroken -= 1;
      await route.fulfill({ response: answer, body });
    });
    await add(page, film);
    await play(page, film);
    await waitForPicture(page, 0.1);
    await seek(page, 8.5);
    await waitForPicture(page, 9);
    expect(timesBroken).toBeLessThan(0);
    expect(await page.getByRole("alert").count()).toBe(0);

    timesBroken = Number.POSITIVE_INFINITY;
    await page.goBack();
    await play(page, film);
    await page
      .getByRole("alert")
      .getByText("This browser cannot play this file.")
      .waitFor({ timeout: 20_000 });
  });

  pageTest("leaves HLS to a browser that plays it by itself", async (page) => {
    await page.addInitScript(() => {
      for (const name of ["MediaSource", "ManagedMediaSource"]) Reflect.deleteProperty(globalThis, name);
    });
    await page.reload();
    await add(page, film);
    await play(page, film);
    await waitForPicture(page, 0.1);
    expect(await source(page)).toContain("/master.m3u8?");
    await waitForTone(page, TONES_HZ.english);
    await seek(page, 60);
    await waitForPicture(page, 60.5);
    await page.getByLabel("Audio").selectOption("Russian · AC-3 stereo");
    await waitForTone(page, TONES_HZ.russian);
    expect(await place(page)).toBeGreaterThan(60);
  });

  pageTest("finds the film again after the server was away", async (page) => {
    await add(page, film, 1_000_000);
    await play(page, film);
    await waitForPicture(page, 1);
    await page.getByLabel("Audio").selectOption("Russian · AC-3 stereo");
    await page.getByLabel("Subtitles").selectOption("Russian");
    await waitForLine(page, /^beside \d+$/);
    const startAgain = await rig.stopServer();
    await seek(page, 90);
    await player(page).getByText("The server does not answer.").waitFor({ timeout: 15_000 });
    await startAgain();
    await waitForPicture(page, 90.5);
    expect(await place(page)).toBeLessThan(100);
    await waitForTone(page, TONES_HZ.russian);
    await waitForLine(page, /^beside 9\d$/);
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  pageTest(
    "waits for a busy server; says what cannot be played and why, and offers other ways",
    async (page) => {
      const busy = { code: "busy", message: "stream_limit: too many streams at once" };
      const message = "There is no working video encoder on this machine.";
      let refusals = 0;
      let isOver = false;
      await page.route(SESSION, async (route) => {
        if (isOver) return await route.continue();
        refusals += 1;
        if (refusals <= 2) {
          return await route.fulfill({ status: 503, headers: { "retry-after": "1" }, json: { error: busy } });
        }
        const session = { ...(await (await route.fetch()).json()), mode: "direct", is_playable: false };
        const reasons = [{ code: "EncodingNotAvailable", message, track: "v0" }];
        await route.fulfill({ json: { ...session, reasons, qualities: [] } });
      });
      await add(page, film);
      await play(page, film);
      await player(page).getByText("Too many streams at once.").waitFor();
      const alert = page.getByRole("alert");
      await alert.getByText("This browser cannot play this file.").waitFor();
      await alert.getByText(message).waitFor();
      const link = await alert.getByRole("link", { name: "Direct link" }).getAttribute("href");
      expect((await fetch(link ?? "", { headers: { range: "bytes=0-9" } })).status).toBe(206);
      const download = page.waitForEvent("download");
      await alert.getByRole("link", { name: "Open in VLC" }).click();
      expect((await download).suggestedFilename()).toEndWith(".m3u8");
      isOver = true;
      const noText = { code: "unsupported_media", message: "these subtitles are broken" };
      await page.route(/\/segment\/\d+\?r=s0/, (route) =>
        route.fulfill({ status: 415, json: { error: noText } }),
      );
      await alert.getByRole("button", { name: "Try again" }).click();
      await waitForPicture(page, 0.5);
      expect(await alert.count()).toBe(0);
      await player(page).getByText("These subtitles cannot be shown. These subtitles are broken.").waitFor();
      expect(await page.getByLabel("Subtitles").inputValue()).toBe("off");
      await waitForPicture(page, 2);
    },
  );
});
