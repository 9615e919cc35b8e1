// The player's session with the server over time, without a browser: its timers, the server's answers and the leaving of
// the page are made here.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Timer } from "../../src/base/clock.ts";
import type { SessionWish } from "../../web/src/api/types.ts";
import { keepSession, openSession } from "../../web/src/player/server-session.ts";
import { FakeClock } from "../support/fake-clock.ts";

const FILE = { torrentId: "ab".repeat(20), fileIndex: 3 };
const PATH = `http://tv.lan:8080/api/stream/${FILE.torrentId}/3/session`;
const WISH: SessionWish = {
  caps: { mse: true, native_hls: false, types: [] },
  position_sec: 0,
  quality: "all",
};

const refusal = (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
  Response.json({ error: { code, message } }, { status, headers });

describe("a session", () => {
  const names = [
    ...["window", "location", "navigator", "fetch"],
    ...["setTimeout", "clearTimeout", "setInterval", "clearInterval"],
  ];
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  let clock: FakeClock;
  let page: EventTarget;
  let answers: (Response | Error)[];
  let asked: { readonly url: string; readonly body: unknown }[];
  let beacons: string[];

  beforeEach(() => {
    clock = new FakeClock();
    page = new EventTarget();
    answers = [];
    asked = [];
    beacons = [];
    const timers: Timer[] = [];
    const ask = (url: string, init: RequestInit) => {
      asked.push({ url, body: JSON.parse(String(init.body)) });
      const answer = answers.shift() ?? new Error("nothing answers");
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    const values = [
      page,
      { origin: "http://tv.lan:8080" },
      { sendBeacon: (url: string) => beacons.push(url) > 0 },
      ask,
      (task: () => void, ms: number) => timers.push(clock.after(ms, task)),
      (id: number) => timers[id - 1]?.cancel(),
      (task: () => void, ms: number) => timers.push(clock.every(ms, task)),
      (id: number) => timers[id - 1]?.cancel(),
    ];
    names.forEach((name, index) => {
      Object.defineProperty(globalThis, name, { value: values[index], configurable: true, writable: true });
    });
  });
  afterEach(() => {
    names.forEach((name, index) => {
      const old = before[index];
      if (old === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, old);
    });
  });

  /** Lets promises that need no timer settle. */
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  const open = (signal = new AbortController().signal) => {
    const told: string[] = [];
    return { told, opened: openSession(FILE, WISH, { signal, onBusy: (text) => told.push(text) }) };
  };

  test("is asked for again while the server is busy or away, when it wished to be asked", async () => {
    answers = [
      refusal(503, "busy", "stream_limit: too many", { "retry-after": "5" }),
      new Error("no network"),
      Response.json({ session: "s1" }),
    ];
    const { told, opened } = open();
    await settle();
    clock.advance(4_999);
    await settle();
    expect(asked).toHaveLength(1);
    clock.advance(1);
    await settle();
    clock.advance(2_000);
    expect(await opened).toMatchObject({ session: "s1" });
    expect(told).toEqual(["Stream_limit: too many.", "The server does not answer."]);
    expect(asked.map(({ url }) => url)).toEqual([PATH, PATH, PATH]);
    expect(asked[0]?.body).toEqual(WISH);
  });

  test("ends with any other refusal, and when the player is left", async () => {
    answers = [refusal(415, "unsupported_media", "no film"), refusal(503, "busy", "stream_limit: full")];
    expect(await open().opened.catch(String)).toBe("Error: No film.");
    const leaving = new AbortController();
    const { opened } = open(leaving.signal);
    const failed = opened.catch((error: DOMException) => error.name);
    await settle();
    leaving.abort();
    expect(await failed).toBe("AbortError");
    expect(clock.pendingTimers).toBe(0);
  });

  test("is told every ten seconds where the viewer is, and its end at once and once", async () => {
    let atSec = 12.5;
    answers = [new Response(null, { status: 204 }), new Error("lost"), new Response(null, { status: 204 })];
    const end = keepSession(FILE, "s1", () => atSec);
    for (atSec of [12.5, 22.5, 32.5]) {
      clock.advance(10_000);
      await settle();
    }
    expect(asked.map(({ url, body }) => [url, body])).toEqual(
      [12.5, 22.5, 32.5].map((position_sec) => [`${PATH}/s1/ping`, { position_sec }]),
    );
    end();
    expect(beacons).toEqual([`${PATH}/s1/end`]);
    page.dispatchEvent(new Event("pagehide"));
    expect(beacons).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test("that the server no longer knows is told of nothing more; leaving the page ends it as well", async () => {
    answers = [refusal(404, "not_found", "this session has ended")];
    keepSession(FILE, "s1", () => 0);
    clock.advance(10_000);
    await settle();
    expect(clock.pendingTimers).toBe(0);
    page.dispatchEvent(new Event("pagehide"));
    expect(beacons).toEqual([`${PATH}/s1/end`]);
  });
});
