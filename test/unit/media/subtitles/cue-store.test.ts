import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../../src/base/random.ts";
import type { Cue } from "../../../../src/media/subtitles/cue.ts";
import { CueStore } from "../../../../src/media/subtitles/cue-store.ts";

const cue = (startSec: number, endSec: number, text = `${startSec}`): Cue =>
  ({ startSec, endSec, text, settings: null }) as unknown as Cue;
const texts = (cues: readonly Cue[]) => cues.map(({ text }) => `${text}`);

describe("the cues of a track that have been read", () => {
  test("tells which stretches are missing, before, between and behind", () => {
    const store = new CueStore();
    expect(store.missing(0, 10)).toEqual([{ fromSec: 0, toSec: 10 }]);
    store.add({ fromSec: 4, toSec: 8 }, []);
    store.add({ fromSec: 12, toSec: 16 }, []);
    expect(store.missing(0, 20)).toEqual([
      { fromSec: 0, toSec: 4 },
      { fromSec: 8, toSec: 12 },
      { fromSec: 16, toSec: 20 },
    ]);
    expect(store.missing(5, 7)).toEqual([]);
    expect(store.missing(7, 13)).toEqual([{ fromSec: 8, toSec: 12 }]);
    expect(store.missing(3, 3)).toEqual([]);
  });

  test("stretches that touch become one; an infinite one ends all", () => {
    const store = new CueStore();
    store.add({ fromSec: 0, toSec: 4 }, []);
    store.add({ fromSec: 8, toSec: 12 }, []);
    store.add({ fromSec: 4, toSec: 8 }, []);
    expect(store.known).toEqual([{ fromSec: 0, toSec: 12 }]);
    store.add({ fromSec: 0, toSec: Number.POSITIVE_INFINITY }, []);
    expect(store.missing(0, Number.POSITIVE_INFINITY)).toEqual([]);
  });

  test("a cue that two windows tell of is there once, in its place", () => {
    const store = new CueStore();
    store.add({ fromSec: 8, toSec: 12 }, [cue(2, 20, "long"), cue(9, 10)]);
    store.add({ fromSec: 0, toSec: 4 }, [cue(1, 2), cue(2, 20, "long")]);
    store.add({ fromSec: 4, toSec: 8 }, [cue(2, 20, "long"), cue(7, 8)]);
    expect(texts(store.all)).toEqual(["1", "long", "7", "9"]);
    expect(texts(store.within(3, 8))).toEqual(["long", "7"]);
    expect(texts(store.within(20, 30))).toEqual([]);
  });

  test("a cue without an end gets one, up to the next", () => {
    const store = new CueStore();
    store.add({ fromSec: 0, toSec: 10 }, [cue(1, 1), cue(2.5, 2.5), cue(9, 9)]);
    expect(store.all.map(({ startSec, endSec }) => [startSec, endSec])).toEqual([
      [1, 2.5],
      [2.5, 5.5],
      [9, 12],
    ]);
  });

  test("windows in any order and size give what reading all at once gives", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const film = Array.from({ length: 40 }, (_, i) => {
        const startSec = Math.floor(random.next() * 1_000) / 10;
        return cue(startSec, startSec + 0.1 + Math.floor(random.next() * 100) / 10, `line ${i}`);
      });
      const whole = new CueStore();
      const windows = new CueStore();
      const within = (fromSec: number, toSec: number) =>
        film.filter((line) => line.startSec < toSec && line.endSec > fromSec);
      whole.add({ fromSec: 0, toSec: 120 }, film);
      while (windows.missing(0, 120).length > 0) {
        const fromSec = random.below(115);
        const toSec = Math.min(120, fromSec + 1 + random.below(20));
        for (const gap of windows.missing(fromSec, toSec)) windows.add(gap, within(gap.fromSec, gap.toSec));
      }
      const sorted = (store: CueStore) => texts(store.all).toSorted();
      expect([seed, sorted(windows)]).toEqual([seed, sorted(whole)]);
      const starts = windows.all.map(({ startSec }) => startSec);
      expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    }
  });
});
