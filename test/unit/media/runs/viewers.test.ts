import { describe, expect, test } from "bun:test";
import { initBytes } from "../../../support/fmp4-bytes.ts";
import {
  contents,
  type FakeFilm,
  fakeFilm,
  held,
  never,
  outcome,
  pictures,
  secondsIn,
  segmentOf,
} from "./fake-film.ts";

/** Every program has the whole film from its place on to give; only what was made last stays in the store. */
function endlessFilm(keptSegments = 100): FakeFilm {
  const film = fakeFilm();
  const { kept } = film.store;
  film.store.put = (key, bytes) => {
    kept.set(key, bytes);
    for (const oldest of [...kept.keys()].slice(0, Math.max(0, kept.size - keptSegments)))
      kept.delete(oldest);
    return Promise.resolve();
  };
  film.programs.onStart = (process) => process.push(initBytes(), ...pictures(segmentOf(process), 70));
  return film;
}

async function goOn(film: FakeFilm): Promise<void> {
  for (let i = 0; i < 60; i++) await film.settle();
}

async function watch(film: FakeFilm, client: string, [from, to]: readonly [number, number]): Promise<void> {
  for (let n = from; n <= to; n++) {
    const asked = held(film.rendition.segment(n, never, client));
    await film.clock.advanceSettled(200);
    await goOn(film);
    expect([n, await outcome(asked)]).toEqual([n, "resolved"]);
    expect(secondsIn(await asked)).toEqual(contents(n));
  }
}

describe("two viewers of one rendition", () => {
  test("have a run each, also where the second is at what the first one's has made long ago", async () => {
    const film = endlessFilm(12);
    await watch(film, "first", [0, 50]);
    await watch(film, "second", [0, 30]);
    expect(film.programs.started.map(segmentOf)).toEqual([0, 0]);
    await film.rendition.close();
  });

  test("that come together are served by the run that comes first", async () => {
    const film = endlessFilm();
    await watch(film, "first", [20, 24]);
    await watch(film, "second", [0, 30]);
    await watch(film, "first", [25, 40]);
    await film.rendition.close();
  });
});

test("a client that asks for two places at once gets both", async () => {
  const film = endlessFilm();
  await watch(film, "one", [0, 20]);
  const { next } = film.rendition.runs[0] ?? { next: 0 };
  expect(film.rendition.runs[0]?.isThrottled).toBe(true);
  const far = held(film.rendition.segment(next + 3, never, "one"));
  const near = held(film.rendition.segment(0, never, "one"));
  await goOn(film);
  expect([await outcome(near), await outcome(far)]).toEqual(["resolved", "resolved"]);
  expect(film.programs.started).toHaveLength(1);
  await film.rendition.close();
});

describe("a third viewer", () => {
  test("takes the place of the run that is furthest ahead of its viewer", async () => {
    const film = endlessFilm();
    film.programs.onStart = (process) =>
      process.push(initBytes(), ...pictures(segmentOf(process), 70).slice(0, 6));
    const asks = [10, 40].map((n) => held(film.rendition.segment(n, never, `at ${n}`)));
    await goOn(film);
    await Promise.all(asks);
    film.programs.started[1]?.push(...pictures(41, 60).slice(2));
    await goOn(film);
    // The one at 40 is the last to have asked, and has the most in hand.
    const third = held(film.rendition.segment(80, never, "third"));
    await film.clock.advanceSettled(200);
    expect(film.programs.running.map(segmentOf)).toEqual([10, 80]);
    third.catch(() => undefined);
    await film.rendition.close();
  });

  test("who drags the seek bar does not keep another's idle run alive", async () => {
    const film = endlessFilm();
    await watch(film, "gone", [10, 10]);
    for (const n of [30, 40, 50]) {
      await film.clock.advanceSettled(25_000);
      const scrub = new AbortController();
      const asked = held(film.rendition.segment(n, scrub.signal, "scrubber"));
      await film.clock.advanceSettled(300);
      scrub.abort(new Error("left"));
      await asked.catch(() => undefined);
    }
    expect(film.programs.running.map(segmentOf)).not.toContain(10);
    await film.rendition.close();
  });
});
