import { describe, expect, test } from "bun:test";
import type { TorrxError } from "../../../../src/base/errors.ts";
import { initBytes } from "../../../support/fmp4-bytes.ts";
import {
  contents,
  ENCODE,
  fakeFilm,
  held,
  never,
  outcome,
  output,
  pictures,
  SEGMENTS,
  secondsIn,
  segmentOf,
} from "./fake-film.ts";

describe("the throttle", () => {
  /** Pushes the whole film and lets the run take what it wants. */
  async function flood(film: ReturnType<typeof fakeFilm>) {
    film.programs.last.push(initBytes(), ...pictures(0, 60));
    for (let i = 0; i < 60; i++) await film.settle();
  }

  test("stops reading a copy about 30 s ahead, and goes on as the viewer does", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(0, never));
    await film.settle();
    await flood(film);
    await first;
    const [run] = film.rendition.runs;
    expect([run?.next, run?.isThrottled]).toEqual([9, true]);
    const { reads } = film.programs.last;
    await film.clock.advanceSettled(5000);
    expect(film.programs.last.reads).toBe(reads);
    expect(await outcome(film.rendition.segment(5, never))).toBe("resolved");
    for (let i = 0; i < 30; i++) await film.settle();
    expect(film.rendition.runs[0]?.next).toBe(14);
    await film.rendition.close();
  });

  test("stops reading an encode about 15 s ahead", async () => {
    const film = fakeFilm({}, ENCODE);
    const first = held(film.rendition.segment(0, never));
    await film.settle();
    await flood(film);
    await first;
    expect(film.rendition.runs[0]?.next).toBe(5);
    await film.rendition.close();
  });

  test("follows the viewer who is furthest", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(0, never, "slow"));
    await film.settle();
    await flood(film);
    await first;
    await film.rendition.segment(7, never, "fast");
    for (let i = 0; i < 30; i++) await film.settle();
    await film.rendition.segment(1, never, "slow");
    expect(film.rendition.runs[0]?.next).toBe(16);
    expect(film.rendition.runs[0]?.isThrottled).toBe(true);
    await film.rendition.close();
  });

  test("a stopped run that does not read is ended all the same", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(0, never));
    await film.settle();
    await flood(film);
    await first;
    await film.rendition.close();
    expect(film.programs.running).toEqual([]);
  });

  test("a run waits until the store has room", async () => {
    const film = fakeFilm();
    let makeRoom: () => void = () => undefined;
    film.store.put = (key, bytes) => {
      film.store.kept.set(key, bytes);
      return new Promise((resolve) => {
        makeRoom = resolve;
      });
    };
    const first = held(film.rendition.segment(0, never));
    await film.settle();
    film.programs.last.push(initBytes(), ...pictures(0, 4));
    await film.settle();
    await first;
    const { reads } = film.programs.last;
    await film.settle();
    expect(film.programs.last.reads).toBe(reads);
    makeRoom();
    await film.settle();
    expect(film.programs.last.reads).toBeGreaterThan(reads);
    await film.rendition.close();
  });
});

describe("a run ends", () => {
  test("when nobody has wanted anything of it for 60 s", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(10, 12));
    await first;
    await film.clock.advanceSettled(40_000);
    await film.rendition.segment(11, never);
    await film.clock.advanceSettled(59_000);
    expect(film.programs.running).toHaveLength(1);
    await film.clock.advanceSettled(2_000);
    expect(film.programs.running).toHaveLength(0);
    expect(film.rendition.runs).toEqual([]);
    expect(film.clock.pendingTimers).toBe(0);
    await film.rendition.close();
  });

  test("when what comes next is in the store already", async () => {
    const film = fakeFilm();
    for (const n of [12, 13, 14]) film.store.kept.set(`film/v0/${n}`, Uint8Array.of(n));
    const first = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(10, 11));
    await first;
    await film.settle();
    expect(film.programs.running).toHaveLength(1);
    film.programs.last.push(...pictures(11, 13).slice(2, 6));
    await film.settle();
    expect(film.programs.running).toHaveLength(0);
    expect(await film.rendition.segment(12, never)).toEqual(Uint8Array.of(12));
    await film.rendition.close();
  });

  test("with the last segment, which the film's end ends", async () => {
    const film = fakeFilm();
    const last = held(film.rendition.segment(SEGMENTS - 1, never));
    await film.settle();
    film.programs.last.push(initBytes(), ...pictures(SEGMENTS - 1, SEGMENTS));
    film.programs.last.exit(0);
    expect(secondsIn(await last)).toEqual(contents(SEGMENTS - 1));
    await film.settle();
    expect(film.rendition.runs).toEqual([]);
    expect(film.programs.started).toHaveLength(1);
    await film.rendition.close();
  });

  test("on stopRuns(), and whoever waits gets a new one", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    await film.rendition.stopRuns();
    await film.settle();
    expect(film.programs.started.map(segmentOf)).toEqual([10, 10]);
    expect(film.programs.running).toHaveLength(1);
    film.programs.last.push(...output(10, 11));
    expect(secondsIn(await asked)).toEqual(contents(10));
    await film.rendition.close();
  });
});

describe("a wait", () => {
  test("ends as busy after 20 s without progress, and not before", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    await film.clock.advanceSettled(15_000);
    film.programs.last.push(initBytes());
    await film.clock.advanceSettled(19_000);
    expect(await outcome(asked)).toBe("pending");
    await film.clock.advanceSettled(1_500);
    expect(await outcome(asked)).toBe("busy waiting_pieces: nothing has come for 20 s");
    await asked.catch((error: TorrxError) => expect(error.retryAfterSec).toBe(2));
    expect(film.rendition.lastProgressMs).toBe(15_000);
    // The run goes on: who asks again finds it.
    expect(film.programs.running).toHaveLength(1);
    const again = held(film.rendition.segment(10, never));
    film.programs.last.push(...output(10, 11).slice(1));
    expect(secondsIn(await again)).toEqual(contents(10));
    expect(film.programs.started).toHaveLength(1);
    await film.rendition.close();
  });

  test("ends with the client that leaves, at once and before it begins", async () => {
    const film = fakeFilm();
    const leaving = new AbortController();
    const asked = held(film.rendition.segment(10, leaving.signal));
    leaving.abort(new Error("left"));
    expect(await outcome(asked)).toBe("Error: left");
    expect(await outcome(film.rendition.segment(10, leaving.signal))).toBe("Error: left");
    await film.settle();
    expect(film.programs.started).toHaveLength(0);
    await film.rendition.close();
    expect(film.clock.pendingTimers).toBe(0);
  });

  test("ends with the rendition", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    const init = held(film.rendition.init(never));
    await film.settle();
    await Promise.all([film.rendition.close(), film.rendition.close()]);
    expect(await outcome(asked)).toBe("busy this playback has ended");
    expect(await outcome(init)).toBe("busy this playback has ended");
    expect(await outcome(film.rendition.segment(1, never))).toBe("busy this playback has ended");
    expect([film.programs.running.length, film.inputs.open, film.clock.pendingTimers]).toEqual([0, 0, 0]);
  });
});
