import { beforeEach, describe, expect, test } from "bun:test";
import { TorrxError } from "../../../../src/base/errors.ts";
import type { StreamRow, Wait } from "../../../../src/engine/port.ts";
import { HeldRequests } from "../../../../src/services/media/held-requests.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FILE, TORRENT } from "./film-facts.ts";

const WAIT: Wait = {
  code: "SEEK_FETCH",
  sinceMs: 0,
  haveBytes: null,
  needBytes: 1,
  rate: 0,
  peers: { connected: 1, known: 1, unchoked: 1 },
};

let clock: FakeClock;
let row: { positionBytes: number; aheadBytes: number; wait: Wait | null };
let readBytes: number;
let held: HeldRequests;

beforeEach(() => {
  clock = new FakeClock();
  row = { positionBytes: 0, aheadBytes: 0, wait: WAIT };
  readBytes = 0;
  held = new HeldRequests({
    clock,
    inputs: { readBytesOf: () => readBytes },
    engine: {
      streams: () => {
        const others = { torrent: TORRENT, file: 7, positionBytes: Math.random(), wait: null };
        return Promise.resolve([
          others,
          { ...row, torrent: TORRENT, file: FILE.file },
        ] as unknown as StreamRow[]);
      },
    },
  });
});

const never = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Seconds pass one by one, each look at the engine with its own turn. */
async function pass(seconds: number, each: (sec: number) => void = () => undefined): Promise<void> {
  for (let sec = 0; sec < seconds; sec++) {
    each(sec);
    clock.advance(1_000);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

const held20 = () => {
  const outcome = held.hold(FILE, new AbortController().signal, never).catch((error: unknown) => error);
  let isOver = false;
  void outcome.then(() => {
    isOver = true;
  });
  return { outcome, isOver: () => isOver };
};

describe("a request that is held", () => {
  test("is given up after 20 s in which nothing moved, with what the swarm is waited for", async () => {
    const request = held20();
    await pass(20);
    expect(request.isOver()).toBe(false);
    await pass(2);
    const error = (await request.outcome) as TorrxError;
    expect([error.code, error.status, error.retryAfterSec]).toEqual(["busy", 503, 2]);
    expect(error.message).toBe("waiting_pieces: SEEK_FETCH, the new position is being loaded");
  });

  test("is held on while its file is read, or the swarm moves, but not for ever", async () => {
    const reading = held20();
    await pass(30, () => readBytes++);
    expect(reading.isOver()).toBe(false);
    await pass(12, () => row.aheadBytes++);
    expect(((await reading.outcome) as TorrxError).code).toBe("busy");
    const arriving = held20();
    row.wait = { ...WAIT, rate: 1_000 };
    await pass(30);
    expect(arriving.isOver()).toBe(false);
    await pass(12);
    await arriving.outcome;
  });

  test("is the machine's fault where nothing is waited for", async () => {
    row.wait = null;
    const request = held20();
    await pass(22);
    expect(((await request.outcome) as TorrxError).message).toStartWith("transcode_busy: ");
  });

  test("has its result or its failure as it comes, and leaves no timer", async () => {
    const signal = new AbortController().signal;
    expect(await held.hold(FILE, signal, () => Promise.resolve(5))).toBe(5);
    const failure = new TorrxError("unsupported_media", "no");
    await expect(held.hold(FILE, signal, () => Promise.reject(failure))).rejects.toBe(failure);
    row.aheadBytes = 1;
    await pass(60);
  });

  test("says in the engine's words why a run got no bytes", async () => {
    const { signal } = new AbortController();
    const plain = new TorrxError("busy", "waiting_pieces: nothing has come for 20 s", { retryAfterSec: 7 });
    const told = await held.hold(FILE, signal, () => Promise.reject(plain)).catch((error: unknown) => error);
    expect(told).toMatchObject({ code: "busy", retryAfterSec: 7 });
    expect((told as TorrxError).message).toStartWith("waiting_pieces: SEEK_FETCH");
    row.wait = null;
    await expect(held.hold(FILE, signal, () => Promise.reject(plain))).rejects.toBe(plain);
  });

  test("ends when its client goes", async () => {
    const leaving = new AbortController();
    const request = held.hold(FILE, leaving.signal, never).catch((error: unknown) => error);
    leaving.abort(new Error("gone"));
    expect(await request).toMatchObject({ message: "gone" });
  });
});
