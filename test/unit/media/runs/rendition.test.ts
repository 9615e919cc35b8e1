import { describe, expect, test } from "bun:test";
import { initBytes } from "../../../support/fmp4-bytes.ts";
import {
  COPY,
  contents,
  ENCODE,
  fakeFilm,
  held,
  never,
  outcome,
  output,
  PLAN,
  pictures,
  SEGMENTS,
  secondsIn,
  segmentOf,
} from "./fake-film.ts";

describe("a rendition", () => {
  test("starts a run at the segment that is asked for, told where its bytes are", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(20, never));
    await film.settle();
    expect(film.programs.started.map(segmentOf)).toEqual([20]);
    expect(film.inputs.opened).toEqual([1020]);
    film.programs.last.push(...output(20, 21));
    expect(secondsIn(await asked)).toEqual(contents(20));
    expect(film.store.puts).toEqual(["film/v0/init", "film/v0/20"]);
    await film.rendition.close();
    expect(film.clock.pendingTimers).toBe(0);
    expect([film.programs.running.length, film.inputs.open]).toEqual([0, 0]);
  });

  test("gives one segment to all who wait for it, and later from the store", async () => {
    const film = fakeFilm();
    const asked = [1, 2, 3].map(() => film.rendition.segment(5, never));
    await film.settle();
    film.programs.last.push(...output(5, 6));
    const [first, ...others] = await Promise.all(asked);
    for (const other of others) expect(other).toBe(first as Uint8Array);
    expect(await film.rendition.segment(5, never)).toBe(first as Uint8Array);
    expect(film.programs.started).toHaveLength(1);
    await film.rendition.close();
  });

  test("gives the init segment of whichever run comes first, started where the viewer will play", async () => {
    const film = fakeFilm();
    const init = held(film.rendition.init(never, 30));
    await film.settle();
    expect(film.programs.started.map(segmentOf)).toEqual([30]);
    film.programs.last.push(initBytes());
    expect(await init).toEqual(initBytes());
    expect(await film.rendition.init(never)).toEqual(initBytes());
    const segment = held(film.rendition.segment(30, never));
    film.programs.last.push(...pictures(30, 32));
    await segment;
    expect(film.programs.started).toHaveLength(1);
    await film.rendition.close();
  });

  test("prepares a segment before anyone asks for it", async () => {
    const film = fakeFilm();
    film.rendition.prepare(7);
    await film.settle();
    film.programs.last.push(...output(7, 8));
    await film.settle();
    expect(film.store.has("film/v0/7")).toBe(true);
    await film.rendition.close();
  });

  test("what is not in the plan is not found", async () => {
    const film = fakeFilm();
    for (const n of [-1, SEGMENTS, 0.5, Number.NaN]) {
      expect(await outcome(film.rendition.segment(n, never))).toBe("not_found no such segment");
    }
    await film.rendition.close();
  });

  test("a store that cannot be read or written costs no viewer a segment", async () => {
    const film = fakeFilm();
    film.store.get = () => Promise.reject(new Error("disk"));
    film.store.put = () => Promise.reject(new Error("disk"));
    const asked = held(film.rendition.segment(3, never));
    await film.settle();
    film.programs.last.push(...output(3, 4));
    expect(secondsIn(await asked)).toEqual(contents(3));
    await film.rendition.close();
  });

  test("a segment that comes while the store is asked for it is not missed", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(0, never));
    await film.settle();
    film.programs.last.push(...output(0, 1));
    await asked;
    let answer: (bytes: null) => void = () => undefined;
    film.store.get = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const next = held(film.rendition.segment(1, never));
    film.programs.last.push(...pictures(1, 3).slice(2));
    await film.settle();
    answer(null);
    expect(secondsIn(await next)).toEqual(contents(1));
    expect(film.programs.started).toHaveLength(1);
    await film.rendition.close();
  });
});

describe("a seek", () => {
  test("to what a run will soon reach waits for it", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(10, never));
    await film.settle();
    const soon = held(film.rendition.segment(13, never));
    await film.settle();
    await film.clock.advanceSettled(1000);
    expect(film.programs.started).toHaveLength(1);
    film.programs.last.push(...output(10, 14));
    expect(secondsIn(await soon)).toEqual(contents(13));
    expect(secondsIn(await first)).toEqual(contents(10));
    await film.rendition.close();
  });

  test("elsewhere ends the old run, which is gone before the new one starts", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(10, 11));
    await first;
    film.programs.holdDeaths();
    const far = held(film.rendition.segment(50, never));
    await film.clock.advanceSettled(200);
    expect(film.programs.started[0]?.isKilled).toBe(true);
    await film.clock.advanceSettled(400);
    expect(film.programs.started).toHaveLength(1);
    film.programs.releaseDeaths();
    await film.settle();
    expect(film.programs.started.map(segmentOf)).toEqual([10, 50]);
    film.programs.last.push(...output(50, 51));
    expect(secondsIn(await far)).toEqual(contents(50));
    expect(film.inputs.open).toBe(1);
    await film.rendition.close();
  });

  test("that is left again within 150 ms ends nothing", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(10, 11));
    await first;
    for (const n of [50, 60, 70]) {
      const scrub = new AbortController();
      const left = held(film.rendition.segment(n, scrub.signal));
      await film.clock.advanceSettled(100);
      scrub.abort(new Error("left"));
      expect(await outcome(left)).toBe("Error: left");
    }
    await film.clock.advanceSettled(1000);
    expect(film.programs.started).toHaveLength(1);
    expect(film.programs.last.isKilled).toBe(false);
    await film.rendition.close();
  });

  test("back to before the run is one, and a segment that was evicted is made again", async () => {
    const film = fakeFilm();
    const first = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(10, 13));
    await first;
    await film.settle();
    film.store.kept.delete("film/v0/11");
    const again = held(film.rendition.segment(11, never));
    await film.clock.advanceSettled(200);
    expect(film.programs.started.map(segmentOf)).toEqual([10, 11]);
    film.programs.last.push(...output(11, 12));
    expect(secondsIn(await again)).toEqual(contents(11));
    await film.rendition.close();
  });

  test("of one viewer does not end another's run, and a third finds the one that is watched least", async () => {
    const film = fakeFilm();
    const one = held(film.rendition.segment(10, never, "one"));
    await film.settle();
    film.programs.last.push(...output(10, 11));
    await one;
    await film.clock.advanceSettled(1000);
    const two = held(film.rendition.segment(50, never, "two"));
    await film.settle();
    expect(film.programs.running.map(segmentOf)).toEqual([10, 50]);
    film.programs.last.push(...output(50, 51));
    await two;
    await film.clock.advanceSettled(1000);
    const three = held(film.rendition.segment(80, never, "three"));
    await film.clock.advanceSettled(200);
    expect(film.programs.running.map(segmentOf)).toEqual([50, 80]);
    film.programs.last.push(...output(80, 81));
    expect(secondsIn(await three)).toEqual(contents(80));
    await film.rendition.close();
  });

  test("never ends a run that somebody waits for", async () => {
    const film = fakeFilm();
    const waits = [10, 50, 90].map((n) => film.rendition.segment(n, never));
    await film.clock.advanceSettled(1000);
    expect(film.programs.running).toHaveLength(2);
    const [first, second] = film.programs.running.map(segmentOf);
    film.programs.started[0]?.push(...output(first ?? 0, (first ?? 0) + 1));
    await film.clock.advanceSettled(1000);
    expect(film.programs.running.map(segmentOf)).toContain(second as number);
    expect(film.programs.started).toHaveLength(3);
    film.programs.last.push(...output(segmentOf(film.programs.last), segmentOf(film.programs.last) + 1));
    film.programs.started[1]?.push(...output(second ?? 0, (second ?? 0) + 1));
    expect((await Promise.all(waits)).map((bytes) => secondsIn(bytes)[0])).toEqual([40, 200, 360]);
    await film.rendition.close();
  });
});

describe("the limits", () => {
  test("refuse an encode as transcode_busy when another keeps its place", async () => {
    const film = fakeFilm({}, ENCODE);
    const first = held(film.rendition.segment(0, never));
    const other = film.another({ id: "other/v0" });
    const second = held(other.segment(0, never));
    await film.settle();
    expect(film.programs.started).toHaveLength(1);
    expect(film.programs.last.options.isEncode).toBe(true);
    await film.clock.advanceSettled(4_900);
    expect(await outcome(second)).toBe("pending");
    await film.clock.advanceSettled(200);
    expect(await outcome(second)).toStartWith("busy transcode_busy: ");
    film.programs.last.push(...output(0, 1));
    await first;
    await Promise.all([film.rendition.close(), other.close()]);
    expect(film.limits.running("encode")).toBe(0);
  });

  test("let one who waits have the place of a run that nobody wants", async () => {
    const film = fakeFilm({}, ENCODE);
    const first = held(film.rendition.segment(0, never));
    await film.settle();
    film.programs.last.push(...output(0, 1));
    await first;
    await film.clock.advanceSettled(11_000);
    const other = film.another({ id: "other/v0" });
    const second = other.segment(5, never);
    await film.settle();
    expect(film.programs.running.map(segmentOf)).toEqual([5]);
    film.programs.last.push(...output(5, 6));
    expect(secondsIn(await second)).toEqual(contents(5));
    await Promise.all([film.rendition.close(), other.close()]);
  });

  test("count copies apart from encodes", async () => {
    const film = fakeFilm({}, ENCODE);
    void film.rendition.segment(0, never).catch(() => undefined);
    const copy = film.another({
      id: "copy",
      job: { work: COPY, plan: PLAN, tools: { threads: 1, hasZscale: true } },
    });
    void copy.segment(0, never).catch(() => undefined);
    await film.settle();
    expect([film.limits.running("encode"), film.limits.running("cheap")]).toEqual([1, 1]);
    expect(film.programs.started.map(({ options }) => options.isEncode)).toEqual([true, false]);
    await Promise.all([film.rendition.close(), copy.close()]);
    expect([film.limits.running("encode"), film.limits.running("cheap")]).toEqual([0, 0]);
  });
});
