// QUALITY B4 #1, #8, #10, #26 and acceptance 7: what holds for every route there is, so that no new one can forget.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECURITY_HEADERS } from "../../src/front/security-headers.ts";
import { send } from "../support/api-client.ts";
import { AUTHORIZATION, TORRENT } from "../support/api-front.ts";
import { startServer, type TestServer } from "../support/api-services.ts";
import { tmpFolder } from "../support/tmp.ts";

let server: TestServer;
let routes: { method: string; path: string }[];

beforeAll(async () => {
  const webFolder = tmpFolder("web");
  mkdirSync(join(webFolder, "assets"));
  writeFileSync(join(webFolder, "index.html"), "<!doctype html>");
  writeFileSync(join(webFolder, "assets/app-1.js"), "1");
  writeFileSync(join(webFolder, "icon.svg"), "<svg/>");
  server = await startServer({ webFolder });
  const concrete = (path: string) =>
    path.replace(":id", TORRENT).replace(":file", "0").replace("*", "some/page");
  routes = server.api.routes.map(({ method, path }) => ({ method, path: concrete(path) }));
  routes.push(
    { method: "GET", path: `/api/stream/${TORRENT}/0` },
    { method: "GET", path: `/api/stream/${TORRENT}/1/x` },
  );
});
afterAll(() => server.close());

const OPEN = "/api/health";
const JSON_BODY = { headers: { "content-type": "application/json" }, body: "{}" };

test("the crawl knows the routes", () => {
  expect(routes.length).toBeGreaterThan(25);
  expect(routes.map(({ path }) => path)).toContain("/assets/app-1.js");
});

test("without credentials every route but health answers 401, by every method", async () => {
  const paths = [...new Set(routes.map(({ path }) => path))];
  for (const path of [...paths, "/nowhere", "/api/nowhere"]) {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
      const isOpen = path === OPEN && (method === "GET" || method === "HEAD");
      const options = method === "GET" || method === "HEAD" ? { method } : { method, ...JSON_BODY };
      const answer = await send(server.port, path, options);
      expect(answer.status, `${method} ${path}`).toBe(isOpen ? 200 : 401);
      if (!isOpen)
        expect(answer.headers.get("www-authenticate")).toBe('Basic realm="TorrX", charset="UTF-8"');
    }
  }
  expect(server.torrents.calls).toEqual([]);
});

test("wrong credentials and meaningless tokens are as good as none", async () => {
  const wrong = `Basic ${Buffer.from("admin:wrong").toString("base64")}`;
  for (const { method, path } of routes.filter(({ path }) => path !== OPEN).slice(0, 8)) {
    expect((await send(server.port, path, { method, headers: { authorization: wrong } })).status).toBe(401);
  }
  expect((await send(server.port, "/api/settings?token=v1.x.y")).status).toBe(401);
});

test("a refused login says that it is wrong, and not in which of the two", async () => {
  const own = await startServer();
  const messageOf = async (login: string | null) => {
    const headers: Record<string, string> =
      login === null ? {} : { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
    return JSON.parse((await send(own.port, "/api/settings", { headers })).body.toString()).error.message;
  };
  expect(await messageOf(null)).toBe("username and password are needed");
  expect(await messageOf("admin:wrong")).toBe("wrong username or password");
  expect(await messageOf("nobody:correct horse")).toBe("wrong username or password");
  await own.close();
});

test("from another site every write is 403, whatever else it carries", async () => {
  const calls = server.torrents.calls.length;
  const proofs: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "http://evil.example" },
    { origin: "null" },
  ];
  for (const { method, path } of routes.filter(({ method }) => method !== "GET")) {
    for (const proof of proofs) {
      const headers = { authorization: AUTHORIZATION, "content-type": "application/json", ...proof };
      const answer = await send(server.port, path, { method, headers, body: "{}" });
      expect(answer.status, `${method} ${path} ${JSON.stringify(proof)}`).toBe(403);
    }
  }
  expect(server.torrents.calls.length).toBe(calls);
});

test("a foreign Host is 421 on every route, with or without credentials", async () => {
  for (const { method, path } of routes) {
    for (const headers of [
      { host: "evil.example" },
      { host: "evil.example", authorization: AUTHORIZATION },
    ]) {
      const answer = await send(server.port, path, { method, headers });
      expect(answer.status, `${method} ${path}`).toBe(421);
      expect(answer.body.toString()).toContain("server.allowed_hosts");
      expect(answer.body.toString()).not.toContain("evil");
    }
  }
});

test("the opener policy goes where a browser heeds it: over https and to this machine", async () => {
  const isSent = async (headers: Record<string, string>) =>
    (await send(server.port, "/api/health", { headers })).headers.has("cross-origin-opener-policy");
  for (const host of ["localhost", "app.localhost:8080", "127.0.0.1:8080", "[::1]:8080"]) {
    expect(await isSent({ host }), host).toBe(true);
  }
  for (const host of ["nas.lan", "192.168.1.2:8080"]) {
    expect(await isSent({ host }), host).toBe(false);
    expect(await isSent({ host, "x-forwarded-proto": "https" }), host).toBe(true);
  }
});

test("every answer carries the security headers; only bytes of torrents have a stricter policy", async () => {
  const statuses = new Set<number>();
  const check = async (path: string, headers: Record<string, string> = {}, method = "GET") => {
    const answer = await send(server.port, path, { method, headers });
    statuses.add(answer.status);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (name === "cross-origin-opener-policy" && "host" in headers) continue;
      expect(answer.headers.get(name), `${method} ${path} ${answer.status} ${name}`).toBe(value);
    }
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    return answer;
  };
  const auth = { authorization: AUTHORIZATION };
  for (const { method, path } of routes) {
    if (path === "/api/events" || path.startsWith("/api/stream/")) continue;
    await check(path, auth, method);
  }
  const etag = (await check("/", auth)).headers.get("etag") ?? "";
  await check("/", { ...auth, "if-none-match": etag });
  await check("/nowhere.x", auth);
  await check("/", {});
  await check("/", { host: "evil.example" });
  await check("/", { host: "a@b" });
  server.torrents.failure = new Error("canary-message");
  await check(`/api/torrents/${TORRENT}`, auth);
  server.torrents.failure = null;
  await check(`/api/stream/${TORRENT}/99`, auth);
  for (const status of [200, 304, 400, 401, 404, 421, 422, 500]) expect([...statuses]).toContain(status);
});

test("no route tells what went wrong inside", async () => {
  const failures = [new Error("canary /etc/passwd at /srv/x.ts:1"), "canary", { canary: 1 }, null];
  for (const failure of failures) {
    server.torrents.failure = failure ?? new TypeError("canary");
    for (const { method, path } of routes.filter(({ path }) => path.startsWith("/api/torrents"))) {
      const body = path.endsWith("/files") ? '{"files":[{"index":0}]}' : '{"name":"x"}';
      const isAdd = method === "POST";
      const answer = await send(server.port, path, {
        method,
        headers: { authorization: AUTHORIZATION, ...(method === "GET" ? {} : JSON_BODY.headers) },
        ...(method === "GET" ? {} : { body: isAdd ? '{"magnet":"m"}' : body }),
      });
      const text = answer.body.toString();
      expect(text, `${method} ${path}`).not.toContain("canary");
      if (answer.status !== 200) {
        expect(answer.status, `${method} ${path}`).toBe(500);
        expect(Object.keys(JSON.parse(text).error).sort()).toEqual(["code", "id", "message"]);
      }
    }
  }
  server.torrents.failure = null;
});

test("bad input is answered with its field and never echoed", async () => {
  const bad: [string, string, string, number, string][] = [
    ["POST", "/api/torrents", '{"magnet":"canary","url":"canary"}', 422, "magnet"],
    ["POST", "/api/torrents", '{"magnet":{"canary":1}}', 422, "magnet"],
    ["POST", "/api/torrents", '{"magnet":"m","paused":"canary"}', 422, "paused"],
    ["POST", "/api/torrents", "{}", 422, "magnet"],
    ["POST", "/api/torrents", '["canary"]', 422, "an object is needed"],
    ["POST", "/api/torrents", '"canary"', 422, "an object is needed"],
    ["POST", "/api/torrents", "{canary", 400, "JSON"],
    ["POST", "/api/torrents", '{"<canary>":1,"magnet":"m"}', 422, "an unknown field"],
    ["PATCH", `/api/torrents/${TORRENT}`, '{"priority":"canary"}', 422, "priority"],
    ["PATCH", `/api/torrents/${TORRENT}`, '{"max_upload_speed":1e300}', 422, "max_upload_speed"],
    ["PATCH", `/api/torrents/${TORRENT}/files`, '{"files":[{"index":"canary"}]}', 422, "files.0.index"],
    ["PUT", "/api/settings", '{"max_concurrent_torrents":"canary"}', 422, "max_concurrent_torrents"],
    ["PUT", "/api/settings", '{"__proto__":{"canary":1}}', 422, "at least one is needed"],
    [
      "PUT",
      "/api/settings/credentials",
      '{"current_password":"canary","password":"b"}',
      422,
      "current_password",
    ],
    ["PUT", "/api/settings/credentials", '{"password":"canary"}', 422, "current_password"],
  ];
  for (const [method, path, body, status, told] of bad) {
    const headers = { authorization: AUTHORIZATION, "content-type": "application/json" };
    const answer = await send(server.port, path, { method, headers, body });
    expect(answer.status, body).toBe(status);
    expect(answer.body.toString(), body).toContain(told);
    expect(answer.body.toString(), body).not.toContain("canary");
  }
});

test("B4 #10: no spelling of a path leaves the web folder", async () => {
  const paths = [
    "/..%2f..%2fetc/passwd",
    "/assets/..%2f..%2fetc/passwd",
    "/assets/%2e%2e/%2e%2e/etc/passwd",
    "/assets/../../etc/passwd",
    "/assets/....//etc/passwd",
    "/..\\..\\etc\\passwd",
    "/%2fetc/passwd",
    "/.env",
    "/.git/config",
    "/assets/.env",
    "/assets/nothing.js",
    "/nothing.js",
    "/%00",
    "/%zz",
    `/api/torrents/..%2f..%2fetc`,
    `/api/stream/..%2f..%2fetc/0`,
    `/api/stream/${TORRENT}/..%2f0`,
  ];
  for (const path of paths) {
    const answer = await send(server.port, path, { headers: { authorization: AUTHORIZATION } });
    expect([400, 404], `${path} ${answer.status}`).toContain(answer.status);
    expect(answer.body.toString()).toStartWith('{"error":{"code":"');
  }
});
