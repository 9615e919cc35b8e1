// The page and its assets, as src/api/web-ui.ts serves them behind the front.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { send } from "../../support/api-client.ts";
import { AUTHORIZATION, TORRENT } from "../../support/api-front.ts";
import { startServer, type TestServer } from "../../support/api-services.ts";
import { tmpFolder } from "../../support/tmp.ts";

const webFolder = tmpFolder("web");
let server: TestServer;

beforeAll(async () => {
  mkdirSync(join(webFolder, "assets"));
  mkdirSync(join(webFolder, ".git"));
  writeFileSync(join(webFolder, "index.html"), "<!doctype html>page");
  writeFileSync(join(webFolder, "assets/app-1.js"), "run()");
  writeFileSync(join(webFolder, "assets/app-1.css"), "a{}");
  writeFileSync(join(webFolder, "icon.svg"), "<svg/>");
  writeFileSync(join(webFolder, ".env"), "canary");
  writeFileSync(join(webFolder, ".git/config"), "canary");
  server = await startServer({ webFolder });
});
afterAll(() => server.close());
describe("the web page", () => {
  const headersOf = async (path: string, more: Record<string, string> = {}) => {
    const answer = await send(server.port, path, { headers: { authorization: AUTHORIZATION, ...more } });
    return {
      status: answer.status,
      cache: answer.headers.get("cache-control"),
      type: answer.headers.get("content-type"),
      answer,
    };
  };

  test("is asked for anew each time", async () => {
    for (const path of ["/", "/index.html"]) {
      const { status, cache, type, answer } = await headersOf(path);
      expect([status, cache, answer.body.toString(), path]).toEqual([
        200,
        "private, no-cache",
        "<!doctype html>page",
        path,
      ]);
      expect(type).toBe("text/html; charset=utf-8");
    }
    const etag = (await headersOf("/")).answer.headers.get("etag") ?? "";
    expect((await headersOf("/", { "if-none-match": etag })).status).toBe(304);
    expect((await headersOf("/", { "if-none-match": '"x"' })).status).toBe(200);
  });

  test("hashed assets are kept for ever, the rest is asked for; types are right", async () => {
    const script = await headersOf("/assets/app-1.js");
    expect([script.status, script.cache]).toEqual([200, "private, max-age=31536000, immutable"]);
    expect(script.type).toContain("javascript");
    expect((await headersOf("/assets/app-1.css")).type).toContain("text/css");
    const icon = await headersOf("/icon.svg");
    expect([icon.status, icon.cache, icon.type]).toEqual([200, "private, no-cache", "image/svg+xml"]);
  });

  test("what is missing or hidden is 404 and never the page", async () => {
    for (const path of [
      "/assets/app-2.js",
      "/assets/",
      "/assets",
      "/favicon.ico",
      "/.env",
      "/.git/config",
      "/api",
      "/api/x",
    ]) {
      const { status, answer } = await headersOf(path);
      expect([status, path]).toEqual([404, path]);
      expect(answer.body.toString()).toContain("not_found");
    }
  });

  test("an address that does not exist is a page of words for a browser, and JSON for a program", async () => {
    const page = await headersOf("/nowhere", { accept: "text/html,*/*" });
    expect([page.status, page.type]).toEqual([404, "text/html; charset=utf-8"]);
    expect(page.answer.body.toString()).toContain('href="/"');
    for (const path of ["/nowhere", `/torrents/${TORRENT}`]) {
      expect((await headersOf(path)).answer.body.toString()).toContain("not_found");
    }
    expect((await headersOf("/api/nowhere", { accept: "text/html" })).type).toContain("json");
  });

  test("without a build there is no page, and the API works", async () => {
    const bare = await startServer({ webFolder: join(webFolder, "nothing") });
    const auth = { headers: { authorization: AUTHORIZATION } };
    expect((await send(bare.port, "/", auth)).status).toBe(404);
    expect((await send(bare.port, "/api/settings", auth)).status).toBe(200);
    await bare.close();
  });
});
