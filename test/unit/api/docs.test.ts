// The API's documentation is made of what the server checks and answers; it must not say anything else.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { send } from "../../support/api-client.ts";
import { AUTHORIZATION, TORRENT } from "../../support/api-front.ts";
import { startServer, type TestServer } from "../../support/api-services.ts";
import { tmpFolder } from "../../support/tmp.ts";

const webFolder = tmpFolder("web");
const one = `/api/torrents/${TORRENT}`;
let server: TestServer;

beforeAll(async () => {
  mkdirSync(join(webFolder, "assets"));
  writeFileSync(join(webFolder, "index.html"), "<!doctype html>page");
  writeFileSync(join(webFolder, "icon.svg"), "<svg/>");
  server = await startServer({ webFolder });
});
afterAll(() => server.close());

async function ask(method: string, path: string) {
  const answer = await send(server.port, path, { method, headers: { authorization: AUTHORIZATION } });
  const text = answer.body.toString();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
  return { headers: answer.headers, text, json: isJson ? JSON.parse(text) : null };
}

describe("the documentation", () => {
  test("lists every route, and loads nothing from anywhere", async () => {
    const spec = (await ask("GET", "/api/docs/json")).json;
    for (const { method, path } of server.api.routes.filter(({ path }) => /^\/api\/(?!docs)/.test(path))) {
      const documented = spec.paths[path.replace(/:(\w+)/g, "{$1}")];
      expect(documented?.[method.toLowerCase()], `${method} ${path}`).toBeDefined();
    }
    expect(spec.paths["/api/stream/{id}/{file}"].get).toBeDefined();
    expect(Object.keys(spec.paths)).not.toContain("/icon.svg");
    const page = await ask("GET", "/api/docs");
    expect(page.headers.get("content-type")).toContain("text/html");
    expect(page.text).toContain("/api/torrents/{id}/playlist.m3u8");
    expect(page.text).not.toMatch(/<script|<style|style=|https?:/);
  });

  test("shows bodies, words of fields, and answers as they are", async () => {
    const { paths, components } = (await ask("GET", "/api/docs/json")).json;
    const bodyOf = (path: string, method: string, type = "application/json") =>
      paths[path][method].requestBody.content[type].schema;
    for (const [path, operations] of Object.entries<Record<string, { requestBody?: unknown }>>(paths)) {
      for (const [method, { requestBody }] of Object.entries(operations)) {
        if (requestBody === undefined) continue;
        expect(Object.keys(bodyOf(path, method).properties).length, `${method} ${path}`).toBeGreaterThan(0);
      }
    }
    expect(Object.keys(bodyOf("/api/torrents", "post").properties)).toEqual(["magnet", "url", "paused"]);
    expect(bodyOf("/api/torrents", "post", "multipart/form-data").properties.torrent.format).toBe("binary");
    expect(bodyOf("/api/settings", "put").properties.max_download_speed).toMatchObject({
      type: "integer",
      description: "Limit of all downloads together, bytes/s; 0 = no limit",
    });
    const file = bodyOf("/api/torrents/{id}/files", "patch").properties.files.items.properties;
    expect(file.priority.enum).toEqual(["low", "normal", "high"]);
    const [status] = paths["/api/torrents"].get.parameters;
    expect(status).toMatchObject({ name: "status", schema: { description: "Only torrents of this status" } });
    const keysOf = (name: string) => Object.keys(components.schemas[name].properties).sort();
    expect(keysOf("TorrentDetail")).toEqual(Object.keys((await ask("GET", one)).json).sort());
    expect(keysOf("Status")).toEqual(Object.keys((await ask("GET", "/api/status")).json).sort());
    expect(keysOf("Settings")).toEqual(Object.keys((await ask("GET", "/api/settings")).json).sort());
    expect(components.schemas.Error.properties.error.properties.code.enum).toContain("disk_full");
    const refs = JSON.stringify(paths).matchAll(/#\/components\/schemas\/(\w+)/g);
    for (const [, name] of refs) expect(components.schemas[name ?? ""], name).toBeDefined();
  });

  test("has on its page each field, what it may be, and a line for curl", async () => {
    const { text } = await ask("GET", "/api/docs");
    expect(text).toContain("<code>max_upload_speed</code>");
    expect(text).toContain("a whole number of bytes per second, 0 or more");
    expect(text).toContain("curl -u admin -X POST -F torrent=@film.torrent");
    expect(text).toContain("META_SEARCH");
    expect(text.match(/<pre>curl/g)?.length).toBe(text.match(/<h3>[A-Z]+ <code>/g)?.length);
  });
});
