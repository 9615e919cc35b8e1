import { afterAll, describe, expect, test } from "bun:test";
import type { ServerResponse } from "node:http";
import { FileBody } from "../../../src/front/byte-body.ts";
import { ChunkBuffers } from "../../../src/front/chunk-buffers.ts";
import { type CachedRead, type OpenFile, OpenFiles } from "../../../src/front/open-files.ts";
import { pump } from "../../../src/front/pump.ts";
import { contentAt, TORRENT, testStreams } from "../../support/api-front.ts";
import { readCold, readWarm, readWarmUntil } from "../../support/cached-reads.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const LENGTH = 3_000_001;
const target = testStreams(LENGTH).resolve(TORRENT, 0);
const opened: OpenFiles[] = [];
afterAll(() => {
  for (const files of opened) files.close();
});

async function bodyOf(readCached: CachedRead, start: number, end: number): Promise<FileBody> {
  const files = new OpenFiles(new FakeClock(), readCached);
  opened.push(files);
  return new FileBody(await files.join(target), { start, end }, new ChunkBuffers());
}

async function bytesOf(body: FileBody): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let chunk = await body.next(); chunk !== null; chunk = await body.next()) {
    parts.push(Buffer.from(chunk));
  }
  body.close();
  return Buffer.concat(parts);
}

/** The cache has at most 100,000 bytes together, as after a page that is not there. */
const inBits: CachedRead = (fd, into, atBytes) => readWarm(fd, into.subarray(0, 100_000), atBytes);

describe("the body of a complete file is exact", () => {
  for (const [name, cache] of [
    ["in the page cache", readWarm],
    ["on a cold disk", readCold],
    ["half in the page cache", readWarmUntil(1_234_567)],
    ["in the page cache bit by bit", inBits],
  ] as const) {
    for (const [start, end] of [
      [0, LENGTH],
      [0, 1],
      [LENGTH - 1, LENGTH],
      [1_000_000, 1_004_096],
      [1_234_560, 2_900_000],
    ] as const) {
      test(`${name}: ${start} … ${end}`, async () => {
        const bytes = await bytesOf(await bodyOf(cache, start, end));
        expect(bytes.equals(contentAt(start, end))).toBe(true);
      });
    }
  }
});

test("a chunk stays as it is until the next is asked for, also while the disk reads ahead", async () => {
  const body = await bodyOf(readCold, 0, LENGTH);
  for (let at = 0, chunk = await body.next(); chunk !== null; chunk = await body.next()) {
    await Bun.sleep(5);
    expect(Buffer.from(chunk).equals(contentAt(at, at + chunk.length))).toBe(true);
    at += chunk.length;
  }
  body.close();
});

test("a body that is closed, twice or in the middle of a read, gives no more", async () => {
  for (const cache of [readWarm, readCold]) {
    const body = await bodyOf(cache, 0, LENGTH);
    expect(await body.next()).not.toBeNull();
    const pending = body.next();
    body.close();
    body.close();
    await pending;
    expect(await body.next()).toBeNull();
  }
});

test("the file is left once, and never in the middle of a read", async () => {
  const read = Promise.withResolvers<number>();
  let left = 0;
  const file = { tryRead: () => null, read: () => read.promise, leave: () => left++ };
  const body = new FileBody(file as unknown as OpenFile, { start: 0, end: 10 }, new ChunkBuffers());
  const pending = body.next();
  body.close();
  body.close();
  await Bun.sleep(1);
  expect(left).toBe(0);
  read.resolve(10);
  expect([await pending, left]).toEqual([null, 1]);
});

test("a buffer is used again only after a body has been taken to its end", async () => {
  const buffers = new ChunkBuffers();
  const files = new OpenFiles(new FakeClock(), readWarm);
  opened.push(files);
  const body = async () => new FileBody(await files.join(target), { start: 0, end: 10 }, buffers);
  const memoryOf = (chunk: Uint8Array | null) => chunk?.buffer;
  const whole = await body();
  const first = memoryOf(await whole.next());
  expect(await whole.next()).toBeNull();
  whole.close();
  const cut = await body();
  const second = memoryOf(await cut.next());
  expect(second).toBe(first!);
  cut.close();
  expect(memoryOf(await (await body()).next())).not.toBe(first!);
});

test("a file that is shorter than it should be is a fault, not an end", async () => {
  for (const cache of [readWarm, readCold]) {
    const body = await bodyOf(cache, LENGTH - 10, LENGTH + 10);
    expect((await body.next())?.length).toBe(10);
    expect(body.next()).rejects.toThrow("shorter");
    body.close();
  }
});

test("a socket that takes everything from a body that has everything leaves the others their turn", async () => {
  let written = 0;
  const response = {
    destroyed: false,
    closed: false,
    writableEnded: false,
    write: (chunk: Uint8Array) => {
      written += chunk.length;
      return true;
    },
    end: () => undefined,
  } as unknown as ServerResponse;
  const body = await bodyOf(readWarm, 0, LENGTH);
  const first = await body.next();
  let wasWaiting = false;
  setTimeout(() => {
    wasWaiting = written < LENGTH;
  }, 0);
  await pump(
    {
      next: () => {
        // Slow enough for the timer to be due before the second turn.
        const endMs = performance.now() + 3;
        while (performance.now() < endMs);
        return body.next();
      },
      close: () => body.close(),
    },
    response,
    { first, lengthBytes: LENGTH },
  );
  expect([written, wasWaiting]).toEqual([LENGTH, true]);
  body.close();
});
