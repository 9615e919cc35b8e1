import { expect, test } from "bun:test";
import { planLinear } from "../../../../src/media/plan/segment-plan.ts";
import { neededInSec } from "../../../../src/media/segments/keeping.ts";

/** 100 segments of 10 s. */
const plan = planLinear({ durationSec: 1_000, targetSec: 10, framesPerSec: null })!;
const of = (placesSec: number[], isCopied = true) => {
  const kept = (n: number | "init") => neededInSec({ plan, isCopied, placesSec }, n);
  return { kept, numbers: Array.from({ length: 100 }, (_, n) => n).filter((n) => kept(n) !== null) };
};

test("copied segments stay from 120 s behind to 60 s ahead of a viewer", () => {
  expect(of([505]).numbers).toEqual(Array.from({ length: 19 }, (_, i) => 38 + i));
  expect(of([0]).numbers).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("of two viewers both count", () => {
  expect(of([0, 505]).numbers.length).toBe(7 + 19);
});

test("encoded segments stay, and so does all of a rendition without viewers", () => {
  expect(of([505], false).numbers.length).toBe(100);
  expect(of([]).numbers.length).toBe(100);
  expect(of([]).kept(3)).toBe(Number.POSITIVE_INFINITY);
});

test("the time until a segment is needed is that of the nearest viewer before it", () => {
  const { kept } = of([505, 105], false);
  expect([50, 51, 60, 99].map(kept)).toEqual([0, 5, 95, 485]);
  expect([10, 11, 49].map(kept)).toEqual([0, 5, 385]);
  expect(kept(9)).toBe(Number.POSITIVE_INFINITY);
});

test("the init segment of a watched rendition is always needed", () => {
  expect(of([505]).kept("init")).toBe(0);
});

test("what is no segment of the plan is not worth keeping", () => {
  expect(of([505]).kept(100)).toBeNull();
  expect(of([505]).kept(Number.NaN)).toBeNull();
});
