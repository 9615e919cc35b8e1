// What a person changes and repairs on the page, in a real browser against the real server.

import { afterAll, beforeAll, expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describeIsolated } from "../support/namespace.ts";
import { tmpFolder } from "../support/tmp.ts";
import { makeTorrent } from "../support/torrent-maker.ts";
import type { TorrentBody } from "../support/torrx.ts";
import { makeSeries, onPage, PASSWORD, rowOf, WebRig } from "../support/web-rig.ts";

let rig: WebRig;
const pageTest = (title: string, use: (page: Page) => Promise<void>) => onPage(() => rig, title, use);

const detailOf = async (id: string) =>
  (await rig.server.call<TorrentBody>("GET", `/api/torrents/${id}`)).body;

describeIsolated("the page's settings and repairs", () => {
  beforeAll(async () => {
    rig = await WebRig.start();
  }, 90_000);
  afterAll(() => rig?.stop());

  pageTest("offers to play videos and audio only; anything can be linked and checked again", async (page) => {
    const folder = join(tmpFolder("album"), "Album");
    mkdirSync(folder);
    for (const name of ["a.flac", "b.mkv", "c.nfo"]) writeFileSync(join(folder, name), name.repeat(99));
    const torrent = await makeTorrent(folder);
    await rig.server.upload(torrent.bytes);
    const row = rowOf(page, "Album");
    await row.getByRole("button", { name: "Files" }).click();
    await row.getByText("c.nfo").waitFor();
    expect(await row.getByRole("button", { name: /^Play [abc]\./ }).count()).toBe(2);
    expect(await row.getByRole("button", { name: "Copy link" }).count()).toBe(3);
    const checked = page.waitForResponse((answer) => answer.url().endsWith("/recheck"));
    await row.getByRole("button", { name: "Recheck" }).click();
    expect((await checked).status()).toBe(200);
  });

  pageTest("a failed torrent is tried again, with a look at the disk where it failed", async (page) => {
    const torrent = await makeSeries();
    await rig.server.upload(torrent.bytes);
    const row = rowOf(page, "Series");
    await row.waitFor();
    const broken = { code: "disk_error", message: "The disk failed." };
    const detail = { ...(await detailOf(torrent.infoHash)), status: "error", error: broken };
    await page.route("**/pause", (route) => route.fulfill({ json: detail }));
    await row.getByRole("button", { name: "Pause" }).click();
    await row.getByText("The disk failed.").waitFor();
    const asked = ["/resume", "/recheck"].map((end) =>
      page.waitForResponse((answer) => answer.url().endsWith(end)),
    );
    await row.getByRole("button", { name: "Retry" }).click();
    for (const answer of asked) expect((await answer).status()).toBe(200);
    await row.getByText("The disk failed.").waitFor({ state: "detached" });
  });

  pageTest("changes limits, ends links and changes the login in the settings", async (page) => {
    const torrent = await makeSeries();
    await rig.server.upload(torrent.bytes);
    const { files } = await detailOf(torrent.infoHash);
    const link = `${rig.server.origin}${(files[0] as { stream_url?: string }).stream_url}&mode=direct`;
    const settings = async () => (await rig.server.call<Record<string, number>>("GET", "/api/settings")).body;
    const before = await settings();
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Upload limit").fill("1500.5");
    await page.getByLabel("New links work for").fill("24");
    await page.getByRole("button", { name: "Save limits" }).click();
    await page.getByText("Saved.").waitFor();
    expect(await settings()).toEqual({ ...before, max_upload_speed: 1_500_500, stream_token_ttl_hours: 24 });
    await page.getByLabel("Upload limit").fill("-1");
    await page.getByRole("button", { name: "Save limits" }).click();
    expect((await settings())["max_upload_speed"]).toBe(1_500_500);

    expect((await fetch(link, { method: "HEAD" })).status).toBe(200);
    await page.getByRole("button", { name: "Revoke all links" }).click();
    await page.getByText("Every link given out so far has ended.").waitFor();
    expect((await fetch(link, { method: "HEAD" })).status).toBe(403);

    await page.getByLabel("Current password").fill("wrong");
    await page.getByLabel("New password").fill("a new password");
    await page.getByRole("button", { name: "Change login" }).click();
    await page.getByRole("alert").getByText("The current password is wrong.").waitFor();
    await page.getByLabel("Current password").fill(PASSWORD);
    await page.getByRole("button", { name: "Change login" }).click();
    await page.getByText("The browser asks for the new login").waitFor();
    const authorization = `Basic ${btoa("admin:a new password")}`;
    const answer = await fetch(`${rig.server.origin}/api/settings/credentials`, {
      method: "PUT",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ current_password: "a new password", password: PASSWORD }),
    });
    expect(answer.status).toBe(204);
    await rig.server.call("PUT", "/api/settings", before);
  });
});
