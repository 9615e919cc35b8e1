import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InfoHash } from "../../../src/base/brand.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import type { OpenReader, ReadableSource, ReaderId } from "../../../src/stream/ports.ts";
import { createRangeReader, type FileBytes, openForReading } from "../../../src/stream/reader/index.ts";

const KIB = 1024;
const bytes = new Uint8Array(1_000_003).map((_, at) => (at * 31 + (at >> 8)) & 0xff);
let folder = "";
let path = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reader-"));
  path = join(folder, "film.mkv");
  writeFileSync(path, bytes);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** An engine whose verified bytes grow when the test says so. */
class GrowingSource implements ReadableSource {
  readonly events: string[] = [];
  verifiedBytes = 0;
  #waiting: { atBytes: number; resolve: (until: number) => void; reject: (error: Error) => void } | null =
    null;
  onWait: () => void = () => undefined;

  openReader(request: OpenReader): Promise<ReaderId> {
    this.events.push(`open ${request.startBytes}-${request.endBytes}`);
    return Promise.resolve(7);
  }

  readableUntil(_reader: ReaderId, atBytes: number): Promise<number> {
    if (this.verifiedBytes > atBytes) return Promise.resolve(this.verifiedBytes);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting = { atBytes, resolve, reject };
    this.onWait();
    return promise;
  }

  advanceReader(_reader: ReaderId, atBytes: number): void {
    this.events.push(`at ${atBytes}`);
  }

  closeReader(): void {
    this.events.push("close");
    this.#waiting?.reject(new TorrxError("not_found", "closed"));
    this.#waiting = null;
  }

  grow(toBytes: number): void {
    this.verifiedBytes = toBytes;
    if (this.#waiting === null || this.#waiting.atBytes >= toBytes) return;
    this.#waiting.resolve(toBytes);
    this.#waiting = null;
  }

  fail(error: TorrxError): void {
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

interface Setup {
  source?: GrowingSource;
  startBytes?: number;
  endBytes?: number;
  isComplete?: boolean;
  chunkBytes?: number;
  filePath?: string;
  signal?: AbortSignal;
}

function readerOf(setup: Setup = {}): Promise<FileBytes> {
  return createRangeReader({
    source: setup.source ?? new GrowingSource(),
    open: {
      torrent: "a".repeat(40) as InfoHash,
      file: 0,
      viewer: "v",
      clientAddress: "127.0.0.1",
      startBytes: setup.startBytes ?? 0,
      endBytes: setup.endBytes ?? bytes.length,
    },
    path: setup.filePath ?? path,
    isComplete: setup.isComplete ?? false,
    chunkBytes: setup.chunkBytes ?? 64 * KIB,
    openFile: openForReading,
    signal: setup.signal ?? new AbortController().signal,
  });
}

async function drain(reader: FileBytes): Promise<{ digest: string; lengthBytes: number; largest: number }> {
  const hash = createHash("sha256");
  let lengthBytes = 0;
  let largest = 0;
  for (let chunk = await reader.next(); chunk !== null; chunk = await reader.next()) {
    hash.update(chunk);
    lengthBytes += chunk.length;
    largest = Math.max(largest, chunk.length);
  }
  return { digest: hash.digest("hex"), lengthBytes, largest };
}

function digestOf(start: number, end: number): string {
  return createHash("sha256").update(bytes.subarray(start, end)).digest("hex");
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

describe("a range reader", () => {
  test("gives exactly the bytes asked for, whole or in part, from a complete file", async () => {
    const ranges = [
      [0, bytes.length],
      [0, 1],
      [bytes.length - 1, bytes.length],
      [65_535, 65_537],
      [123_457, 765_431],
    ] as const;
    for (const [startBytes, endBytes] of ranges) {
      const source = new GrowingSource();
      const reader = await readerOf({ source, startBytes, endBytes, isComplete: true });
      const got = await drain(reader);
      expect(got.digest).toBe(digestOf(startBytes, endBytes));
      expect(got.lengthBytes).toBe(endBytes - startBytes);
      await reader.close();
      expect(source.events).toEqual([]);
    }
  });

  test("has no bytes in an empty range and opens nothing for it", async () => {
    const reader = await readerOf({ startBytes: 5, endBytes: 5, isComplete: true, filePath: "/nowhere" });
    expect(await reader.next()).toBeNull();
    await reader.close();
  });

  test("keeps chunks at 256 KiB while the file grows and at 1 MiB when it is complete", async () => {
    const source = new GrowingSource();
    source.verifiedBytes = bytes.length;
    const growing = await readerOf({ source, chunkBytes: 64 * 1024 * KIB });
    expect((await drain(growing)).largest).toBe(256 * KIB);
    const complete = await readerOf({ isComplete: true, chunkBytes: 64 * 1024 * KIB });
    expect((await drain(complete)).largest).toBe(bytes.length);
    await Promise.all([growing.close(), complete.close()]);
  });

  test("waits for verified bytes and never reads past them", async () => {
    const source = new GrowingSource();
    const steps = [10, 70_000, 70_001, 600_000, bytes.length];
    source.onWait = () => {
      const next = steps.shift();
      if (next !== undefined) queueMicrotask(() => source.grow(next));
    };
    const reader = await readerOf({ source });
    const hash = createHash("sha256");
    let at = 0;
    for (let chunk = await reader.next(); chunk !== null; chunk = await reader.next()) {
      at += chunk.length;
      expect(at).toBeLessThanOrEqual(source.verifiedBytes);
      hash.update(chunk);
    }
    expect(hash.digest("hex")).toBe(digestOf(0, bytes.length));
    await reader.close();
  });

  test("tells of bytes as taken only when more is asked for", async () => {
    const source = new GrowingSource();
    source.verifiedBytes = bytes.length;
    const reader = await readerOf({ source, startBytes: 100, endBytes: 300, chunkBytes: 150 });
    await reader.next();
    expect(source.events).toEqual(["open 100-300"]);
    await reader.next();
    expect(source.events).toEqual(["open 100-300", "at 250"]);
    expect(await reader.next()).toBeNull();
    await reader.close();
    expect(source.events).toEqual(["open 100-300", "at 250", "at 300", "close"]);
  });

  test("leaves a chunk alone until the next is asked for", async () => {
    const reader = await readerOf({ isComplete: true, chunkBytes: 1000 });
    const first = await reader.next();
    const copy = first?.slice();
    await new Promise((resolve) => setImmediate(resolve));
    expect(first).toEqual(copy!);
    await reader.close();
    expect(first).toEqual(copy!);
  });

  test("ends in the middle of a wait when the client goes, and withdraws its demand at once", async () => {
    const source = new GrowingSource();
    const abort = new AbortController();
    const reader = await readerOf({ source, signal: abort.signal });
    const waits = new Promise<void>((resolve) => {
      source.onWait = resolve;
    });
    const pull = reader.next();
    await waits;
    abort.abort();
    expect(source.events.at(-1)).toBe("close");
    expect(await pull).toBeNull();
    expect(await reader.next()).toBeNull();
  });

  test("closes at once what was opened for a client that has gone already", async () => {
    const source = new GrowingSource();
    const reader = await readerOf({ source, signal: AbortSignal.abort() });
    expect(await reader.next()).toBeNull();
    expect(source.events).toEqual(["open 0-1000003", "close"]);
  });

  test("may be closed any number of times, and leaves no descriptor open", async () => {
    const before = openFiles();
    for (let i = 0; i < 50; i++) {
      const reader = await readerOf({ isComplete: true });
      const pull = reader.next();
      await Promise.all([reader.close(), reader.close()]);
      await pull;
      await reader.close();
    }
    expect(openFiles()).toBe(before);
  });

  test("passes on what the engine says, as it is", async () => {
    for (const code of ["not_found", "disk_full", "internal"] as const) {
      const source = new GrowingSource();
      source.onWait = () => queueMicrotask(() => source.fail(new TorrxError(code, "x")));
      const reader = await readerOf({ source });
      expect(await reader.next().catch((error) => error.code)).toBe(code);
      await reader.close();
    }
  });

  test("fails when the file has become shorter, and when it is gone", async () => {
    const shrinking = join(folder, "shrinking");
    writeFileSync(shrinking, bytes);
    const reader = await readerOf({ isComplete: true, filePath: shrinking, chunkBytes: 1000 });
    await reader.next();
    truncateSync(shrinking, 1500);
    const error = await reader.next().catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TorrxError);
    expect(error.code).toBe("internal");
    await reader.close();
    const gone = await readerOf({ isComplete: true, filePath: join(folder, "nothing") });
    expect(await gone.next().catch((thrown) => thrown.code)).toBe("not_found");
    await gone.close();
  });
});
