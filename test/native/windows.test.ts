// Streams on real native memory and a real file: what is in memory is counted once, found again, and exact.

import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type NativeThread, openNative, type TorrentToken } from "../../native/index.ts";
import type { InfoHash } from "../../src/base/brand.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { ReadableSource } from "../../src/stream/ports.ts";
import {
  type FileBytes,
  openForReading,
  openWindowReader,
  StreamWindows,
} from "../../src/stream/reader/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { tmpFolder } from "../support/tmp.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SLAB_BYTES = 64 * KIB;
const PIECE_BYTES = 256 * KIB;
const TORRENT = "d".repeat(40) as InfoHash;
/** Neither end of the file lies at the border of a piece, nor of a slab. */
const BEFORE_BYTES = 100_003;
const LENGTH = 12 * MIB + 4_567;
const TOTAL = BEFORE_BYTES + LENGTH + 7_777;
const PIECES = Math.ceil(TOTAL / PIECE_BYTES);
const SIZES = { ramBufferBytes: 32 * MIB, ramTotalBytes: 128 * MIB, bufferAheadPercent: 50 };
/** Slabs that any byte of the file lies in. */
const FILE_SLAB_BYTES =
  (Math.ceil((BEFORE_BYTES + LENGTH) / SLAB_BYTES) - Math.floor(BEFORE_BYTES / SLAB_BYTES)) * SLAB_BYTES;

const all = new Uint8Array(TOTAL);
let path = "";
let native: NativeThread;
let windows: StreamWindows;
let torrent: TorrentToken;
let clock: FakeClock;

const source: ReadableSource = {
  openReader: () => Promise.resolve(),
  advanceReader: () => undefined,
  closeReader: () => undefined,
};

const contentOf = (start: number, end: number) => all.subarray(BEFORE_BYTES + start, BEFORE_BYTES + end);
const digestOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

beforeAll(() => {
  for (let at = 0; at < TOTAL; at++) all[at] = (at * 31) ^ (at >> 8) ^ (at >> 16);
  path = join(tmpFolder("windows"), "film");
  writeFileSync(path, contentOf(0, LENGTH));
});

beforeEach(() => {
  native = openNative();
  clock = new FakeClock();
  torrent = native.openTorrent({ infoHash: TORRENT, pieceLengthBytes: PIECE_BYTES, totalBytes: TOTAL });
  windows = new StreamWindows({
    memory: native,
    clock,
    openFile: openForReading,
    arenaBytes: 16 * MIB,
    sizes: SIZES,
  });
});

afterEach(() => {
  windows.close();
  expect(clock.pendingTimers).toBe(0);
  expect(native.figures().pinnedBytes).toBe(0);
  native.close();
});

function haveAll(): void {
  native.setHave(torrent, new Uint8Array(Math.ceil(PIECES / 8)).fill(0xff));
}

function read(wanted: { at?: number; end?: number; viewer?: string; signal?: AbortSignal } = {}): FileBytes {
  return openWindowReader({
    windows,
    source,
    request: {
      torrent: TORRENT,
      file: 1,
      viewer: wanted.viewer ?? "v",
      clientAddress: "127.0.0.1",
      startBytes: wanted.at ?? 0,
      endBytes: wanted.end ?? LENGTH,
    },
    file: { path, isBegun: true, lengthBytes: LENGTH, startBytes: BEFORE_BYTES },
    signal: wanted.signal ?? new AbortController().signal,
  });
}

/** Reads to the end and closes. `each` runs while a chunk is held. */
async function drain(reader: FileBytes, each: () => void = () => undefined): Promise<string> {
  const hash = createHash("sha256");
  for (let chunk = await reader.next(); chunk !== null; chunk = await reader.next()) {
    each();
    hash.update(chunk);
  }
  reader.close();
  return hash.digest("hex");
}

const hitRate = () => {
  const [{ hits, misses } = { hits: 0, misses: 0 }] = windows.usage().streams;
  return hits / (hits + misses);
};

describe("windows of real memory", () => {
  test("give exactly the bytes of each range, out of the file", async () => {
    haveAll();
    const ranges = [
      [0, 1],
      [LENGTH - 1, LENGTH],
      [PIECE_BYTES - BEFORE_BYTES - 1, PIECE_BYTES - BEFORE_BYTES + 1],
      [1_234_567, 7_654_321],
      [0, LENGTH],
    ] as const;
    for (const [at, end] of ranges) {
      expect(await drain(read({ at, end })), `${at}-${end}`).toBe(digestOf(contentOf(at, end)));
    }
  });

  test("of two viewers of one place hold its bytes once", async () => {
    haveAll();
    await drain(read({ viewer: "one" }));
    expect(native.figures().windowBytes).toBe(FILE_SLAB_BYTES);
    const { diskReads } = native.figures();
    expect(await drain(read({ viewer: "two" }))).toBe(digestOf(contentOf(0, LENGTH)));
    expect(native.figures()).toMatchObject({ windowBytes: FILE_SLAB_BYTES, diskReads });
    const usage = windows.usage();
    expect(usage.streams.map(({ bytes }) => bytes)).toEqual([FILE_SLAB_BYTES, FILE_SLAB_BYTES]);
    expect(usage.usedBytes).toBe(FILE_SLAB_BYTES);
  });

  test("serve a rewind without the disk, and the hit rate rises", async () => {
    haveAll();
    await drain(read());
    const before = { reads: native.figures().diskReads, rate: hitRate() };
    const rewound = read({ at: MIB, end: 6 * MIB });
    expect(await drain(rewound)).toBe(digestOf(contentOf(MIB, 6 * MIB)));
    expect(native.figures().diskReads).toBe(before.reads);
    expect(hitRate()).toBeGreaterThan(before.rate);
    expect(windows.usage().streams[0]?.behindBytes).toBeGreaterThan(5 * MIB);
  });

  test("change their sizes in mid-stream without a wrong byte, and stay within them", async () => {
    haveAll();
    const random = seededRandom(20_261_122);
    const readers = ["a", "b", "c"].map((viewer) => read({ viewer }));
    const resize = () => {
      const ramBufferBytes = (1 + random.below(16)) * MIB;
      const ramTotalBytes = (3 + random.below(32)) * MIB;
      windows.resize({ ramBufferBytes, ramTotalBytes, bufferAheadPercent: 10 + random.below(86) });
      const { windowBytes } = native.figures();
      expect(windowBytes).toBeLessThanOrEqual(Math.min(3 * ramBufferBytes, ramTotalBytes));
    };
    const digests = await Promise.all(readers.map((reader) => drain(reader, resize)));
    expect(digests).toEqual(readers.map(() => digestOf(contentOf(0, LENGTH))));
  });

  test("are filled by pieces that pass their hash, and not by others, without the disk being read", async () => {
    const fd = openSync(join(tmpFolder("windows-write"), "film"), "w+");
    const file = native.adoptFile(fd);
    closeSync(fd);
    const settle = async (piece: number, isRight: boolean) => {
      const bytes = all.slice(piece * PIECE_BYTES, Math.min(TOTAL, (piece + 1) * PIECE_BYTES));
      const slot = native.takePiece(torrent, piece, bytes.length);
      native.writePiece(slot, 0, bytes, 0, bytes.length);
      const sha1 = createHash("sha1")
        .update(isRight ? bytes : "wrong")
        .digest();
      const result = await native.settlePiece(slot, sha1, Float64Array.of(file, 0, 0, bytes.length));
      native.releasePiece(slot);
      return result.status;
    };
    const end = 2 * PIECE_BYTES - BEFORE_BYTES;
    const { diskReads } = native.figures();
    const reader = read({ end });
    const pull = drain(reader);
    expect(await settle(0, false)).toBe("corrupt");
    expect(await settle(0, true)).toBe("written");
    expect(await settle(1, true)).toBe("written");
    expect(await pull).toBe(digestOf(contentOf(0, end)));
    expect(native.figures()).toMatchObject({ diskReads, arenaBytes: 0 });
    native.releaseFile(file);
  });

  test("end a wait with the torrent's fault or end, and serve what they have beside a fault", async () => {
    native.addHave(torrent, 0);
    const [reader, other] = [read(), read({ viewer: "w" })];
    const length = PIECE_BYTES - BEFORE_BYTES;
    for (const one of [reader, other]) {
      for (let taken = 0; taken < length; ) taken += (await one.next())?.length ?? 0;
    }
    const [full, gone] = [reader.next(), other.next()];
    native.setTorrentState(torrent, "disk_full");
    expect(await full.catch((error) => error.code)).toBe("disk_full");
    expect(await gone.catch((error) => error.code)).toBe("disk_full");
    native.setTorrentState(torrent, "fine");
    const waiting = read({ at: length });
    const pull = waiting.next();
    native.closeTorrent(torrent);
    expect(await pull.catch((error) => error.code)).toBe("not_found");
  });

  test("give everything back 60 s after the last connection, and at once with their torrent", async () => {
    haveAll();
    await drain(read());
    clock.advance(59_999);
    expect(native.figures().windowBytes).toBe(FILE_SLAB_BYTES);
    clock.advance(1);
    expect(native.figures()).toMatchObject({ windowBytes: 0, windows: 0 });
    await drain(read());
    windows.removeTorrent(TORRENT);
    expect(native.figures()).toMatchObject({ windowBytes: 0, windows: 0 });
  });

  test("are left clean by clients that go at any moment", async () => {
    haveAll();
    const random = seededRandom(7);
    const one = async (n: number) => {
      const gone = new AbortController();
      const reader = read({ at: random.below(LENGTH), viewer: `v${n % 3}`, signal: gone.signal });
      for (let pulls = random.below(4); pulls > 0; pulls--) await reader.next();
      const last = reader.next();
      gone.abort();
      await last;
    };
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, n) => one(n)));
    }
    expect(native.figures().pinnedBytes).toBe(0);
    const check = read({ at: 5, end: LENGTH - 5, viewer: "v0" });
    expect(await drain(check)).toBe(digestOf(contentOf(5, LENGTH - 5)));
  });
});
