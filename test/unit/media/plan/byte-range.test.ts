import { expect, test } from "bun:test";
import fc from "fast-check";
import { byteRangeOf } from "../../../../src/media/plan/byte-range.ts";
import {
  planAudio,
  planLinear,
  planSubtitles,
  planVideo,
  segmentCountOf,
} from "../../../../src/media/plan/segment-plan.ts";
import type { SegmentPlan } from "../../../../src/media/ports.ts";

function videoOf(positions: number[], durationSec = positions.length * 4): SegmentPlan {
  const keyframes = {
    timesSec: Float64Array.from(positions, (_, i) => i * 4),
    positionsBytes: Float64Array.from(positions),
  };
  return planVideo({ keyframes, durationSec, targetSec: 4 })!;
}

const VIDEO = videoOf([5_000, 20_000, 30_000, 90_000]);
const FILE = { lengthBytes: 100_000, video: VIDEO };

test("a segment of video lies from its key frame to the next one's", () => {
  expect([0, 1, 2, 3].map((n) => byteRangeOf(VIDEO, n, FILE))).toEqual([
    { start: 5_000, end: 20_000 },
    { start: 20_000, end: 30_000 },
    { start: 30_000, end: 90_000 },
    { start: 90_000, end: 100_000 },
  ]);
});

test("a segment of audio lies where the video of its time lies", () => {
  const audio = planAudio({ durationSec: 16, sampleRate: 48_000 })!;
  // 4.01 s to 8.02 s.
  expect(byteRangeOf(audio, 1, FILE)).toEqual({ start: 20_000, end: 90_000 });
  expect(byteRangeOf(planSubtitles(VIDEO), 1, FILE)).toEqual({ start: 20_000, end: 30_000 });
});

test("key frames of one cluster share its place: the range goes to the next cluster", () => {
  const plan = videoOf([5_000, 20_000, 20_000, 90_000]);
  const file = { lengthBytes: 100_000, video: plan };
  expect(byteRangeOf(plan, 1, file)).toEqual({ start: 20_000, end: 90_000 });
  expect(byteRangeOf(plan, 2, file)).toEqual({ start: 20_000, end: 90_000 });
});

test("without an index the place is in proportion to the time", () => {
  const linear = planLinear({ durationSec: 40, targetSec: 4, framesPerSec: null })!;
  const file = { lengthBytes: 1_000, video: null };
  expect(byteRangeOf(linear, 0, file)).toEqual({ start: 0, end: 100 });
  expect(byteRangeOf(linear, 9, file)).toEqual({ start: 900, end: 1_000 });
});

test("an index that points beyond the file, and numbers that are no segments, stay inside the file", () => {
  const plan = videoOf([5_000, 2e6, 3e6]);
  expect(byteRangeOf(plan, 1, { lengthBytes: 10_000, video: plan })).toEqual({ start: 9_999, end: 10_000 });
  expect(byteRangeOf(VIDEO, 99, FILE)).toEqual({ start: 90_000, end: 100_000 });
  expect(byteRangeOf(VIDEO, -1, FILE)).toEqual({ start: 5_000, end: 20_000 });
  expect(byteRangeOf(VIDEO, 0, { lengthBytes: 0, video: VIDEO })).toEqual({ start: 0, end: 0 });
});

test("of any index the ranges are inside the file and not empty", () => {
  const anything = fc.oneof(fc.double(), fc.double({ min: 0, max: 1e6, noNaN: true }));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anything, anything), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 1e6 }),
      (pairs, lengthBytes) => {
        const keyframes = {
          timesSec: Float64Array.from(pairs, ([sec]) => sec),
          positionsBytes: Float64Array.from(pairs, ([, bytes]) => bytes),
        };
        const video = planVideo({ keyframes, durationSec: 600, targetSec: 2 });
        const audio = planAudio({ durationSec: 600, sampleRate: 48_000 })!;
        for (const plan of [audio, ...(video === null ? [] : [video])]) {
          for (let n = 0; n < Math.min(50, segmentCountOf(plan)); n++) {
            const { start, end } = byteRangeOf(plan, n, { lengthBytes, video });
            expect(start).toBeGreaterThanOrEqual(0);
            expect(end).toBeGreaterThan(start);
            expect(end).toBeLessThanOrEqual(lengthBytes);
          }
        }
      },
    ),
  );
});
