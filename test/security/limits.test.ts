// QUALITY B4 #2, #6, #18: malformed and oversized requests, floods of logins; nobody else is disturbed.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { LIMITS } from "../../src/base/limits.ts";
import { basicHeader, type RawAnswer, send, sendRaw } from "../support/api-client.ts";
import { AUTHORIZATION, TORRENT } from "../support/api-front.ts";
import { startServer, type TestServer } from "../support/api-services.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const codeOf = (answer: RawAnswer) => JSON.parse(answer.body.toString()).error.code;

test("B4 #2: Host over a raw socket", async () => {
  const table: [string, number][] = [
    ["Host: localhost\r\n", 200],
    ["Host: 10.0.0.1\r\n", 200],
    ["Host: [::1]:8080\r\n", 200],
    ["Host: evil.com\r\n", 421],
    ["Host: a, b\r\n", 400],
    ["Host: a@b:99/x\r\n", 400],
    ["Host: \r\n", 400],
    [`Host: ${"a".repeat(300)}\r\n`, 400],
    ["", 400],
    ["Host: localhost\r\nHost: localhost\r\n", 400],
    ["Host: localhost\r\nhost: evil.com\r\n", 400],
    ["Host: evil.com\r\nHost: localhost\r\n", 400],
    ["Host: localhost\r\nX-Forwarded-Host: evil.com\r\n", 200],
  ];
  for (const [lines, status] of table) {
    const answer = await sendRaw(
      server.port,
      `GET /api/health HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`,
    );
    expect(answer.status, lines.slice(0, 60)).toBe(status);
    expect(answer.headers.get("content-security-policy"), lines.slice(0, 60)).toContain("default-src 'none'");
  }
  const old = await sendRaw(server.port, "GET /api/health HTTP/1.0\r\n\r\n");
  expect(old.status).toBe(200);
});

test("headers up to 16 KiB pass, longer ones are 431, and what is no HTTP is 400", async () => {
  const ask = (length: number) =>
    sendRaw(
      server.port,
      `GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ${"a".repeat(length)}\r\n\r\n`,
    );
  expect((await ask(LIMITS.http.headerBytes - 200)).status).toBe(200);
  for (const bad of [
    await ask(LIMITS.http.headerBytes + 1),
    await sendRaw(server.port, "\x16\x03\x01\x02\r\n\r\n"),
  ]) {
    expect([400, 431]).toContain(bad.status);
    expect(codeOf(bad)).toBe("bad_request");
    expect(bad.headers.get("x-content-type-options")).toBe("nosniff");
  }
  expect((await ask(LIMITS.http.headerBytes + 1)).status).toBe(431);
  const smuggled =
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  expect((await sendRaw(server.port, smuggled)).status).toBe(400);
});

test("bodies: at the limit accepted, one byte more 413, announced or not", async () => {
  const json = (length: number) => `{"magnet":"m"${" ".repeat(length - 14)}}`;
  const headers = { authorization: AUTHORIZATION, "content-type": "application/json" };
  const post = (body: string | Buffer, more = headers) =>
    send(server.port, "/api/torrents", { method: "POST", headers: more, body });
  expect((await post(json(LIMITS.http.jsonBytes))).status).toBe(201);
  const over = await post(json(LIMITS.http.jsonBytes + 1));
  expect([over.status, codeOf(over)]).toEqual([413, "too_large"]);
  const chunked = Buffer.concat([
    Buffer.from(
      `POST /api/torrents HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n` +
        `Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${(LIMITS.http.jsonBytes + 1).toString(16)}\r\n`,
    ),
    Buffer.alloc(LIMITS.http.jsonBytes + 1, 0x20),
    Buffer.from("\r\n0\r\n\r\n"),
  ]);
  expect((await sendRaw(server.port, chunked)).status).toBe(413);
  const upload = (length: number) =>
    Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="torrent"; filename="x"\r\n\r\n'),
      Buffer.alloc(length),
      Buffer.from("\r\n--b--\r\n"),
    ]);
  const form = { ...headers, "content-type": "multipart/form-data; boundary=b" };
  server.torrents.calls.length = 0;
  expect((await post(upload(LIMITS.metainfo.torrentFileBytes), form)).status).toBe(201);
  expect(server.torrents.calls[0]?.[1]).toHaveLength(LIMITS.metainfo.torrentFileBytes);
  const huge = await post(Buffer.alloc(100 * 1024 * 1024), form);
  expect([huge.status, codeOf(huge)]).toEqual([413, "too_large"]);
  expect((await post(Buffer.alloc(100 * 1024 * 1024), { ...form, authorization: "x" })).status).toBe(401);
}, 20_000);

test("an unread body is never taken for the next request", async () => {
  const inner = "GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const answer = await sendRaw(
    server.port,
    `POST /api/torrents HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
  );
  expect(answer.raw.toString("latin1").split("HTTP/1.1 ").length).toBe(2);
  expect(answer.status).toBe(401);
});

test("B4 #6: 1,000 wrong logins are rate-limited and disturb neither a session nor health", async () => {
  const auth = { authorization: AUTHORIZATION };
  expect((await send(server.port, "/api/settings", { headers: auth })).status).toBe(200);
  const cpuBefore = process.cpuUsage();
  const counts = new Map<number, number>();
  let slowestMs = 0;
  for (let round = 0; round < 20; round++) {
    const bad = Array.from({ length: 50 }, (_, i) =>
      send(server.port, "/api/settings", {
        headers: { authorization: basicHeader("admin", `guess ${round} ${i}`) },
      }),
    );
    const startMs = performance.now();
    const [good, health] = await Promise.all([
      send(server.port, "/api/settings", { headers: auth }),
      send(server.port, "/api/health"),
    ]);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    expect([good.status, health.status]).toEqual([200, 200]);
    for (const answer of await Promise.all(bad)) {
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
      if (answer.status === 429) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
  }
  const cpuMs = process.cpuUsage(cpuBefore).user / 1_000;
  expect(counts.get(401) ?? 0).toBeLessThanOrEqual(20);
  expect(counts.get(429) ?? 0).toBeGreaterThanOrEqual(980);
  expect(slowestMs).toBeLessThan(1_500);
  expect(cpuMs).toBeLessThan(8_000);
}, 30_000);

interface Idle {
  readonly socket: Socket;
  isOpen: boolean;
  text: string;
}

function openIdle(port: number, first = ""): Promise<Idle> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const idle: Idle = { socket, isOpen: true, text: "" };
    socket.on("data", (part) => {
      idle.text += part.toString("latin1");
    });
    socket.on("close", () => {
      idle.isOpen = false;
    });
    socket.on("error", () => undefined);
    socket.on("connect", () => resolve(idle));
    if (first !== "") socket.write(first);
  });
}

async function within(ms: number, isTrue: () => boolean): Promise<boolean> {
  const endMs = performance.now() + ms;
  while (!isTrue() && performance.now() < endMs) await Bun.sleep(5);
  return isTrue();
}

test("silent connections above the limit push each other out, and nobody else", async () => {
  const own = await startServer();
  const events = `GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`;
  const busy = await openIdle(own.port, events);
  expect(await within(2_000, () => busy.text.includes("snapshot"))).toBe(true);
  const count = LIMITS.http.connections + 100;
  const idle = await Promise.all(Array.from({ length: count }, () => openIdle(own.port, "GET / HT")));
  expect(await within(3_000, () => idle.filter(({ isOpen }) => !isOpen).length >= 101)).toBe(true);
  for (let i = 0; i < 5; i++) expect((await send(own.port, "/api/health")).status).toBe(200);
  expect(busy.isOpen).toBe(true);
  expect(idle.filter(({ isOpen }) => isOpen).length).toBeGreaterThan(LIMITS.http.connections - 20);
  for (const { socket } of [busy, ...idle]) socket.destroy();
  await own.close();
}, 15_000);

test("B4 #18: headers that never end are cut after ten seconds, and health answers meanwhile", async () => {
  const slow = await Promise.all(
    Array.from({ length: 50 }, () => openIdle(server.port, "GET / HTTP/1.1\r\nHost: local")),
  );
  const drip = setInterval(() => {
    for (const { socket, isOpen } of slow) if (isOpen) socket.write("x");
  }, 500);
  expect((await send(server.port, "/api/health")).status).toBe(200);
  const isCut = await within(14_000, () => slow.every(({ isOpen }) => !isOpen));
  clearInterval(drip);
  expect(isCut).toBe(true);
  expect(slow[0]?.text).toContain("408");
}, 20_000);

test("an upload that breaks off harms nothing", async () => {
  const head = `POST /api/torrents HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n`;
  const calls = server.torrents.calls.length;
  for (let i = 0; i < 20; i++) {
    const half = await openIdle(
      server.port,
      `${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"magnet`,
    );
    half.socket.destroy();
  }
  expect((await send(server.port, "/api/health")).status).toBe(200);
  expect(server.torrents.calls.length).toBe(calls);
});

test("B4 #18: 1-byte ranges by the thousand and ranges by the hundred cost one answer each", async () => {
  const many = `bytes=${Array.from({ length: 500 }, (_, i) => `${i}-${i}`).join(",")}`;
  const headers = { authorization: AUTHORIZATION };
  const answer = await send(server.port, `/api/stream/${TORRENT}/0`, {
    method: "HEAD",
    headers: { ...headers, range: many },
  });
  expect(answer.status).toBe(200);
  const request = `GET /api/stream/${TORRENT}/0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\nRange: bytes=7-7\r\n`;
  const { raw } = await sendRaw(
    server.port,
    `${`${request}\r\n`.repeat(999)}${request}Connection: close\r\n\r\n`,
  );
  const statuses = [...raw.toString("latin1").matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
  // However they are sent, they are answered one after the other.
  expect(statuses.length).toBe(1_000);
  expect(new Set(statuses)).toEqual(new Set(["206"]));
  const after = await send(server.port, `/api/stream/${TORRENT}/0`, {
    headers: { ...headers, range: "bytes=7-7" },
  });
  expect(after.status).toBe(206);
});
