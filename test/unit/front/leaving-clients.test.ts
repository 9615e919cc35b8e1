import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { send } from "../../support/api-client.ts";
import {
  AUTHORIZATION,
  COMPLETE,
  contentAt,
  INCOMPLETE,
  LENGTH,
  startFront,
  type TestFront,
  TORRENT,
  testStreams,
} from "../../support/api-front.ts";
import { readCold, readWarmUntil } from "../../support/cached-reads.ts";

let front: TestFront;
let coldFront: TestFront;
beforeAll(async () => {
  front = await startFront();
  coldFront = await startFront({ readCached: readCold });
});
afterAll(async () => {
  await front.close();
  await coldFront.close();
});

const pathOf = (file: number) => `/api/stream/${TORRENT}/${file}`;

describe("clients that stop or leave", () => {
  const openSocket = (file: number, from = front): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = connect(from.port, "127.0.0.1");
      socket.on("error", reject);
      socket.write(
        `GET ${pathOf(file)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`,
      );
      socket.once("data", (part) => {
        socket.pause();
        socket.unshift(part);
        resolve(socket);
      });
    });
  const openFiles = () => readdirSync("/proc/self/fd").length;

  test("a paused player that goes on has lost nothing", async () => {
    for (const [file, from] of [
      [COMPLETE, front],
      [COMPLETE, coldFront],
      [INCOMPLETE, front],
    ] as const) {
      const socket = await openSocket(file, from);
      await Bun.sleep(1_000);
      const hash = createHash("sha256");
      let lengthBytes = 0;
      await new Promise<void>((resolve) => {
        let isHead = true;
        socket.on("data", (part: Buffer) => {
          const body = isHead ? part.subarray(part.indexOf("\r\n\r\n") + 4) : part;
          isHead = false;
          hash.update(body);
          lengthBytes += body.length;
          if (lengthBytes === LENGTH) resolve();
        });
        socket.resume();
      });
      socket.destroy();
      expect(hash.digest("hex")).toBe(createHash("sha256").update(contentAt(0, LENGTH)).digest("hex"));
    }
  });

  test("a slow client slows its source down, and what it gets is whole", async () => {
    const lengthBytes = 40 * 1024 * 1024;
    const streams = testStreams(lengthBytes);
    const large = await startFront({ streams });
    const halfCold = await startFront({ streams, readCached: readWarmUntil(10_000_001) });
    const expected = contentAt(0, lengthBytes);
    for (const [file, from] of [
      [COMPLETE, large],
      [COMPLETE, halfCold],
      [INCOMPLETE, large],
    ] as const) {
      const socket = connect(from.port, "127.0.0.1");
      socket.write(
        `GET ${pathOf(file)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`,
      );
      let at = -1;
      let wrong = 0;
      let pauses = 0;
      await new Promise<void>((resolve, reject) => {
        socket.on("error", reject);
        socket.on("data", (part: Buffer) => {
          const body = at < 0 ? part.subarray(part.indexOf("\r\n\r\n") + 4) : part;
          at = Math.max(at, 0);
          if (!body.equals(expected.subarray(at, at + body.length))) wrong++;
          at += body.length;
          if (at === lengthBytes) resolve();
          if (at < (pauses + 1) * 4 * 1024 * 1024) return;
          pauses++;
          socket.pause();
          setTimeout(() => {
            // What sockets of the system may hold, and one chunk.
            if (file === INCOMPLETE) expect(large.partial.givenBytes - at).toBeLessThan(12 * 1024 * 1024);
            socket.resume();
          }, 60);
        });
      });
      socket.destroy();
      expect([wrong, pauses]).toEqual([0, 10]);
    }
    await large.close();
    await halfCold.close();
  }, 20_000);

  test("a client that leaves while a piece is waited for frees its reader at once", async () => {
    front.partial.haveUntil(0);
    const socket = connect(front.port, "127.0.0.1");
    socket.write(
      `GET ${pathOf(INCOMPLETE)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`,
    );
    while (front.partial.open.length === 0) await Bun.sleep(1);
    const leftAtMs = performance.now();
    socket.destroy();
    while (front.partial.open.length > 0) await Bun.sleep(1);
    expect(performance.now() - leftAtMs).toBeLessThan(1_000);
    front.partial.haveUntil(LENGTH);
  });

  test("requests that wait behind another of their connection end with it", async () => {
    const ask = (file: number) =>
      `GET ${pathOf(file)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\nRange: bytes=0-9\r\n\r\n`;
    front.partial.haveUntil(0);
    const socket = connect(front.port, "127.0.0.1");
    socket.write(ask(INCOMPLETE) + ask(COMPLETE).repeat(16));
    while (front.partial.open.length === 0) await Bun.sleep(1);
    const get = () =>
      send(front.port, pathOf(COMPLETE), { headers: { authorization: AUTHORIZATION, range: "bytes=0-9" } });
    const all = async () => (await Promise.all(Array.from({ length: 16 }, get))).map(({ status }) => status);
    // They take nobody's place before it is their turn.
    expect(await all()).toEqual(Array(16).fill(206));
    socket.destroy();
    while (front.partial.open.length > 0) await Bun.sleep(1);
    expect(await all()).toEqual(Array(16).fill(206));
    front.partial.haveUntil(LENGTH);
  });

  test("1,000 connect-and-abort cycles leave no reader and no descriptor open", async () => {
    await openSocket(COMPLETE).then((socket) => socket.destroy());
    await Bun.sleep(50);
    const before = openFiles();
    for (let round = 0; round < 50; round++) {
      const sockets = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          openSocket(i % 2 === 0 ? COMPLETE : INCOMPLETE, i % 3 === 0 ? coldFront : front).catch(() => null),
        ),
      );
      expect(sockets.filter((socket) => socket !== null).length).toBeGreaterThan(0);
      for (const [i, socket] of sockets.entries()) {
        if (i % 4 < 2) socket?.destroy();
        else socket?.resetAndDestroy();
      }
    }
    const endMs = performance.now() + 3_000;
    while ((front.partial.open.length > 0 || openFiles() > before) && performance.now() < endMs)
      await Bun.sleep(5);
    expect(front.partial.open).toEqual([]);
    expect(openFiles()).toBeLessThanOrEqual(before);
  }, 20_000);
});
