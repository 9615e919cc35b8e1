import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LIMITS } from "../../../../src/base/limits.ts";
import {
  durationOf,
  gridRateOf,
  longestSegmentSec,
  planAudio,
  planLinear,
  planSubtitles,
  planVideo,
  segmentAt,
  segmentCountOf,
} from "../../../../src/media/plan/segment-plan.ts";
import type { KeyframeIndex, SegmentPlan } from "../../../../src/media/ports.ts";

function indexOf(...timesSec: number[]): KeyframeIndex {
  return {
    timesSec: Float64Array.from(timesSec),
    positionsBytes: Float64Array.from(timesSec, (_, i) => 5_000 + i * 1_000),
  };
}

function video(timesSec: number[], durationSec: number | null, targetSec = 4): SegmentPlan {
  const plan = planVideo({ keyframes: indexOf(...timesSec), durationSec, targetSec });
  if (plan === null) throw new Error("no plan");
  return plan;
}

const every = (stepSec: number, count: number) => Array.from({ length: count }, (_, i) => i * stepSec);
const boundaries = (plan: SegmentPlan | null) => [...(plan?.boundariesSec ?? [])];

describe("video with an index", () => {
  test("is cut at the first key frame that lies the target behind the last cut", () => {
    expect(boundaries(video([0, 2, 3.9, 4.1, 7, 9, 13.5], 20))).toEqual([0, 4.1, 9, 13.5, 20]);
    expect(boundaries(video(every(1, 20), 20, 2))).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  });

  test("starts at 0, also where its first picture comes a moment later", () => {
    const plan = video([0.021, 2.021, 4.004, 8.008], 12.012);
    expect(boundaries(plan)).toEqual([0, 4.004, 8.008, 12.012]);
    expect([...plan.keyframes!.timesSec]).toEqual([0.021, 4.004, 8.008]);
  });

  test("has no first segment without a picture, however late the film starts", () => {
    const plan = video([30, 32, 40], 50);
    expect(boundaries(plan)).toEqual([0, 32, 40, 50]);
    expect([...plan.keyframes!.timesSec]).toEqual([30, 32, 40]);
  });

  test("is cut every 4 s where the times are 4 s apart but for rounding", () => {
    const times = every(4.004, 10).map((sec) => Math.round(sec * 1000) / 1000 + 1e-9 * Math.sin(sec));
    expect(segmentCountOf(video(times, 40.04))).toBe(10);
    expect(segmentCountOf(video([0, 4.0005, 7.9999, 12.0004], 16))).toBe(4);
  });

  test("gives a last segment of less than a second to the one before", () => {
    expect(boundaries(video([0, 4, 8], 8.9))).toEqual([0, 4, 8.9]);
    expect(boundaries(video([0, 4, 8], 9))).toEqual([0, 4, 8, 9]);
    expect(boundaries(video([0], 0.5))).toEqual([0, 0.5]);
  });

  test("stays true where key frames are rare", () => {
    const plan = video(every(15, 8), 120);
    expect(boundaries(plan)).toEqual([...every(15, 8), 120]);
    expect(longestSegmentSec(plan)).toBe(15);
  });

  test("lasts as long as the container says, and at least until behind its last key frame", () => {
    expect(durationOf(video([0, 4, 8], 11))).toBe(11);
    expect(durationOf(video([0, 4, 8, 30], 11))).toBeCloseTo(30.04, 9);
    for (const told of [null, 0, -5, Number.NaN]) expect(durationOf(video([0, 4, 8], told))).toBe(9);
  });

  test("knows of each segment its key frame, its place and the key frame that a seek must not reach", () => {
    const plan = video([0, 0.4, 4.2, 4.6, 9, 9.4], 12);
    expect([...plan.keyframes!.timesSec]).toEqual([0, 4.2, 9]);
    expect([...plan.keyframes!.positionsBytes]).toEqual([5_000, 7_000, 9_000]);
    expect([...plan.nextKeyframesSec!]).toEqual([0.4, 4.6, 9.4]);
    expect([...video([0, 5], 12).nextKeyframesSec!]).toEqual([5, Number.POSITIVE_INFINITY]);
  });
});

describe("an index that lies", () => {
  test("out of order, twice the same and of no numbers gives the plan of the true ones", () => {
    const keyframes = {
      timesSec: Float64Array.from([8, Number.NaN, 0, 4, 4, Number.POSITIVE_INFINITY, 12, 4.0004, 1e300]),
      positionsBytes: Float64Array.from([300, 7, 100, 200, 250, 9, 400, 260, 11]),
    };
    const plan = planVideo({ keyframes, durationSec: 16, targetSec: 4 });
    expect(boundaries(plan)).toEqual([0, 4, 8, 12, 16]);
    expect([...plan!.keyframes!.positionsBytes]).toEqual([100, 200, 300, 400]);
  });

  test("with one key frame told twice has the next one behind it, not at it", () => {
    const plan = video([0, 0.0001, 2, 4, 4.0004, 7, 8], 12);
    expect([...plan.nextKeyframesSec!]).toEqual([2, 7, Number.POSITIVE_INFINITY]);
  });

  test("with key frames before the film's beginning has one there", () => {
    const plan = video([-0.5, -0.083, 4, 8], 12);
    expect(boundaries(plan)).toEqual([0, 4, 8, 12]);
    expect(plan.keyframes!.timesSec[0]).toBe(0);
  });

  test("with places that go back, or are none, never goes back in the file", () => {
    const keyframes = {
      timesSec: Float64Array.from([0, 4, 8, 12, 16]),
      positionsBytes: Float64Array.from([100, Number.NaN, 90, 1e300, 500]),
    };
    const plan = planVideo({ keyframes, durationSec: 20, targetSec: 4 });
    expect([...plan!.keyframes!.positionsBytes]).toEqual([100, 100, 100, 100, 500]);
  });

  test("of two lists of different length is read as far as it goes", () => {
    const keyframes = { timesSec: Float64Array.from([0, 4, 8]), positionsBytes: Float64Array.from([10]) };
    const plan = planVideo({ keyframes, durationSec: 12, targetSec: 4 });
    expect([...plan!.keyframes!.positionsBytes]).toEqual([10, 10, 10]);
  });

  test("of nothing usable gives no plan", () => {
    for (const times of [[], [Number.NaN], [1e300, Number.POSITIVE_INFINITY]]) {
      expect(planVideo({ keyframes: indexOf(...times), durationSec: 60, targetSec: 4 })).toBeNull();
    }
  });

  test("with one key frame gives one segment, as long as the film", () => {
    expect(boundaries(video([0], 7200))).toEqual([0, 7200]);
    expect(boundaries(video([3], 7200))).toEqual([0, 7200]);
  });

  test("of a million key frames, also in disorder, is read within a second", () => {
    const count = 1_000_000;
    const timesSec = Float64Array.from({ length: count }, (_, i) => ((i * 7_919) % count) * 0.3);
    const positionsBytes = timesSec.map((sec) => sec * 1e5);
    const startedMs = performance.now();
    const plan = planVideo({ keyframes: { timesSec, positionsBytes }, durationSec: 300_000, targetSec: 2 });
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    expect(segmentCountOf(plan!)).toBeLessThanOrEqual(LIMITS.hls.segments);
    expect(segmentCountOf(plan!)).toBeGreaterThan(LIMITS.hls.segments * 0.8);
  });
});

test("no plan has more segments than the limit, whatever the film claims", () => {
  const endless = 1e15;
  const step = LIMITS.hls.filmSec / 300_000;
  const plans = [
    video(every(step, 300_000), endless, 2),
    planLinear({ durationSec: endless, targetSec: 2, framesPerSec: null }),
    planLinear({ durationSec: endless, targetSec: 2, framesPerSec: 1 }),
    planAudio({ durationSec: endless, sampleRate: 48_000 }),
    planAudio({ durationSec: Number.POSITIVE_INFINITY, sampleRate: 44_100 }),
  ];
  for (const plan of plans) {
    expect(segmentCountOf(plan!)).toBeLessThanOrEqual(LIMITS.hls.segments);
    expect(durationOf(plan!)).toBeCloseTo(LIMITS.hls.filmSec, 1);
  }
});

describe("audio", () => {
  test.each([44_100, 48_000])("at %d Hz lies on a grid of 188 frames", (sampleRate) => {
    const plan = planAudio({ durationSec: 600.016, sampleRate })!;
    const step = (188 * 1024) / sampleRate;
    boundaries(plan)
      .slice(0, -1)
      .forEach((sec, segment) => {
        expect(sec).toBe((segment * 188 * 1024) / sampleRate);
      });
    const frames = (durationOf(plan) * sampleRate) / 1024;
    expect(frames).toBeCloseTo(Math.round(frames), 6);
    expect(durationOf(plan) - 600.016).toBeGreaterThanOrEqual(-1e-4);
    expect(durationOf(plan) - 600.016).toBeLessThan(1024 / sampleRate);
    expect(segmentCountOf(plan)).toBe(Math.ceil(600.016 / step));
    expect(plan.sampleRate).toBe(sampleRate);
  });

  test("of any other rate is delivered in 48 kHz", () => {
    expect([8_000, 22_050, 32_000, 44_100, 48_000, 96_000, 0, Number.NaN].map(gridRateOf)).toEqual([
      48_000, 48_000, 48_000, 44_100, 48_000, 48_000, 48_000, 48_000,
    ]);
    expect(planAudio({ durationSec: 60, sampleRate: 96_000 })!.sampleRate).toBe(48_000);
  });

  test("that ends just behind a segment has no splinter of a last one", () => {
    const step = (188 * 1024) / 48_000;
    expect(segmentCountOf(planAudio({ durationSec: 3 * step + 0.5, sampleRate: 48_000 })!)).toBe(3);
    expect(segmentCountOf(planAudio({ durationSec: 3 * step + 1.1, sampleRate: 48_000 })!)).toBe(4);
    expect(boundaries(planAudio({ durationSec: 0.01, sampleRate: 48_000 }))).toEqual([0, 1024 / 48_000]);
  });

  test("of unknown length has no plan", () => {
    for (const durationSec of [null, 0, -1, Number.NaN]) {
      expect(planAudio({ durationSec, sampleRate: 48_000 })).toBeNull();
    }
  });
});

test("subtitles have the boundaries of the video", () => {
  const film = video([0, 5, 9], 12);
  expect(planSubtitles(film)).toEqual({
    boundariesSec: film.boundariesSec,
    keyframes: null,
    sampleRate: null,
  });
});

describe("video without an index", () => {
  test("is cut in equal parts, on pictures where the rate is known", () => {
    expect(boundaries(planLinear({ durationSec: 10.5, targetSec: 4, framesPerSec: null }))).toEqual([
      0, 4, 8, 10.5,
    ]);
    const rate = 24_000 / 1_001;
    const plan = planLinear({ durationSec: 60, targetSec: 4, framesPerSec: rate })!;
    for (const sec of boundaries(plan).slice(0, -1)) {
      expect(sec * rate).toBeCloseTo(Math.round(sec * rate), 9);
    }
    expect(boundaries(plan)[1]).toBeCloseTo(96 / rate, 9);
  });

  test("gives a last part of less than a second to the one before", () => {
    expect(boundaries(planLinear({ durationSec: 8.9, targetSec: 4, framesPerSec: null }))).toEqual([
      0, 4, 8.9,
    ]);
  });

  test("of unknown length has no plan, and a rate that is none is not believed", () => {
    expect(planLinear({ durationSec: null, targetSec: 4, framesPerSec: 25 })).toBeNull();
    for (const framesPerSec of [0, -25, Number.NaN, 1e9]) {
      expect(boundaries(planLinear({ durationSec: 9, targetSec: 4, framesPerSec }))).toEqual([0, 4, 8, 9]);
    }
  });
});

test("the segment at a time is the one that shows it", () => {
  const plan = video([0, 4, 8], 12);
  expect([-1, 0, 3.999, 4, 11, 12, 99].map((sec) => segmentAt(plan, sec))).toEqual([0, 0, 0, 1, 2, 2, 2]);
});

const anyNumber = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: 0, max: 8_000, noNaN: true }) },
  { weight: 1, arbitrary: fc.double() },
);
const anyFilm = fc.record({
  keyframes: fc.array(fc.tuple(anyNumber, anyNumber), { maxLength: 400 }).map((pairs) => ({
    timesSec: Float64Array.from(pairs, ([sec]) => sec),
    positionsBytes: Float64Array.from(pairs, ([, bytes]) => bytes * 1e6),
  })),
  durationSec: fc.option(anyNumber),
  targetSec: fc.integer({ min: 2, max: 10 }),
});

test("any index gives ascending boundaries on its key frames, none nearer than the target, or no plan", () => {
  fc.assert(
    fc.property(anyFilm, (film) => {
      const plan = planVideo(film);
      if (plan === null) {
        expect([...film.keyframes.timesSec].some((sec) => sec < LIMITS.hls.filmSec && sec > -1e300)).toBe(
          false,
        );
        return;
      }
      const all = boundaries(plan);
      expect(all[0]).toBe(0);
      const known = new Set(film.keyframes.timesSec);
      const count = segmentCountOf(plan);
      expect(plan.keyframes!.timesSec.length).toBe(count);
      expect(plan.nextKeyframesSec!.length).toBe(count);
      for (let n = 1; n < count; n++) {
        expect(known.has(all[n]!)).toBe(true);
        expect(all[n]!).toBe(plan.keyframes!.timesSec[n]!);
        expect(all[n]! - all[n - 1]!).toBeGreaterThanOrEqual(film.targetSec - 0.0011);
        expect(plan.keyframes!.positionsBytes[n]!).toBeGreaterThanOrEqual(
          plan.keyframes!.positionsBytes[n - 1]!,
        );
        expect(plan.nextKeyframesSec![n - 1]!).toBeLessThanOrEqual(all[n]!);
      }
      if (count > 1) expect(all[count]! - all[count - 1]!).toBeGreaterThanOrEqual(1);
      expect(all[count]!).toBeGreaterThan(all[count - 1]!);
    }),
    { numRuns: 300 },
  );
});
