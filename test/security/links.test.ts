// QUALITY B4 #8 and acceptance 7: a link opens its one thing, for reading, until it ends.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { send } from "../support/api-client.ts";
import { AUTHORIZATION, INCOMPLETE, startFront, TORRENT, testAccess } from "../support/api-front.ts";
import { startServer, type TestServer } from "../support/api-services.ts";
import { FakeClock } from "../support/fake-clock.ts";

let server: TestServer;
let stream: string;
let playlist: string;
const clock = new FakeClock();

beforeAll(async () => {
  server = await startServer({ access: await testAccess(clock) });
  const details = await send(server.port, `/api/torrents/${TORRENT}`, {
    headers: { authorization: AUTHORIZATION },
  });
  const { files, playlist_url } = JSON.parse(details.body.toString());
  stream = new URL(files[0].stream_url, "http://x").searchParams.get("token") ?? "";
  playlist = new URL(playlist_url, "http://x").searchParams.get("token") ?? "";
});
afterAll(() => server.close());

const statusOf = async (path: string, token: string, method = "GET") => {
  const separator = path.includes("?") ? "&" : "?";
  const answer = await send(server.port, `${path}${separator}token=${token}`, {
    method,
    headers: { range: "bytes=0-0" },
  });
  return answer.status;
};

test("a stream link opens its file, whatever the name behind it, and the file's info", async () => {
  const base = `/api/stream/${TORRENT}/0`;
  for (const path of [
    base,
    `${base}/`,
    `${base}/any.mkv`,
    `${base}?mode=direct`,
    base.replace(TORRENT, TORRENT.toUpperCase()),
  ]) {
    expect(await statusOf(path, stream), path).toBe(206);
    expect(await statusOf(path, stream, "HEAD"), path).toBe(206);
  }
  expect(await statusOf(`${base}/info`, stream)).toBe(200);
});

test("and what a player of it needs, one session route by POST included", async () => {
  const base = `/api/stream/${TORRENT}/0`;
  for (const path of [
    `${base}/master.m3u8`,
    `${base}/playlist.m3u8?r=v0`,
    `${base}/segment/init?r=a0`,
    `${base}/segment/12?r=v0&q=720`,
    `${base}/subtitles/1.vtt`,
    `${base}/audio_tracks`,
  ]) {
    expect(await statusOf(path, stream), path).toBe(200);
    expect(await statusOf(path, stream, "HEAD"), path).toBe(200);
    expect(await statusOf(path, playlist), path).toBe(403);
    expect(await statusOf(path, stream, "POST"), path).toBe(403);
  }
  const post = (path: string, headers: Record<string, string> = {}) =>
    send(server.port, `${path}?token=${stream}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    });
  expect((await post(`${base}/session`)).status).toBe(200);
  expect((await post(`${base}/session/s1/ping`)).status).toBe(204);
  expect((await post(`${base}/session/s1/end`)).status).toBe(204);
  // A link is no leave for pages of other sites.
  expect((await post(`${base}/session`, { origin: "http://evil.example" })).status).toBe(403);
  expect((await post(`${base}/session/s1/end`, { "sec-fetch-site": "cross-site" })).status).toBe(403);
  for (const { asker } of server.media.calls) {
    expect(asker.viewer).toStartWith("link ");
    expect(asker).toMatchObject({ torrent: TORRENT, file: 0, token: stream });
  }
});

test("and nothing else", async () => {
  const paths: [string, string, number][] = [
    ["GET", `/api/stream/${TORRENT}/1`, 403],
    ["GET", `/api/stream/${TORRENT}/1/info`, 403],
    ["GET", `/api/stream/${"cd".repeat(20)}/0`, 403],
    ["GET", `/api/torrents/${TORRENT}/playlist.m3u8`, 403],
    ["GET", `/api/torrents/${TORRENT}`, 401],
    ["GET", "/api/torrents", 401],
    ["GET", "/api/settings", 401],
    ["GET", "/api/events", 401],
    ["GET", "/", 401],
    ["POST", `/api/stream/${TORRENT}/0`, 403],
    ["DELETE", `/api/stream/${TORRENT}/0`, 403],
    ["PUT", `/api/torrents/${TORRENT}/pause`, 401],
    ["GET", `/api/stream/${TORRENT}/0/session`, 404],
    ["GET", `/api/stream/${TORRENT}/0/segment`, 404],
    ["PUT", `/api/stream/${TORRENT}/0/session`, 403],
    ["DELETE", `/api/stream/${TORRENT}/0/session/s1/end`, 403],
    ["POST", `/api/stream/${TORRENT}/0/session/s1/other`, 403],
    ["POST", `/api/stream/${TORRENT}/1/session`, 403],
    ["POST", `/api/stream/${TORRENT}/1/session/s1/end`, 403],
    ["POST", `/api/torrents/${TORRENT}/pause`, 401],
    ["GET", `/api/stream/${TORRENT}/1/master.m3u8`, 403],
    ["GET", `/api/stream/${TORRENT}/1/segment/0`, 403],
    ["GET", `/api/stream/${TORRENT}/1/subtitles/0.vtt`, 403],
    ["GET", `/api/stream/${TORRENT}/1/audio_tracks`, 403],
    ["GET", `/api/stream/${TORRENT}/0/../../../settings`, 400],
    ["GET", `/api/stream/${TORRENT}/0/%2e%2e/%2e%2e/%2e%2e/settings`, 400],
    ["GET", `/api/stream/${TORRENT}/0/..%2f..%2f..%2fsettings/info`, 404],
  ];
  for (const [method, path, status] of paths)
    expect(await statusOf(path, stream, method), `${method} ${path}`).toBe(status);
  expect(server.torrents.calls.filter(([name]) => name !== "get")).toEqual([]);
});

test("a playlist link opens the playlist, whose entries open their files", async () => {
  const path = `/api/torrents/${TORRENT}/playlist.m3u8`;
  expect(await statusOf(path, playlist)).toBe(200);
  expect(await statusOf(`/api/stream/${TORRENT}/0`, playlist)).toBe(403);
  const answer = await send(server.port, `${path}?token=${playlist}`, { headers: { host: "nas.lan:8080" } });
  const lines = answer.body.toString().trimEnd().split("\n");
  expect(lines[0]).toBe("#EXTM3U");
  expect(lines.length).toBe(1 + 2 * 3);
  for (let i = 1; i < lines.length; i += 2) {
    expect(lines[i]).toStartWith("#EXTINF:-1,");
    const url = new URL(lines[i + 1] ?? "");
    expect(url.origin).toBe("http://nas.lan:8080");
    const file = await send(server.port, url.pathname + url.search, { headers: { range: "bytes=0-0" } });
    expect(file.status, url.pathname).toBe(206);
  }
});

test("only a proxy on this machine is believed about TLS", async () => {
  const answer = await send(server.port, `/api/torrents/${TORRENT}/playlist.m3u8?token=${playlist}`, {
    headers: { host: "nas.lan", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" },
  });
  expect(answer.body.toString()).toContain("https://nas.lan/api/stream/");
  expect(answer.body.toString()).not.toContain("evil");
});

test("a page of another site may play what it was given a link for, and nothing by the credentials of the browser", async () => {
  const path = `/api/stream/${TORRENT}/0`;
  const cross = { "sec-fetch-site": "cross-site", authorization: AUTHORIZATION, range: "bytes=0-0" };
  expect((await send(server.port, `${path}?token=${stream}`, { headers: cross })).status).toBe(206);
  expect((await send(server.port, path, { headers: cross })).status).toBe(403);
  expect((await send(server.port, `${path}?token=x`, { headers: cross })).status).toBe(403);
});

test("a dead link does no harm beside credentials", async () => {
  const answer = await send(server.port, `/api/stream/${TORRENT}/0?token=v1.old.old`, {
    headers: { authorization: AUTHORIZATION, range: "bytes=0-0" },
  });
  expect(answer.status).toBe(206);
});

test("a dead link says why; a forged one learns nothing", async () => {
  const path = `/api/stream/${TORRENT}/0`;
  const own = await startServer({ clock, access: await testAccess(clock) });
  const token = own.access.issueStreamToken({ torrent: TORRENT, file: 0, viewer: "v" });
  const messageOf = async (at: string, text: string) =>
    JSON.parse((await send(own.port, `${at}?token=${text}`)).body.toString()).error.message;
  expect(await messageOf(`/api/stream/${TORRENT}/1`, token)).toBe("this link opens another file");
  expect(await messageOf(path, `${token}x`)).toBe("this is no valid link");
  clock.jumpWall(170 * 3_600_000);
  expect(await messageOf(path, token)).toBe("this link has expired");
  clock.jumpWall(-170 * 3_600_000);
  await own.access.revokeAll();
  expect(await messageOf(path, token)).toBe("this link was revoked");
  await own.close();
});

test("links end with their time and at once when they are revoked", async () => {
  const path = `/api/stream/${TORRENT}/0`;
  clock.jumpWall(170 * 3_600_000);
  expect(await statusOf(path, stream)).toBe(403);
  clock.jumpWall(-170 * 3_600_000);
  expect(await statusOf(path, stream)).toBe(206);
  const revoked = await send(server.port, "/api/settings/revoke-links", {
    method: "POST",
    headers: { authorization: AUTHORIZATION },
  });
  expect(revoked.status).toBe(204);
  expect(await statusOf(path, stream)).toBe(403);
  expect(await statusOf(`/api/torrents/${TORRENT}/playlist.m3u8`, playlist)).toBe(403);
});

test("revoking ends what links have opened, and nothing of who is logged in", async () => {
  const front = await startFront();
  front.partial.haveUntil(0);
  const openReaders = async (count: number) => {
    while (front.partial.open.length !== count) await new Promise((resolve) => setImmediate(resolve));
  };
  const token = front.access.issueStreamToken({ torrent: TORRENT, file: INCOMPLETE, viewer: "v" });
  const path = `/api/stream/${TORRENT}/${INCOMPLETE}`;
  const open = (target: string, headers: readonly string[]) => {
    const socket = connect(front.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write([`GET ${target} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n"));
    return { socket, closed: new Promise<void>((resolve) => socket.once("close", () => resolve())) };
  };
  const byLink = open(`${path}?token=${token}`, []);
  const byLogin = open(path, [`Authorization: ${AUTHORIZATION}`]);
  await openReaders(2);
  await front.access.revokeAll();
  await byLink.closed;
  await openReaders(1);
  expect(byLogin.socket.closed).toBe(false);
  byLogin.socket.destroy();
  await front.close();
});

test("an app that is asked without a verified principal answers 401 by itself", async () => {
  const front = await startFront({
    app: (request) => server.api.handle(request, { principal: null, clientAddress: "", origin: "" }),
  });
  for (const path of ["/api/torrents", "/api/settings", "/", "/api/docs/json", "/nowhere"]) {
    expect((await send(front.port, path, { headers: { authorization: AUTHORIZATION } })).status, path).toBe(
      401,
    );
  }
  await front.close();
});
