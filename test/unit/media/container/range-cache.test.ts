import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { IndexFault } from "../../../../src/media/container/index-fault.ts";
import { RangeCache } from "../../../../src/media/container/range-cache.ts";
import { sourceOf, sparseSource } from "../../../support/counted-source.ts";

const { pageBytes: PAGE, directReadBytes, totalBytes } = LIMITS.mediaIndex;
const never = new AbortController().signal;

function numbered(lengthBytes: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
}

describe("range cache", () => {
  test("gives exactly the bytes asked for, within a page and across pages", async () => {
    const bytes = numbered(PAGE * 3 + 10);
    const cache = new RangeCache(sourceOf(bytes), never);
    for (const [at, length] of [
      [0, 1],
      [PAGE - 1, 2],
      [5, 2 * PAGE],
      [PAGE * 3, 10],
      [PAGE, PAGE],
      [7, 0],
    ] as const)
      expect(
        Buffer.from(await cache.read(at, length)).equals(Buffer.from(bytes.subarray(at, at + length))),
      ).toBe(true);
  });

  test("asks once for a page, and once for all pages that a read misses", async () => {
    const source = sourceOf(numbered(PAGE * 8));
    const cache = new RangeCache(source, never);
    await cache.read(10, 4);
    await cache.read(PAGE - 8, 8);
    await cache.read(PAGE - 8, 3 * PAGE);
    expect(source.requests).toEqual([
      [0, PAGE],
      [PAGE, 3 * PAGE],
    ]);
  });

  test("a long read is one request for just its bytes and is not kept", async () => {
    const source = sourceOf(new Uint8Array(directReadBytes + PAGE));
    const cache = new RangeCache(source, never);
    await cache.read(3, directReadBytes + 1);
    await cache.read(3, 1);
    expect(source.requests).toEqual([
      [3, directReadBytes + 1],
      [0, PAGE],
    ]);
  });

  test("refuses what lies outside the file as broken, without asking for it", async () => {
    const source = sourceOf(new Uint8Array(100));
    const cache = new RangeCache(source, never);
    for (const [at, length] of [
      [90, 11],
      [-1, 2],
      [0, -1],
      [Number.NaN, 1],
      [2 ** 60, 1],
    ] as const)
      expect(await cache.read(at, length).catch((error) => error)).toEqual(new IndexFault("broken"));
    expect(source.requests).toEqual([]);
    expect(await cache.readUpTo(90, 20)).toHaveLength(10);
    expect(await cache.readUpTo(200, 20)).toHaveLength(0);
  });

  test("a source that ends early means a broken file", async () => {
    const source = { lengthBytes: 1_000, read: () => Promise.resolve(new Uint8Array(10)) };
    const cache = new RangeCache(source, never);
    expect(await cache.read(0, 20).catch((error) => error)).toEqual(new IndexFault("broken"));
  });

  test("reads up to its total and gives up as too large one byte past it", async () => {
    const source = sparseSource(2 * totalBytes, []);
    const cache = new RangeCache(source, never);
    await cache.read(0, totalBytes);
    const error = await cache.read(0, 1).catch((fault) => fault);
    expect(error).toEqual(new IndexFault("too_large"));
  });

  test("an abort rejects with its reason, before a read and within one", async () => {
    const abort = new AbortController();
    const source = {
      lengthBytes: 100,
      read: () => {
        abort.abort(new Error("gone"));
        return Promise.resolve(new Uint8Array(100));
      },
    };
    const cache = new RangeCache(source, abort.signal);
    await expect(cache.read(0, 10)).rejects.toThrow("gone");
    await expect(cache.read(0, 10)).rejects.toThrow("gone");
  });
});
