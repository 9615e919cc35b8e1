import { describe, expect, test } from "bun:test";
import { type FuzzTarget, fuzz, fuzzInputs, fuzzSeed } from "./fuzz.ts";
import { METAINFO_TARGETS } from "./metainfo-targets.ts";

describe("fuzz", () => {
  for (const target of METAINFO_TARGETS) {
    test(`${target.name}: any input is taken or refused with a typed error, in bounded time`, () => {
      const result = fuzz(target, { seed: fuzzSeed(), inputs: fuzzInputs() });
      expect(result.refused).toBeLessThan(result.inputs);
    }, 600_000);
  }

  test("the fuzzer finds a planted fault and tells seed and input", () => {
    const planted: FuzzTarget = {
      name: "planted",
      corpus: [new Uint8Array([1, 2, 3])],
      dictionary: [new Uint8Array([0xee])],
      run(input) {
        if (input.includes(0xee)) throw new Error("boom");
      },
      isExpected: () => false,
    };
    expect(() => fuzz(planted, { seed: 1, inputs: 1_000 })).toThrow(
      /seed 1: [\s\S]*boom[\s\S]*input: [0-9a-f]*ee/,
    );
  });
});
