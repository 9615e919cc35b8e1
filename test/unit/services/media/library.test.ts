// The library on a real database, reading a real file over a real socket; what the readers find is the test's.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Server, serve } from "bun";
import { TorrxError } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { systemRandom } from "../../../../src/base/random.ts";
import { DeferredWrites, type TorrxDatabase } from "../../../../src/db/index.ts";
import type { MediaIndex, MediaProbe, MediaSource } from "../../../../src/media/ports.ts";
import { MediaLibrary } from "../../../../src/services/media/library.ts";
import { LoopbackInputs } from "../../../../src/services/media/loopback-inputs.ts";
import type { MediaFile } from "../../../../src/services/media/ports.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { useTempDirectories } from "../../../support/temp-directory.ts";
import { idOf, open as openDatabase, torrentRow } from "../../db/rows.ts";

const tempDirectory = useTempDirectories();
const FILE: MediaFile = { torrent: idOf(1), file: 3, lengthBytes: 200_000 };
const VIEWER = { viewer: "v", clientAddress: "192.0.2.1" };
const CONTENT = Buffer.from(Array.from({ length: FILE.lengthBytes }, (_, i) => (i * 31) & 255));

const INDEX: MediaIndex = {
  container: "matroska",
  durationSec: 600.5,
  tracks: [
    { stream: 0, kind: "video", codecId: "V_MPEG4/ISO/AVC", codecPrivate: Uint8Array.of(1, 0, 255) },
    { stream: 1, kind: "audio", codecId: "A_AAC", codecPrivate: null },
  ],
  keyframes: {
    timesSec: Float64Array.of(0, 4.171, 9.1),
    positionsBytes: Float64Array.of(512, 2 ** 33 + 1, 2 ** 40),
  },
  noIndex: null,
  headBytes: [{ start: 0, end: 4_096 }],
};
const PROBE: MediaProbe = {
  format: "matroska,webm",
  durationSec: 600.5,
  bitsPerSec: null,
  video: null,
  audio: [],
  subtitles: [],
  attachments: 0,
};

class Reading {
  readonly calls: string[] = [];
  readonly urls: string[] = [];
  index: MediaIndex = INDEX;
  failure: Error | null = null;
  /** Settled by a test that wants the probe to wait. */
  gate: Promise<void> = Promise.resolve();
  lastSignal: AbortSignal | null = null;

  readIndex = async (source: MediaSource, signal: AbortSignal): Promise<MediaIndex> => {
    this.calls.push("index");
    const bytes = await source.read(1_000, 50_000, signal);
    expect(Buffer.from(bytes).equals(CONTENT.subarray(1_000, 51_000))).toBe(true);
    expect((await source.read(FILE.lengthBytes - 10, 100, signal)).length).toBe(10);
    expect((await source.read(FILE.lengthBytes + 10, 100, signal)).length).toBe(0);
    return this.index;
  };

  probe = async (url: string, signal: AbortSignal): Promise<MediaProbe> => {
    this.calls.push("probe");
    this.urls.push(url);
    this.lastSignal = signal;
    await Promise.race([
      this.gate,
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ]);
    if (this.failure !== null) throw this.failure;
    return PROBE;
  };
}

describe("the library", () => {
  let server: Server<undefined>;
  let database: TorrxDatabase;
  let reading: Reading;
  let library: MediaLibrary;
  let clock: FakeClock;
  let inputs: LoopbackInputs;
  let path: string;
  let ranges: string[];
  let isComplete: boolean;
  let timersBefore: number;

  const make = () => {
    const writes = new DeferredWrites({ database, clock, log: silentLog });
    return new MediaLibrary({
      repository: database.media,
      writes,
      inputs,
      reading,
      isComplete: () => isComplete,
      clock,
      log: silentLog,
    });
  };

  beforeEach(() => {
    ranges = [];
    isComplete = false;
    server = serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        const url = new URL(request.url);
        const grant = inputs.admit(url.searchParams.get("token") ?? "", FILE);
        if (grant === null) return new Response("", { status: 403 });
        const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.get("range") ?? "") ?? [];
        ranges.push(`${start}-${end}`);
        const body = CONTENT.subarray(Number(start), Number(end) + 1);
        return new Response(body, { status: 206 });
      },
    });
    clock = new FakeClock();
    inputs = new LoopbackInputs({
      clock,
      random: systemRandom,
      origin: () => `http://127.0.0.1:${server.port}`,
    });
    path = join(tempDirectory(), "torrx.db");
    database = openDatabase(path);
    database.torrents.insert(torrentRow(1));
    reading = new Reading();
    library = make();
    timersBefore = clock.pendingTimers;
  });
  afterEach(async () => {
    library.close();
    database.close();
    await server.stop(true);
  });

  const ask = (signal = new AbortController().signal) => library.facts(FILE, VIEWER, signal);

  test("reads a file once, keeps what it found across a restart, and ends its input", async () => {
    expect(library.known(FILE)).toBeNull();
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(first).toEqual({ index: INDEX, probe: PROBE });
    expect(second).toBe(first);
    expect(reading.calls).toEqual(["index", "probe"]);
    // The tail is asked for beside the head.
    expect(ranges).toContain(`${FILE.lengthBytes - 65_536}-${FILE.lengthBytes - 1}`);
    const token = new URL(reading.urls[0]!).searchParams.get("token")!;
    expect(inputs.admit(token, FILE)).toBeNull();
    library = make();
    expect(await ask()).toEqual({ index: INDEX, probe: PROBE });
    expect(reading.calls).toEqual(["index", "probe"]);
  });

  test("keeps an index without key frames, and a film without an index is no failure", async () => {
    reading.index = { ...INDEX, keyframes: null, noIndex: "no_cues" };
    await ask();
    library = make();
    expect(library.known(FILE)?.index).toEqual(reading.index);
  });

  test("what another version wrote, or what is damaged, is found out anew", async () => {
    await ask();
    database.media.putIndex(
      { torrent: FILE.torrent, file: FILE.file, reader: 0 },
      { facts: {}, keyframes: null },
    );
    library = make();
    expect(library.known(FILE)).toBeNull();
    await ask();
    // Only what is missing is read.
    expect(reading.calls).toEqual(["index", "probe", "index"]);
    const key = { torrent: FILE.torrent, file: FILE.file, reader: 1 };
    for (const row of [
      { facts: "no object", keyframes: null },
      { facts: { tracks: [], noIndex: null }, keyframes: null },
      { facts: { tracks: [], noIndex: null }, keyframes: new Uint8Array(9) },
    ]) {
      database.media.putIndex(key, row);
      expect(make().known(FILE)).toBeNull();
    }
  });

  test("a failure is remembered for ten seconds and starts no program in them", async () => {
    reading.failure = new TorrxError("unsupported_media", "no media");
    await expect(ask()).rejects.toThrow("no media");
    await expect(ask()).rejects.toThrow("no media");
    expect(reading.calls).toEqual(["index", "probe"]);
    reading.failure = null;
    clock.advance(10_001);
    expect((await ask()).probe).toEqual(PROBE);
  });

  test("reads few files at once, however many are asked about; the others wait for their turn", async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    reading.readIndex = () => Promise.resolve(INDEX);
    reading.probe = async () => {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return PROBE;
    };
    const all = Array.from({ length: 60 }, (_, file) => {
      return library.facts({ ...FILE, file }, VIEWER, new AbortController().signal);
    });
    await clock.settle();
    const atOnce = gates.length;
    expect(atOnce).toBeLessThanOrEqual(6);
    for (let done = 0; done < 60; done++) {
      expect(gates.length - done).toBeLessThanOrEqual(atOnce);
      gates[done]!.resolve();
      await clock.settle(20);
    }
    expect(await Promise.all(all)).toHaveLength(60);
  });

  test("a film that gets no bytes is in the way of none that is there", async () => {
    reading.readIndex = () => Promise.resolve(INDEX);
    reading.probe = (_url, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const stalled = Array.from({ length: 20 }, (_, file) => {
      return library.facts({ ...FILE, file: 10 + file }, VIEWER, new AbortController().signal);
    });
    const ends = Promise.allSettled(stalled);
    await clock.settle();
    reading.probe = () => Promise.resolve(PROBE);
    isComplete = true;
    expect((await ask()).probe).toEqual(PROBE);
    library.close();
    expect((await ends).every(({ status }) => status === "rejected")).toBe(true);
  });

  test("that there was no room to read is not remembered", async () => {
    reading.failure = new TorrxError("busy", "stream_limit: too many", { retryAfterSec: 2 });
    await expect(ask()).rejects.toThrow("stream_limit");
    reading.failure = null;
    expect((await ask()).probe).toEqual(PROBE);
  });

  test("leaves no timer behind what has been read", async () => {
    await ask();
    expect(clock.pendingTimers - timersBefore).toBe(0);
  });

  test("goes on for a while when all have left, then is given up", async () => {
    reading.gate = new Promise(() => undefined);
    const leaving = new AbortController();
    const waiting = ask(leaving.signal);
    const other = ask(leaving.signal);
    await Bun.sleep(0);
    leaving.abort(new Error("gone"));
    for (const { status } of await Promise.allSettled([waiting, other])) expect(status).toBe("rejected");
    clock.advance(9_000);
    const again = new AbortController();
    const third = ask(again.signal);
    clock.advance(9_000);
    expect(reading.lastSignal?.aborted).toBe(false);
    again.abort(new Error("gone again"));
    await expect(third).rejects.toThrow("gone again");
    clock.advance(10_001);
    expect(reading.lastSignal?.aborted).toBe(true);
    // Nobody's failure: the next one reads at once.
    reading.gate = Promise.resolve();
    expect((await ask()).probe).toEqual(PROBE);
  });

  test("is forgotten with its torrent, in memory and in the database", async () => {
    await ask();
    database.torrents.delete(FILE.torrent);
    library.forget(FILE.torrent);
    expect(library.known(FILE)).toBeNull();
    reading.gate = new Promise(() => undefined);
    const waiting = ask();
    await Bun.sleep(0);
    library.forget(FILE.torrent);
    await expect(waiting).rejects.toThrow("The torrent was removed.");
  });
});
