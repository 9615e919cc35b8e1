import { describe, expect, test } from "bun:test";
import { fuzz, fuzzInputs, fuzzSeed } from "./fuzz.ts";
import { MEDIA_PROBE_TARGETS } from "./media-probe-targets.ts";

describe("fuzz", () => {
  for (const target of MEDIA_PROBE_TARGETS) {
    test(`${target.name}: any input is taken or refused with a typed error, in bounded time`, () => {
      const result = fuzz(target, { seed: fuzzSeed(), inputs: fuzzInputs() });
      expect(result.refused).toBeLessThan(result.inputs);
    }, 600_000);
  }
});
