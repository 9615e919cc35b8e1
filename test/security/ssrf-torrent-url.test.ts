// QUALITY B4 #11: a link to a .torrent that somebody sent to the user must not ask services of our own network.

import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../src/base/clock.ts";
import { TorrxError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { fetchTorrentUrl } from "../../src/swarm/egress/fetch-torrent-url.ts";
import { nodeHttpGet } from "../../src/swarm/egress/node-http-get.ts";
import type { Dns, HttpGet } from "../../src/swarm/ports.ts";
import { always, endless, httpVictim, redirectTo } from "../support/http-victim.ts";
import { errorOf } from "../support/stepped-clock.ts";

const PUBLIC = "1.2.3.4";
const signal = new AbortController().signal;

const http: HttpGet = {
  get: (request) =>
    nodeHttpGet.get({
      ...request,
      pinnedAddress: request.pinnedAddress === PUBLIC ? "127.0.0.1" : request.pinnedAddress,
    }),
};
const publicDns: Dns = { resolve: () => Promise.resolve([PUBLIC]) };

function fetchIt(url: string, { allowPrivate = false, dns = publicDns } = {}): Promise<Uint8Array> {
  return fetchTorrentUrl({ http, dns, clock: systemClock }, url, { allowPrivate, signal });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await errorOf(promise);
  expect(error).toBeInstanceOf(TorrxError);
  return (error as TorrxError).code;
}

describe("SSRF by links to .torrent files (#11)", () => {
  test("a public link is fetched, gzip or not", async () => {
    await using plain = await httpVictim(always("d4:infodee"));
    expect(Buffer.from(await fetchIt(`http://site.test:${plain.port}/x.torrent`)).toString()).toBe(
      "d4:infodee",
    );
    await using packed = await httpVictim(always(gzipSync("d4:infodee"), "Content-Encoding: gzip\r\n"));
    expect(Buffer.from(await fetchIt(`http://site.test:${packed.port}/x.torrent`)).toString()).toBe(
      "d4:infodee",
    );
  });

  test("private and loopback hosts only with allow_private_urls", async () => {
    await using victim = await httpVictim(always("private"));
    const loopbackDns: Dns = { resolve: () => Promise.resolve(["127.0.0.1"]) };
    for (const host of ["127.0.0.1", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0", "evil.test"]) {
      const url = `http://${host}:${victim.port}/announce/x.torrent`;
      expect(await codeOf(fetchIt(url, { dns: loopbackDns }))).toBe("bad_request");
      const refusal = fetchIt(url, { dns: loopbackDns });
      await expect(refusal).rejects.toThrow("torrent.allow_private_urls allows links into private networks.");
    }
    expect(victim.connections()).toBe(0);
    const got = await fetchIt(`http://lan.test:${victim.port}/x`, { allowPrivate: true, dns: loopbackDns });
    expect(Buffer.from(got).toString()).toBe("private");
    expect(await codeOf(fetchIt("http://169.254.169.254/", { allowPrivate: true }))).toBe("bad_request");
  });

  test("a public host cannot redirect to a private one, even with allow_private_urls", async () => {
    await using victim = await httpVictim(always("private"));
    for (const place of [`http://127.0.0.1:${victim.port}/`, "http://169.254.169.254/", "http://10.0.0.1/"]) {
      await using hostile = await httpVictim(redirectTo(place));
      for (const allowPrivate of [false, true]) {
        expect(await codeOf(fetchIt(`http://evil.test:${hostile.port}/x`, { allowPrivate }))).toBe(
          "bad_request",
        );
      }
    }
    expect(victim.connections()).toBe(0);
  });

  test.each(["file:///etc/passwd", "ftp://site.test/x", "magnet:?xt=urn:btih:0", "", "x", "http://"])(
    "%p is refused",
    async (url) => {
      expect(await codeOf(fetchIt(url))).toBe("bad_request");
    },
  );

  test("no error quotes what the host answered", async () => {
    const answers = [
      "HTTP/1.1 500 canary\r\nContent-Length: 6\r\n\r\ncanary",
      "canary nonsense\r\n\r\n",
      "HTTP/1.1 302 F\r\nLocation: http://canary:99999/\r\n\r\n",
    ];
    for (const answer of answers) {
      await using server = await httpVictim((socket) => socket.end(answer));
      const error = await errorOf(fetchIt(`http://site.test:${server.port}/x`));
      expect(error.message).toStartWith("The link ");
      expect(error.message).not.toContain("canary");
    }
  });

  test("more than 32 MiB, declared, endless or unpacked, is too large", async () => {
    const limit = LIMITS.metainfo.torrentFileBytes;
    await using declared = await httpVictim((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${limit + 1}\r\n\r\nx`),
    );
    expect(await codeOf(fetchIt(`http://site.test:${declared.port}/`))).toBe("too_large");
    await using open = await httpVictim(endless("HTTP/1.1 200 OK\r\n\r\n", Buffer.alloc(1 << 20)));
    expect(await codeOf(fetchIt(`http://site.test:${open.port}/`))).toBe("too_large");
    const bomb = gzipSync(Buffer.alloc(limit + 1));
    await using packed = await httpVictim(always(bomb, "Content-Encoding: gzip\r\n"));
    expect(await codeOf(fetchIt(`http://site.test:${packed.port}/`))).toBe("too_large");
  });
});
