// The page in a real browser, against the real server with a real seeder: what a person does with it, and what
// strangers' names, a lost server and a phone do to it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { describeIsolated } from "../support/namespace.ts";
import { tmpFolder } from "../support/tmp.ts";
import { makeTorrent } from "../support/torrent-maker.ts";
import type { FileBody, TorrentBody } from "../support/torrx.ts";
import {
  addText,
  give,
  makeSeries,
  makeVideo,
  onPage,
  PASSWORD,
  rowOf,
  WebRig,
  waitForPicture,
} from "../support/web-rig.ts";

const HASH = "0123456789abcdef0123456789abcdef01234567";
const OFFLINE = "The server does not answer. Trying again…";
const UNSUPPORTED = "This browser cannot play this file";

let rig: WebRig;
const pageTest = (title: string, use: (page: Page) => Promise<void>, options?: BrowserContextOptions) =>
  onPage(() => rig, title, use, options);

const detailOf = async (id: string) =>
  (await rig.server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;

describeIsolated("the page", () => {
  beforeAll(async () => {
    rig = await WebRig.start();
  }, 90_000);
  afterAll(() => rig?.stop());

  pageTest("tells an empty list, and what cannot be added and why", async (page) => {
    await page.getByText("Nothing here yet").waitFor();
    await addText(page, "just some words");
    expect(await page.getByRole("alert").textContent()).toBe(
      "That is no magnet link, info hash or http link.",
    );
    await addText(page, "magnet:?xt=urn:btih:zz");
    await page.getByText("This magnet link has no valid info hash.").waitFor();
    const junk = { name: "cat.torrent", mimeType: "image/gif", buffer: Buffer.from("not a torrent") };
    await page.locator("#add-file").setInputFiles(junk);
    await page.getByText("This is not a valid torrent file.").waitFor();
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File([new ArrayBuffer(33 * 1024 * 1024)], "film.torrent"));
      document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: data }));
    });
    await page.getByText("The file is too large for a .torrent.").waitFor();
    expect((await rig.server.call<{ total: number }>("GET", "/api/torrents")).body.total).toBe(0);
  });

  pageTest("adds several lines, keeps the bad one and tells the known one", async (page) => {
    await addText(page, `${HASH}\njunk\nmagnet:?xt=urn:btih:${HASH.replace("0", "f")}&dn=Second`);
    await rowOf(page, "Second").waitFor();
    await rowOf(page, HASH).getByText("Looking for the torrent's details · 0 peers").waitFor();
    expect(await page.getByLabel("Magnet link, info hash").inputValue()).toBe("junk");
    expect(await page.getByRole("alert").textContent()).toContain("junk: That is no magnet link");
    await addText(page, HASH.toUpperCase());
    await page.getByText(`Already in the list: ${HASH}`).waitFor();
  });

  pageTest("adds what is pasted or dropped anywhere, and a chosen file", async (page) => {
    const [torrent, other] = [await makeVideo("mp4-faststart", 20), await makeSeries()];
    await page.getByText("Nothing here yet").waitFor();
    await give(page, "paste", { text: "words that are nothing" });
    await give(page, "paste", { text: HASH });
    await rowOf(page, HASH).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    await give(page, "drop", { file: torrent.bytes });
    await rowOf(page, torrent.name).waitFor();
    await page.locator("#add-file").setInputFiles(other.torrentPath);
    await rowOf(page, other.name).waitFor();
  });

  for (const kind of ["mp4-faststart", "mp4-moov-at-end"] as const) {
    pageTest(`plays ${kind} while it downloads; Back ends the stream at once`, async (page) => {
      const torrent = await makeVideo(kind, 60);
      const seeder = await rig.seed(torrent, 500_000);
      await addText(page, torrent.magnet([seeder.peer]));
      const row = rowOf(page, torrent.name);
      await row.getByText(/↓ [\d.]+ KB\/s/).waitFor();
      await row.getByRole("button", { name: `Play ${torrent.name}` }).click();
      await waitForPicture(page, 1.5);
      expect((await detailOf(torrent.infoHash)).progress).toBeLessThan(0.9);
      expect(await page.title()).toBe(`▶ ${torrent.name} — TorrX`);
      const source = await page.evaluate(() => document.querySelector("video")?.src ?? "");
      expect(source).toStartWith(`${rig.server.origin}/api/stream/${torrent.infoHash}/0/`);
      expect((await fetch(source, { headers: { range: "bytes=0-9" } })).status).toBe(206);
      expect(await rig.readersOf(torrent.infoHash)).toBeGreaterThan(0);

      await page.goBack();
      const backMs = performance.now();
      while ((await rig.readersOf(torrent.infoHash)) > 0) {
        expect(performance.now() - backMs).toBeLessThan(2_000);
      }
      expect(await page.title()).toBe("TorrX");
      await page.waitForFunction(
        (name) => document.activeElement?.getAttribute("aria-label") === `Play ${name}`,
        torrent.name,
      );
    });
  }

  pageTest(
    "shows progress live, pauses, resumes, and removes from the list or with the files",
    async (page) => {
      const torrent = await makeVideo("mp4-faststart", 22);
      const seeder = await rig.seed(torrent, 200_000);
      await addText(page, torrent.magnet([seeder.peer]));
      const row = rowOf(page, torrent.name);
      const share = () => row.getByRole("progressbar").evaluate((bar) => (bar as HTMLProgressElement).value);
      await row.getByText(/^[1-9]\d?%$/).waitFor();
      const before = await share();
      await page.waitForFunction((at) => (document.querySelector("progress")?.value ?? 0) > at, before);
      await row.getByRole("button", { name: "Pause" }).click();
      await row.getByText("Paused", { exact: true }).waitFor();
      seeder.setUploadLimit(0);
      await row.getByRole("button", { name: "Resume" }).click();
      await row.getByText("Complete, sharing").waitFor();
      expect(await share()).toBe(1);

      const remove = row.getByRole("button", { name: "Remove…" });
      await remove.click();
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Cancel");
      await page.keyboard.press("Escape");
      expect(await remove.evaluate((button) => button === document.activeElement)).toBe(true);
      await remove.click();
      await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
      await row.waitFor({ state: "detached" });
      const path = join(rig.server.downloads, torrent.name);
      expect(existsSync(path)).toBe(true);
      await page.locator("#add-file").setInputFiles(torrent.torrentPath);
      await row.getByText("Complete, sharing").waitFor();
      await remove.click();
      await page.getByLabel("Also delete its files").check();
      await page.getByRole("button", { name: "Remove and delete files" }).click();
      await row.waitFor({ state: "detached" });
      expect(existsSync(path)).toBe(false);
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("add-input");
    },
  );

  pageTest("shows why nothing comes, in the row and in the player", async (page) => {
    const torrent = await makeVideo("mp4-faststart", 24);
    await rig.server.upload(torrent.bytes);
    const row = rowOf(page, torrent.name);
    await row.getByText("Nobody is sharing this right now").waitFor();
    await row.getByRole("button", { name: `Play ${torrent.name}` }).click();
    await page.getByLabel("Playing").getByText("Nobody is sharing this right now").waitFor();
    await page.getByRole("button", { name: "Back" }).click();
    await page.getByLabel("Playing").waitFor({ state: "detached" });
  });

  pageTest(
    "chooses files, shows each one's progress, gives links, and says what cannot be played",
    async (page) => {
      const torrent = await makeSeries();
      await rig.server.upload(torrent.bytes);
      const row = rowOf(page, "Series");
      await row.getByRole("button", { name: "Files" }).click();
      const stored = page.waitForResponse((answer) => answer.request().method() === "PATCH");
      await row.getByLabel("E02.mp4", { exact: true }).uncheck();
      await stored;
      const chosen = async () => (await detailOf(torrent.infoHash)).files.map((file) => file.is_selected);
      expect(await chosen()).toEqual([true, false]);
      const seeder = await rig.seed(torrent, 0);
      await rig.server.call("POST", "/api/torrents", { magnet: torrent.magnet([seeder.peer]) });
      await row.getByText("Complete, sharing").waitFor();
      await row.getByText("60.0 KB · 100%").waitFor();
      expect(await row.getByText("60.0 KB · 100%").count()).toBe(1);

      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await row.getByRole("button", { name: "Copy link" }).first().click();
      await row.getByRole("button", { name: "Copied" }).waitFor();
      const link = await page.evaluate(() => navigator.clipboard.readText());
      const answer = await fetch(link);
      expect(answer.status).toBe(200);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(
        new Uint8Array(readFileSync(join(torrent.dataFolder, "Series", "E01.mp4"))),
      );
      const download = page.waitForEvent("download");
      await row.getByRole("link", { name: "m3u" }).click();
      const playlist = readFileSync(await (await download).path(), "utf8");
      expect(playlist).toStartWith("#EXTM3U\n#EXTINF:-1,E01.mp4\nhttp://");
      await row.getByRole("button", { name: "Play E01.mp4" }).click();
      await page.getByRole("alert").getByText(UNSUPPORTED).waitFor();
    },
  );

  pageTest(
    "adds over plain http by address, and shows the link to select where it may not copy",
    async (page) => {
      const torrent = await makeSeries();
      await rig.server.upload(torrent.bytes);
      await page.goto(rig.plainOrigin);
      expect(await page.evaluate(() => isSecureContext)).toBe(false);
      await addText(page, HASH);
      await rowOf(page, HASH).waitFor();
      await rowOf(page, "Series").getByRole("button", { name: "Files" }).click();
      await page.getByRole("button", { name: "Copy link" }).first().click();
      await page.getByText("Press Ctrl+C to copy the link").waitFor();
      const field = page.getByLabel("Stream link");
      const link = await field.inputValue();
      expect(link).toStartWith(`${rig.plainOrigin}/api/stream/${torrent.infoHash}/0/`);
      await page.waitForFunction(
        (text) => (document.activeElement as HTMLInputElement | null)?.value === text,
        link,
      );
      expect(await page.evaluate(() => getSelection()?.toString())).toBe(link);
    },
  );

  pageTest("shows strangers' names as text, also on a phone", async (page) => {
    const folder = join(tmpFolder("hostile"), "<img src=x onerror=document.title='owned'>");
    mkdirSync(folder);
    const fileNames = [
      "<script>document.title='owned'<script>.mp4",
      "\u202Egpj.mp4",
      `${"w".repeat(240)}.mp4`,
    ];
    for (const name of fileNames) writeFileSync(join(folder, name), name);
    const torrent = await makeTorrent(folder);
    await rig.server.upload(torrent.bytes);
    const names = ["👩‍👩‍👧 🎬 \u202Eexe.abc", "x".repeat(300), "&amp; <b>bold<b>"];
    for (const name of names) {
      const { bytes } = await makeTorrent(join(folder, fileNames[0]!), { name });
      expect((await rig.server.upload(bytes)).status).toBe(201);
    }
    const { body } = await rig.server.call<{ items: TorrentBody[] }>("GET", "/api/torrents");
    expect(body.items.map(({ name }) => name)).toContain("&amp; <b>bold<b>");
    for (const { name } of body.items) await rowOf(page, name).waitFor();
    await rowOf(page, torrent.name).getByRole("button", { name: "Files" }).click();
    const { files } = await detailOf(torrent.infoHash);
    for (const { path } of files as FileBody[]) await page.getByText(path, { exact: true }).waitFor();
    await rowOf(page, torrent.name).getByRole("button", { name: "Remove…" }).click();
    expect(await page.locator("#app img, #app script, #app b").count()).toBe(0);
    for (const width of [360, 820, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    }
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(await page.title()).toBe("TorrX");
  });

  pageTest("comes back by itself after a restart, with what changed meanwhile", async (page) => {
    await rig.server.call("POST", "/api/torrents", { magnet: `magnet:?xt=urn:btih:${HASH}` });
    await rowOf(page, HASH).waitFor();
    await page.evaluate(() => document.body.setAttribute("data-same-page", ""));
    const startAgain = await rig.stopServer();
    await page.getByText(OFFLINE).waitFor();
    await rowOf(page, HASH).getByRole("button", { name: "Pause" }).click();
    await rowOf(page, HASH).getByText("The server does not answer.", { exact: true }).waitFor();
    await startAgain();
    await rig.server.call("POST", "/api/torrents", {
      magnet: `magnet:?xt=urn:btih:${HASH}&dn=x`,
      paused: true,
    });
    await page.getByText(OFFLINE).waitFor({ state: "detached" });
    await rowOf(page, HASH).getByRole("button", { name: "Pause" }).click();
    await rowOf(page, HASH).getByText("Paused", { exact: true }).waitFor();
    expect(await page.locator("body[data-same-page]").count()).toBe(1);
  });

  pageTest("goes on playing at the same place after a restart", async (page) => {
    const torrent = await makeVideo("mp4-faststart", 90);
    const seeder = await rig.seed(torrent, 300_000);
    await addText(page, torrent.magnet([seeder.peer]));
    await page.getByRole("button", { name: `Play ${torrent.name}` }).click();
    await waitForPicture(page, 1);
    const startAgain = await rig.stopServer();
    await page.getByLabel("Playing").getByText("The server does not answer.").waitFor({ timeout: 20_000 });
    const atSec = await page.evaluate(() => document.querySelector("video")?.currentTime ?? 0);
    expect(atSec).toBeGreaterThan(1);
    await page.evaluate(() => {
      const video = document.querySelector("video");
      const note = () => video?.setAttribute("data-again-at", String(video.currentTime));
      video?.addEventListener("playing", note, { once: true });
    });
    await startAgain();
    await waitForPicture(page, atSec + 2);
    const againAt = await page.evaluate(() => document.querySelector("video")?.dataset["againAt"]);
    expect(Math.abs(Number(againAt) - atSec)).toBeLessThan(1);
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  pageTest("tells that it is loading, and what the server refuses", async (page) => {
    await rig.server.call("POST", "/api/torrents", { magnet: `magnet:?xt=urn:btih:${HASH}` });
    let isHeld = true;
    await page.route("**/api/events", async (route) => (isHeld ? undefined : await route.continue()));
    await page.route("**/pause", (route) =>
      route.fulfill({ status: 500, json: { error: { code: "internal", message: "something broke" } } }),
    );
    await page.reload({ waitUntil: "domcontentloaded" });
    await page.getByText("Loading…").waitFor();
    isHeld = false;
    await page.reload();
    await rowOf(page, HASH).getByRole("button", { name: "Pause" }).click();
    await page.getByRole("alert").getByText("Something broke.").waitFor();
  });

  pageTest("is dark or light as the system is", async (page) => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await background()).toBe("rgb(11, 14, 19)");
    await page.emulateMedia({ colorScheme: "light" });
    expect(await background()).toBe("rgb(246, 248, 251)");
  });

  pageTest("works when the address carries the login", async (page) => {
    const { port } = rig.server;
    await page.goto(`http://admin:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/`);
    await addText(page, HASH);
    await rowOf(page, HASH).waitFor();
  });

  test("a wrong password gets no page", async () => {
    const httpCredentials = { username: "admin", password: "not the password" };
    const { page } = await rig.browser.open(rig.hosts, { httpCredentials });
    const answer = await page.goto(rig.server.origin);
    expect(answer?.status()).toBe(401);
    expect(await page.locator("#app").count()).toBe(0);
    await page.context().close();
  });
});
