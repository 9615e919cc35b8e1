import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { KeyframeList } from "../../../../src/media/container/keyframe-list.ts";

function listOf(...keyframes: readonly (readonly [number, number])[]): KeyframeList {
  const list = new KeyframeList(1000);
  for (const [timeSec, positionBytes] of keyframes) list.add(timeSec, positionBytes);
  return list;
}

function told(list: KeyframeList, spacingSec?: number): [number, number][] {
  const { timesSec, positionsBytes } = list.toIndex(spacingSec);
  return Array.from(timesSec, (timeSec, i) => [timeSec, positionsBytes[i] ?? -1]);
}

describe("list of key frames", () => {
  test("is in the order of times, each time once with the first place", () => {
    expect(told(listOf([3, 30], [1, 12], [1, 10], [2, 20]))).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
  });

  test("has no place beyond the file, no time that is none, and never goes back", () => {
    expect(
      told(listOf([0, 5], [1, 1000], [2, -1], [3, Number.NaN], [Number.NaN, 7], [4, 999], [5, 6])),
    ).toEqual([
      [0, 5],
      [4, 999],
    ]);
  });

  test("keeps places that are shared", () => {
    expect(told(listOf([0, 5], [1, 5], [2, 5]))).toHaveLength(3);
  });

  test("is thinned to a spacing", () => {
    const all = Array.from({ length: 11 }, (_, i) => [i / 4, i] as const);
    expect(told(listOf(...all), 0.5).map(([timeSec]) => timeSec)).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
  });

  test("that is empty is no index", () => {
    expect(() => listOf([1, 5000]).toIndex()).toThrow("no_cues");
  });

  test("has as many as the limit; one more is too large", () => {
    const list = new KeyframeList(1000);
    for (let i = 0; i < LIMITS.mediaIndex.keyframes; i++) list.add(i, 1);
    expect(list.toIndex().timesSec.length).toBe(LIMITS.mediaIndex.keyframes);
    expect(() => list.add(1, 1)).toThrow("too_large");
  });
});
