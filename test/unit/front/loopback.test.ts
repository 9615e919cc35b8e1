// Programs of ours on the byte path: who may come in by their token, for whom they read, and when they are cut off.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import type { InfoHash } from "../../../src/base/brand.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { ownOrigin } from "../../../src/front/loopback.ts";
import { LoopbackInputs } from "../../../src/services/media/loopback-inputs.ts";
import { send } from "../../support/api-client.ts";
import {
  COMPLETE,
  contentAt,
  INCOMPLETE,
  startFront,
  type TestFront,
  TORRENT,
} from "../../support/api-front.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const VIEWER = { viewer: "somebody", clientAddress: "192.0.2.7" };
const SIX_HOURS_MS = 6 * 3_600_000;

let front: TestFront;
let clock: FakeClock;
let inputs: LoopbackInputs;

beforeAll(async () => {
  clock = new FakeClock();
  inputs = new LoopbackInputs({ clock, random: systemRandom, origin: () => front.ownOrigin });
  front = await startFront({ loopback: inputs });
  front.partial.haveUntil(100_000);
});
afterAll(() => front.close());

const open = (file = INCOMPLETE) => inputs.open({ torrent: TORRENT, file }, VIEWER);
const pathOf = (url: string) => url.slice(front.ownOrigin.length);
const ask = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  send(front.port, path, { method, headers: { range: "bytes=0-9", ...headers } });

async function openReaders(count: number): Promise<void> {
  while (front.partial.open.length !== count) await new Promise((resolve) => setImmediate(resolve));
}

describe("an input", () => {
  test("gives ranges of its file without a login, complete or not", async () => {
    for (const file of [COMPLETE, INCOMPLETE]) {
      const input = open(file);
      const response = await fetch(input.url, { headers: { range: "bytes=1000-1999" } });
      expect(response.status).toBe(206);
      expect(Buffer.from(await response.arrayBuffer()).equals(contentAt(1_000, 2_000))).toBe(true);
      input.close();
    }
  });

  test("opens no other file, no other route and no command", async () => {
    const input = open();
    const token = new URL(input.url).searchParams.get("token")!;
    const base = `/api/stream/${TORRENT}`;
    const other = "cd".repeat(20) as InfoHash;
    expect((await ask(`${base}/${INCOMPLETE}/a%20name.mp4?token=${token}`)).status).toBe(206);
    for (const path of [
      `${base}/${COMPLETE}?token=${token}`,
      `/api/stream/${other}/${INCOMPLETE}?token=${token}`,
      `${base}/${INCOMPLETE}/info?token=${token}`,
      `${base}/${INCOMPLETE}/master.m3u8?token=${token}`,
      `${base}/${INCOMPLETE}/segment/0?token=${token}`,
      `/api/torrents/${TORRENT}/playlist.m3u8?token=${token}`,
    ]) {
      expect((await ask(path)).status, path).toBe(403);
    }
    expect((await ask(`/api/torrents?token=${token}`)).status).toBe(401);
    expect((await ask(`${base}/${INCOMPLETE}/session?token=${token}`, {}, "POST")).status).toBe(403);
    input.close();
  });

  test("is of no use after its end, after its hours, with a turned bit, or in another process", async () => {
    const closed = open();
    closed.close();
    const expired = open();
    clock.advance(SIX_HOURS_MS + 120_000);
    const held = open();
    const foreign = new LoopbackInputs({ clock, random: systemRandom, origin: () => front.ownOrigin });
    const turned = held.url.slice(0, -1) + (held.url.endsWith("A") ? "B" : "A");
    for (const url of [
      closed.url,
      expired.url,
      turned,
      foreign.open({ torrent: TORRENT, file: 1 }, VIEWER).url,
    ]) {
      expect((await ask(pathOf(url))).status).toBe(403);
    }
    expect((await ask(pathOf(held.url))).status).toBe(206);
    held.close();
  });

  test("does not hold for what a proxy on this machine brings in", async () => {
    const input = open();
    expect((await ask(pathOf(input.url), { "x-forwarded-for": "203.0.113.9" })).status).toBe(403);
    expect((await ask(pathOf(input.url), { forwarded: "for=203.0.113.9" })).status).toBe(403);
    input.close();
  });

  test("reads for its viewer, and its connections end with it, also in the middle of a wait", async () => {
    const input = open();
    const socket = connect(front.port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    // The end is seen behind the headers.
    socket.resume();
    socket.write(`GET ${pathOf(input.url)} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=200000-\r\n\r\n`);
    await openReaders(1);
    expect(front.partial.open[0]).toMatchObject({ ...VIEWER, file: INCOMPLETE, startBytes: 200_000 });
    input.close();
    await closed;
    await openReaders(0);
  });

  test("is not ended by the revoking of links", async () => {
    const input = open();
    await front.access.revokeAll();
    expect((await ask(pathOf(input.url))).status).toBe(206);
    input.close();
  });

  test("many connections of one viewer are one stream", async () => {
    const input = open();
    const sockets = Array.from({ length: 12 }, () => {
      const socket = connect(front.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(`GET ${pathOf(input.url)} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=200000-\r\n\r\n`);
      return socket;
    });
    await openReaders(12);
    expect(new Set(front.partial.open.map(({ viewer }) => viewer)).size).toBe(1);
    for (const socket of sockets) socket.destroy();
    await openReaders(0);
    input.close();
  });
});

test("where the front is bound decides how this machine reaches it", () => {
  expect(ownOrigin({ address: "0.0.0.0", port: 1 })).toBe("http://127.0.0.1:1");
  expect(ownOrigin({ address: "::", port: 2 })).toBe("http://127.0.0.1:2");
  expect(ownOrigin({ address: "::1", port: 3 })).toBe("http://[::1]:3");
  expect(ownOrigin({ address: "192.0.2.1", port: 4 })).toBe("http://192.0.2.1:4");
});
