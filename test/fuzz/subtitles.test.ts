import { describe, expect, test } from "bun:test";
import { parseAss } from "../../src/media/subtitles/parse-ass.ts";
import { parseSrt } from "../../src/media/subtitles/parse-srt.ts";
import { parseVtt } from "../../src/media/subtitles/parse-vtt.ts";
import { fuzz, fuzzAsync, fuzzInputs, fuzzSeed } from "./fuzz.ts";
import { ASYNC_SUBTITLE_TARGETS, SLOW_SUBTITLE_TARGETS, SUBTITLE_TARGETS } from "./subtitle-targets.ts";

const SLOW_SHARE = 50;
const HOSTILE_CHARS = 2_000_000;

describe("fuzz", () => {
  for (const target of SUBTITLE_TARGETS) {
    test(`${target.name}: any input gives cues that keep their promises, in bounded time`, () => {
      const result = fuzz(target, { seed: fuzzSeed(), inputs: fuzzInputs() });
      expect(result.refused).toBeLessThan(result.inputs * 0.95);
    }, 600_000);
  }

  for (const target of ASYNC_SUBTITLE_TARGETS) {
    test(`${target.name}: any input gives cues that keep their promises, in bounded time`, async () => {
      const result = await fuzzAsync(target, { seed: fuzzSeed(), inputs: fuzzInputs() });
      expect(result.refused).toBeLessThan(result.inputs);
    }, 600_000);
  }

  for (const target of SLOW_SUBTITLE_TARGETS) {
    test(`${target.name}: any input becomes text, in bounded time`, () => {
      const result = fuzz(target, { seed: fuzzSeed(), inputs: Math.ceil(fuzzInputs() / SLOW_SHARE) });
      expect(result.refused).toBe(0);
    }, 600_000);
  }

  test("two million characters of what could make a parser go back and forth cost each no more than seconds", () => {
    const head = "WEBVTT\n\n00:01.000 --> 00:02.000\n";
    const dialogue = "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,";
    const pieces = [
      "<",
      "<i",
      "<i>",
      "{",
      "{\\",
      "{\\i1",
      "{\\i1}",
      "&",
      "&#1",
      " ",
      "\n",
      "\r",
      "0",
      "0:",
      "-->",
      "00:00:01,000 --> ",
      "a ",
    ];
    for (const piece of pieces) {
      const flood = piece.repeat(HOSTILE_CHARS / piece.length);
      for (const [parse, text] of [
        [parseSrt, head + flood],
        [parseVtt, head + flood],
        [parseAss, dialogue + flood],
      ] as const) {
        const started = performance.now();
        parse(text);
        const tookMs = performance.now() - started;
        if (tookMs > 10_000) throw new Error(`${parse.name} took ${tookMs} ms for ${JSON.stringify(piece)}`);
      }
    }
  }, 600_000);
});
