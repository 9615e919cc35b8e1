import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../../src/base/random.ts";
import { backoffMs, regularDelayMs } from "../../../../src/swarm/trackers/announce-times.ts";

const random = seededRandom(3);

describe("announce times", () => {
  test("the regular announce comes after the interval, at least 300 s, at most 4 h, with a spread", () => {
    const delays = (intervalSec: number, minIntervalSec = 60) =>
      Array.from({ length: 200 }, () => regularDelayMs({ intervalSec, minIntervalSec }, random));
    for (const delay of delays(60)) expect(delay).toBeWithin(300_000, 315_001);
    for (const delay of delays(1800)) expect(delay).toBeWithin(1_800_000, 1_890_001);
    for (const delay of delays(60, 900)) expect(delay).toBeWithin(900_000, 945_001);
    for (const delay of delays(14_400)) expect(delay).toBeLessThanOrEqual(14_400_000);
    expect(new Set(delays(1800)).size).toBeGreaterThan(150);
  });

  test("failures wait 5, 10, 20 … s give or take a quarter, never more than an hour", () => {
    for (const [failCount, sec] of [
      [1, 5],
      [2, 10],
      [3, 20],
      [8, 640],
    ] as const) {
      for (let round = 0; round < 50; round++) {
        expect(backoffMs(failCount, random)).toBeWithin(sec * 750, sec * 1250 + 1);
      }
    }
    for (const failCount of [11, 30, 5000])
      expect(backoffMs(failCount, random)).toBeLessThanOrEqual(3_600_000);
  });
});
