import { expect, test } from "bun:test";
import fc from "fast-check";
import { bandwidthOf, sumOfBandwidths } from "../../../../src/media/plan/bandwidth.ts";
import { planAudio, planLinear, planVideo } from "../../../../src/media/plan/segment-plan.ts";

const ALONE = { lengthBytes: 0, bitsPerSec: null, otherBitsPerSec: 0 };

/** Segments of 4 s, so many bytes each. */
function planOf(...bytes: number[]) {
  let at = 10_000;
  const positions = [at, ...bytes.map((count) => (at += count))];
  const keyframes = {
    timesSec: Float64Array.from(positions, (_, i) => i * 4),
    positionsBytes: Float64Array.from(positions),
  };
  return planVideo({ keyframes, durationSec: positions.length * 4, targetSec: 4 })!;
}

test("the average is that of the film, the peak that of the two or three busiest segments in a row", () => {
  const plan = planOf(1_000_000, 1_000_000, 5_000_000, 3_000_000, 1_000_000, 1_000_000);
  expect(bandwidthOf(plan, ALONE)).toEqual({
    averageBitsPerSec: (12e6 * 8) / 24,
    peakBitsPerSec: (8e6 * 8) / 8,
  });
});

test("what follows the last key frame tells nothing: it may be the container's index", () => {
  const plan = planOf(1_000_000, 1_000_000, 1_000_000);
  const facts = { ...ALONE, lengthBytes: 90_000_000 };
  expect(bandwidthOf(plan, facts)).toEqual({ averageBitsPerSec: 2e6, peakBitsPerSec: 2e6 });
});

test("the other tracks' rates are taken off, but never nearly all of it", () => {
  const plan = planOf(1_000_000, 1_000_000, 2_000_000);
  const whole = bandwidthOf(plan, ALONE);
  const own = bandwidthOf(plan, { ...ALONE, otherBitsPerSec: 640_000 });
  expect(whole.averageBitsPerSec - own.averageBitsPerSec).toBeWithin(639_999, 640_002);
  expect(whole.peakBitsPerSec - own.peakBitsPerSec).toBe(640_000);
  const lied = bandwidthOf(plan, { ...ALONE, otherBitsPerSec: 1e12 });
  expect(lied.averageBitsPerSec).toBe(Math.ceil(whole.averageBitsPerSec * 0.1));
});

test("without places the track's rate counts, without that the size of the file", () => {
  const linear = planLinear({ durationSec: 100, targetSec: 4, framesPerSec: null })!;
  expect(bandwidthOf(linear, { lengthBytes: 1e6, bitsPerSec: 5e6, otherBitsPerSec: 0 })).toEqual({
    averageBitsPerSec: 5e6,
    peakBitsPerSec: 7.5e6,
  });
  expect(bandwidthOf(linear, { ...ALONE, lengthBytes: 1e6 }).averageBitsPerSec).toBe(80_000);
  const audio = planAudio({ durationSec: 100, sampleRate: 48_000 })!;
  expect(bandwidthOf(audio, { ...ALONE, bitsPerSec: 160_000 }).averageBitsPerSec).toBe(160_000);
  expect(bandwidthOf(planOf(), { ...ALONE, lengthBytes: 500_000 }).averageBitsPerSec).toBe(1e6);
});

test("bandwidths add up", () => {
  const one = { peakBitsPerSec: 3, averageBitsPerSec: 2 };
  expect(sumOfBandwidths([one, one])).toEqual({ peakBitsPerSec: 6, averageBitsPerSec: 4 });
});

test("of any file both are whole numbers above 0, the peak not below the average", () => {
  const anything = fc.oneof(fc.double(), fc.double({ min: 0, max: 1e12, noNaN: true }));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anything, anything), { minLength: 1, maxLength: 50 }),
      fc.record({
        lengthBytes: fc.nat(),
        bitsPerSec: fc.option(anything),
        otherBitsPerSec: fc.double({ min: 0, noNaN: true }),
      }),
      (pairs, facts) => {
        const keyframes = {
          timesSec: Float64Array.from(pairs, ([sec]) => sec),
          positionsBytes: Float64Array.from(pairs, ([, bytes]) => bytes),
        };
        const plan = planVideo({ keyframes, durationSec: 1_000, targetSec: 2 });
        if (plan === null) return;
        const { peakBitsPerSec, averageBitsPerSec } = bandwidthOf(plan, facts);
        expect(Number.isSafeInteger(peakBitsPerSec)).toBe(true);
        expect(averageBitsPerSec).toBeGreaterThanOrEqual(1);
        expect(peakBitsPerSec).toBeGreaterThanOrEqual(averageBitsPerSec);
      },
    ),
  );
});
