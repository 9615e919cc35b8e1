// The page's player in a real browser: a film that is still on its way comes as HLS, a complete one as it is; what a
// viewer can choose, and what is told when something does not work.

import { afterAll, beforeAll, expect } from "bun:test";
import type { Page } from "playwright-core";
import { describeIsolated } from "../support/namespace.ts";
import type { TorrentBody } from "../support/torrx.ts";
import { makeFilmTorrent, TONES_HZ, waitForLine, waitForTone } from "../support/web-film.ts";
import { addText, makeVideo, onPage, rowOf, WebRig, waitForPicture } from "../support/web-rig.ts";

const FILM_SEC = 120;
const SESSION = "**/api/stream/*/*/session";

let rig: WebRig;
const pageTest = (title: string, use: (page: Page) => Promise<void>) => onPage(() => rig, title, use);

const detailOf = async (id: string) =>
  (await rig.server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;
const place = (page: Page) => page.evaluate(() => document.querySelector("video")?.currentTime ?? -1);
const source = (page: Page) => page.evaluate(() => document.querySelector("video")?.currentSrc ?? "");
const player = (page: Page) => page.getByLabel("Playing");
const optionsOf = (page: Page, label: string) => page.getByLabel(label).locator("option").allTextContents();

describeIsolated("the page's player", () => {
  beforeAll(async () => {
    rig = await WebRig.start();
  }, 90_000);
  afterAll(() => rig?.stop());

  pageTest("plays a film that is on its way: other sound, subtitles, another place", async (page) => {
    const torrent = await makeFilmTorrent(FILM_SEC);
    const seeder = await rig.seed(torrent, 400_000);
    await addText(page, torrent.magnet([seeder.peer]));
    const row = rowOf(page, torrent.name);
    await row.getByText(/↓ [\d.]+ KB\/s/).waitFor();
    const pressedMs = performance.now();
    await row.getByRole("button", { name: `Play ${torrent.name}` }).click();
    await waitForPicture(page, 0.1);
    const startMs = performance.now() - pressedMs;
    expect(await source(page)).toStartWith("blob:");
    expect((await detailOf(torrent.infoHash)).progress).toBeLessThan(0.5);

    expect(await optionsOf(page, "Audio")).toEqual(["English · AAC stereo", "Russian · AC-3 stereo"]);
    await waitForTone(page, TONES_HZ.english);
    await page.getByLabel("Audio").selectOption("Russian · AC-3 stereo");
    await waitForTone(page, TONES_HZ.russian);

    expect(await optionsOf(page, "Subtitles")).toEqual(["Off", "English", "Russian"]);
    await page.getByLabel("Subtitles").selectOption("Russian");
    await waitForLine(page, /^beside \d+$/);
    await page.getByLabel("Subtitles").selectOption("English");
    await waitForLine(page, /^inside \d+$/);

    const seekMs = performance.now();
    await page.evaluate((sec) => {
      const video = document.querySelector("video");
      if (video !== null) video.currentTime = sec;
    }, FILM_SEC * 0.7);
    await waitForPicture(page, FILM_SEC * 0.7 + 0.1);
    console.log(`start ${startMs.toFixed(0)} ms, seek ${(performance.now() - seekMs).toFixed(0)} ms`);
    expect((await detailOf(torrent.infoHash)).progress).toBeLessThan(1);
    await waitForTone(page, TONES_HZ.russian);
    const line = await waitForLine(page, /^inside \d+$/);
    expect(Math.abs(Number(line.split(" ")[1]) - (await place(page)))).toBeLessThan(4);
    expect(await page.getByRole("alert").count()).toBe(0);

    await player(page).getByText("Repackaged for this browser").click();
    await player(page).getByText("turned into AAC. (Russian)").waitFor();
    await page.goBack();
    const backMs = performance.now();
    while ((await rig.readersOf(torrent.infoHash)) > 0) {
      expect(performance.now() - backMs).toBeLessThan(3_000);
    }
  });

  pageTest("plays a complete film as it is, without hls.js", async (page) => {
    const torrent = await makeVideo("mp4-moov-at-end", 21);
    const seeder = await rig.seed(torrent, 0);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await addText(page, torrent.magnet([seeder.peer]));
    const row = rowOf(page, torrent.name);
    await row.getByText("Complete, sharing").waitFor();
    await row.getByRole("button", { name: `Play ${torrent.name}` }).click();
    await waitForPicture(page, 1);
    expect(await source(page)).toContain("mode=direct");
    expect(asked.filter((path) => /hls|m3u8/.test(path))).toEqual([]);
    expect(await player(page).getByRole("combobox").count()).toBe(0);
  });

  pageTest("finds the film again after the server was away", async (page) => {
    const torrent = await makeFilmTorrent(FILM_SEC + 10);
    const seeder = await rig.seed(torrent, 1_000_000);
    await addText(page, torrent.magnet([seeder.peer]));
    await page.getByRole("button", { name: `Play ${torrent.name}` }).click();
    await waitForPicture(page, 1);
    const startAgain = await rig.stopServer();
    await page.evaluate(() => {
      const video = document.querySelector("video");
      if (video !== null) video.currentTime = 90;
    });
    await player(page).getByText("The server does not answer.").waitFor({ timeout: 15_000 });
    await startAgain();
    await waitForPicture(page, 91);
    expect(await place(page)).toBeLessThan(100);
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  pageTest("waits while the server is busy, and says why", async (page) => {
    const torrent = await makeFilmTorrent(FILM_SEC);
    const seeder = await rig.seed(torrent, 0);
    let refusals = 0;
    await page.route(SESSION, async (route) => {
      refusals += 1;
      const error = { code: "busy", message: "stream_limit: too many streams at once" };
      if (refusals > 2) await route.continue();
      else await route.fulfill({ status: 503, headers: { "retry-after": "1" }, json: { error } });
    });
    await addText(page, torrent.magnet([seeder.peer]));
    await page.getByRole("button", { name: `Play ${torrent.name}` }).click();
    await player(page).getByText("Too many streams at once.").waitFor();
    await waitForPicture(page, 0.5);
    expect(refusals).toBe(3);
    expect(await player(page).getByText("Too many streams").count()).toBe(0);
  });

  pageTest("says what cannot be played and why, and offers other ways", async (page) => {
    const torrent = await makeFilmTorrent(FILM_SEC);
    const seeder = await rig.seed(torrent, 0);
    const message = "There is no working video encoder on this machine.";
    await page.route(SESSION, async (route) => {
      const session = { ...(await (await route.fetch()).json()), mode: "direct", is_playable: false };
      const reasons = [{ code: "EncodingNotAvailable", message, track: "v0" }];
      await route.fulfill({ json: { ...session, reasons, qualities: [] } });
    });
    await addText(page, torrent.magnet([seeder.peer]));
    await page.getByRole("button", { name: `Play ${torrent.name}` }).click();
    const alert = page.getByRole("alert");
    await alert.getByText("This browser cannot play this file.").waitFor();
    await alert.getByText(message).waitFor();
    const link = await alert.getByRole("link", { name: "Direct link" }).getAttribute("href");
    expect(link).toContain("mode=direct");
    expect((await fetch(link ?? "", { headers: { range: "bytes=0-9" } })).status).toBe(206);
    const download = page.waitForEvent("download");
    await alert.getByRole("link", { name: "Open in VLC" }).click();
    expect((await download).suggestedFilename()).toEndWith(".m3u8");
    await page.unroute(SESSION);
    await alert.getByRole("button", { name: "Try again" }).click();
    await waitForPicture(page, 0.5);
    expect(await alert.count()).toBe(0);
  });
});
