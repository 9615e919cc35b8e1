// Parts of films, from the store of segments through the front, to clients that read and clients that do not.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import { partBody } from "../../../src/api/routes/part-body.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { nodeSegmentDisk, SegmentStore } from "../../../src/media/index.ts";
import { StoredParts } from "../../../src/services/media/parts.ts";
import type { RenditionOrder } from "../../../src/services/media/ports.ts";
import { send } from "../../support/api-client.ts";
import { AUTHORIZATION, startFront, type TestFront, TORRENT } from "../../support/api-front.ts";
import { tmpFolder } from "../../support/tmp.ts";

const MIB = 1024 * 1024;
const LENGTH = 7 * MIB + 123;
const MOST_GROWTH_BYTES = 64 * MIB;
const ORDER = { kind: "video", name: "film/v0" } as RenditionOrder;
const PATH = `/api/stream/${TORRENT}/0/segment/`;

const shaOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function ask(path: string, more = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n${more}\r\n`;
}

describe("parts of films", () => {
  let front: TestFront;
  let store: SegmentStore;
  /** Answers begun, and those begun but not over. */
  let begun = 0;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    store = new SegmentStore({
      disk: nodeSegmentDisk(tmpFolder("parts")),
      clock: systemClock,
      random: seededRandom(3),
      log: silentLog,
    });
    await store.start();
    for (const n of [0, 1]) await store.put(`film/v0/${n}`, new Uint8Array(seededRandom(n).bytes(LENGTH)));
    const parts = new StoredParts({ open: (key) => store.open(key), clock: systemClock });
    front = await startFront({
      app: async (request) => {
        begun++;
        const { pathname } = new URL(request.url);
        if (pathname === "/api/large") return new Response(new Uint8Array(3 * MIB).fill(7));
        const part = await parts.part(ORDER, Number(pathname.slice(PATH.length)), new Uint8Array());
        return new Response(partBody(part), { headers: { "content-length": String(part.lengthBytes) } });
      },
    });
  });
  beforeEach(() => {
    begun = 0;
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await front.close();
    await store.close();
  });

  /** Never reads. */
  async function silent(text: string): Promise<Socket> {
    const socket = connect(front.port, "127.0.0.1");
    socket.pause().on("error", () => undefined);
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.write(text, () => resolve()));
    return socket;
  }

  async function growthOf(work: () => Promise<unknown>): Promise<number> {
    Bun.gc(true);
    const beforeBytes = process.memoryUsage.rss();
    let mostBytes = 0;
    await work();
    // Long enough for everything that would be made ahead of its clients.
    for (let i = 0; i < 20; i++) {
      await Bun.sleep(50);
      mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
    }
    return mostBytes - beforeBytes;
  }

  const get = (path: string, method = "GET") =>
    send(front.port, path, { method, headers: { authorization: AUTHORIZATION } });

  test("arrive whole, and HEAD tells their length without them", async () => {
    const { status, headers, body } = await get(`${PATH}1`);
    expect([status, headers.get("content-length")]).toEqual([200, String(LENGTH)]);
    expect(shaOf(body)).toBe(shaOf(seededRandom(1).bytes(LENGTH)));
    const head = await get(`${PATH}1`, "HEAD");
    expect([head.status, head.headers.get("content-length"), head.body.length]).toEqual([
      200,
      String(LENGTH),
      0,
    ]);
  });

  test("a hundred asked for on one connection that does not read are answered one at a time", async () => {
    let socket: Socket | null = null;
    const grownBytes = await growthOf(async () => {
      socket = await silent(ask(`${PATH}0`).repeat(99) + ask(`${PATH}0`, "Connection: close\r\n"));
    });
    expect(begun).toBe(1);
    expect(grownBytes).toBeLessThan(MOST_GROWTH_BYTES);
    // And who reads after all gets every byte of each.
    const whole = createHash("sha256");
    await readAnswers(socket as unknown as Socket, (bytes) => whole.update(bytes));
    const wanted = createHash("sha256");
    const one = seededRandom(0).bytes(LENGTH);
    for (let i = 0; i < 100; i++) wanted.update(one);
    expect(whole.digest("hex")).toBe(wanted.digest("hex"));
  }, 60_000);

  test("sixty connections that never read cost next to nothing; the viewer has sixteen parts at once", async () => {
    const grownBytes = await growthOf(() =>
      Promise.all(Array.from({ length: 60 }, (_, i) => silent(ask(`${PATH}${i % 2}`)))),
    );
    expect(begun).toBe(16);
    expect(grownBytes).toBeLessThan(MOST_GROWTH_BYTES);
    const refused = await get(`${PATH}0`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(refused.body.toString()).toContain("stream_limit");
    for (const socket of sockets.splice(0)) socket.destroy();
    while ((await get(`${PATH}0`)).status !== 200) await Bun.sleep(5);
  }, 20_000);

  test("any other large answer arrives whole as well", async () => {
    const { headers, body } = await get("/api/large");
    expect([headers.get("content-length"), body.length]).toEqual([String(3 * MIB), 3 * MIB]);
    expect(body.every((byte) => byte === 7)).toBe(true);
  });
});

/** Hands over the bodies of answers that have a content-length, until the server ends the connection. */
function readAnswers(socket: Socket, onBody: (bytes: Buffer) => void): Promise<void> {
  let head = Buffer.alloc(0);
  let leftBytes = 0;
  const take = (bytes: Buffer): void => {
    let rest = bytes;
    while (rest.length > 0) {
      if (leftBytes > 0) {
        const body = rest.subarray(0, leftBytes);
        onBody(body);
        leftBytes -= body.length;
        rest = rest.subarray(body.length);
        continue;
      }
      head = Buffer.concat([head, rest]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      leftBytes = Number(/content-length: (\d+)/i.exec(head.toString("latin1", 0, end))?.[1]);
      rest = head.subarray(end + 4);
      head = Buffer.alloc(0);
    }
  };
  return new Promise((resolve, reject) => {
    socket.on("data", take).on("error", reject).on("close", resolve);
    socket.resume();
  });
}
