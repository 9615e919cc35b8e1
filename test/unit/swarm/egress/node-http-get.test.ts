import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../../../src/base/clock.ts";
import { EgressError, type EgressFault } from "../../../../src/swarm/egress/egress-error.ts";
import { createNodeHttpGet, nodeHttpGet } from "../../../../src/swarm/egress/node-http-get.ts";
import { always, endless, httpVictim, redirectTo } from "../../../support/http-victim.ts";

const TLS = join(import.meta.dir, "../../../fixtures/tls");
const KIB = 1024;

function get(
  url: string,
  options: { maxBytes?: number; timeoutMs?: number; signal?: AbortSignal } = {},
  http = nodeHttpGet,
) {
  return http.get({
    url: new URL(url),
    pinnedAddress: "127.0.0.1",
    timeoutMs: options.timeoutMs ?? 3000,
    maxBytes: options.maxBytes ?? 64 * KIB,
    signal: options.signal ?? new AbortController().signal,
  });
}

async function faultOf(promise: Promise<unknown>): Promise<EgressFault> {
  const error = await promise.then(
    () => null,
    (caught) => caught,
  );
  expect(error).toBeInstanceOf(EgressError);
  return (error as EgressError).fault;
}

describe("GET over node:http", () => {
  test("goes to the pinned address with the name as Host and the query as it was", async () => {
    await using server = await httpVictim(always("hi"));
    const answer = await get(`http://tracker.test:${server.port}/announce?info_hash=%00%FF~&x=a%20b`);
    expect(answer).toMatchObject({ status: 200, location: null });
    expect(Buffer.from(answer.body).toString()).toBe("hi");
    const [head = ""] = server.heads;
    expect(head).toStartWith("GET /announce?info_hash=%00%FF~&x=a%20b HTTP/1.1\r\n");
    expect(head).toContain(`\r\nHost: tracker.test:${server.port}\r\n`);
    expect(head).not.toMatch(/cookie|referer|bun/i);
  });

  test("sends a user and password that stand in the URL, and refuses malformed ones", async () => {
    await using server = await httpVictim(always("hi"));
    await get(`http://us%65r:p%40ss@tracker.test:${server.port}/`);
    expect(server.heads[0]).toContain(`Authorization: Basic ${btoa("user:p@ss")}`);
    expect(await faultOf(get(`http://a%zz@tracker.test:${server.port}/`))).toBe("bad_url");
  });

  test("a proxy in the environment is not asked: it would resolve the name anew", async () => {
    await using server = await httpVictim(always("hi"));
    await using proxy = await httpVictim(always("proxied"));
    const before = process.env["http_proxy"];
    process.env["http_proxy"] = `http://127.0.0.1:${proxy.port}`;
    try {
      await get(`http://tracker.test:${server.port}/`);
    } finally {
      if (before === undefined) delete process.env["http_proxy"];
      else process.env["http_proxy"] = before;
    }
    expect([server.connections(), proxy.connections()]).toEqual([1, 0]);
  });

  test("does not follow redirects", async () => {
    await using server = await httpVictim(redirectTo("http://127.0.0.1:1/"));
    expect(await get(`http://tracker.test:${server.port}/`)).toMatchObject({
      status: 302,
      location: "http://127.0.0.1:1/",
    });
    expect(server.connections()).toBe(1);
  });

  test("unpacks gzip up to the cap", async () => {
    const plain = Buffer.alloc(64 * KIB, "a");
    await using server = await httpVictim(always(gzipSync(plain), "Content-Encoding: gzip\r\n"));
    expect((await get(`http://t.test:${server.port}/`)).body.length).toBe(64 * KIB);
    expect(await faultOf(get(`http://t.test:${server.port}/`, { maxBytes: 64 * KIB - 1 }))).toBe("too_large");
  });

  test("a gzip bomb costs the cap and no more", async () => {
    const bomb = gzipSync(Buffer.alloc(200 * KIB * KIB), { level: 9 });
    await using server = await httpVictim(always(bomb, "Content-Encoding: gzip\r\n"));
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    expect(await faultOf(get(`http://t.test:${server.port}/`, { maxBytes: KIB * KIB }))).toBe("too_large");
    expect(process.memoryUsage().rss - before).toBeLessThan(16 * KIB * KIB);
  });

  test("the cap holds at the limit and one past it, declared or not", async () => {
    await using declared = await httpVictim(always(Buffer.alloc(1000)));
    expect((await get(`http://t.test:${declared.port}/`, { maxBytes: 1000 })).body.length).toBe(1000);
    expect(await faultOf(get(`http://t.test:${declared.port}/`, { maxBytes: 999 }))).toBe("too_large");
    await using open = await httpVictim((socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(1000)}`));
    expect((await get(`http://t.test:${open.port}/`, { maxBytes: 1000 })).body.length).toBe(1000);
    expect(await faultOf(get(`http://t.test:${open.port}/`, { maxBytes: 999 }))).toBe("too_large");
  });

  test("an endless body or endless headers are cut", async () => {
    await using body = await httpVictim(endless("HTTP/1.1 200 OK\r\n\r\n", Buffer.alloc(64 * KIB)));
    expect(await faultOf(get(`http://t.test:${body.port}/`))).toBe("too_large");
    await using headers = await httpVictim(
      endless("HTTP/1.1 200 OK\r\n", Buffer.from(`X-A: ${"a".repeat(1000)}\r\n`)),
    );
    expect(await faultOf(get(`http://t.test:${headers.port}/`))).toBe("bad_answer");
  });

  test("a server that says nothing, or drips, is left after the time limit", async () => {
    await using silent = await httpVictim(() => undefined);
    expect(await faultOf(get(`http://t.test:${silent.port}/`, { timeoutMs: 50 }))).toBe("timed_out");
    await using dripping = await httpVictim((socket) =>
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"),
    );
    expect(await faultOf(get(`http://t.test:${dripping.port}/`, { timeoutMs: 50 }))).toBe("timed_out");
  });

  test("an abort ends it", async () => {
    await using silent = await httpVictim(() => controller.abort());
    const controller = new AbortController();
    expect(await faultOf(get(`http://t.test:${silent.port}/`, { signal: controller.signal }))).toBe(
      "aborted",
    );
  });

  test("garbage, half an answer and unknown encodings are bad answers; a closed port is no connection", async () => {
    await using garbage = await httpVictim((socket) => socket.end("\0\u0001nonsense\r\n\r\n"));
    expect(await faultOf(get(`http://t.test:${garbage.port}/`))).toBe("bad_answer");
    await using half = await httpVictim((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhi"),
    );
    expect(await faultOf(get(`http://t.test:${half.port}/`))).toBe("bad_answer");
    await using brotli = await httpVictim(always("x", "Content-Encoding: br\r\n"));
    expect(await faultOf(get(`http://t.test:${brotli.port}/`))).toBe("bad_answer");
    await using torn = await httpVictim(always("not gzip", "Content-Encoding: gzip\r\n"));
    expect(await faultOf(get(`http://t.test:${torn.port}/`))).toBe("bad_answer");
    const port = garbage.port;
    await garbage[Symbol.asyncDispose]();
    expect(await faultOf(get(`http://t.test:${port}/`))).toBe("connect_failed");
  });
});

describe("GET over TLS", () => {
  const ca = readFileSync(join(TLS, "ca.crt"), "utf8");
  const options = {
    key: readFileSync(join(TLS, "tracker.test.key")),
    cert: readFileSync(join(TLS, "tracker.test.crt")),
  };

  test("the certificate is checked against the URL's name, whatever address is pinned", async () => {
    const names: unknown[] = [];
    const server = createServer(options, (request, response) => {
      names.push(request.headers.host);
      response.end("secret");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const { port } = server.address() as AddressInfo;
    try {
      const trusting = createNodeHttpGet({ clock: systemClock, ca });
      const answer = await get(`https://tracker.test:${port}/`, {}, trusting);
      expect(Buffer.from(answer.body).toString()).toBe("secret");
      expect(await faultOf(get(`https://other.test:${port}/`, {}, trusting))).toBe("bad_certificate");
      expect(await faultOf(get(`https://127.0.0.1:${port}/`, {}, trusting))).toBe("bad_certificate");
      // Without the authority: an unknown signer, as a self-made certificate is.
      expect(await faultOf(get(`https://tracker.test:${port}/`))).toBe("bad_certificate");
      expect(names).toEqual([`tracker.test:${port}`]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
