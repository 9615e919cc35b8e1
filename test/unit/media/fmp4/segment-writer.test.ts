import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findBox } from "../../../../src/media/fmp4/box-cursor.ts";
import { readFragment } from "../../../../src/media/fmp4/fragment.ts";
import { readInit } from "../../../../src/media/fmp4/init-facts.ts";
import { type SegmentSample, writeSegment } from "../../../../src/media/fmp4/segment-writer.ts";
import { initBytes } from "../../../support/fmp4-bytes.ts";

const TRACKS = readInit(initBytes({ trackId: 2 }));

function readBack(segment: Uint8Array) {
  const moof = findBox(segment, ["moof"], { from: 0, to: segment.length });
  const end = moof?.end ?? 0;
  return readFragment(segment.subarray(0, end), segment.subarray(end), TRACKS);
}

const sample = (dts: number, pts: number, text: string): SegmentSample => {
  return { dts, pts, isSync: dts === 0, bytes: new TextEncoder().encode(text) };
};

describe("a written segment", () => {
  test("is one moof and one mdat, with its number and its time", () => {
    const samples = [sample(0, 0, "abc"), sample(512, 2048, "d"), sample(1024, 512, "efg")];
    const segment = writeSegment({ trackId: 2, sequence: 77, samples, endDts: 1500 });
    const within = { from: 0, to: segment.length };
    const mfhd = findBox(segment, ["moof", "mfhd"], within);
    expect([...segment.subarray((mfhd?.end ?? 0) - 4, mfhd?.end)]).toEqual([0, 0, 0, 77]);
    const mdat = findBox(segment, ["mdat"], within);
    expect(Buffer.from(segment.subarray(mdat?.bodyStart)).toString()).toBe("abcdefg");
    expect(mdat?.end).toBe(segment.length);
    const [track] = readBack(segment);
    expect(track?.samples.map(({ dts, pts, duration, isSync }) => [dts, pts, duration, isSync])).toEqual([
      [0, 0, 512, true],
      [512, 2048, 512, false],
      [1024, 512, 476, false],
    ]);
  });

  test("whatever samples go in come out again", () => {
    const one = fc.record({
      step: fc.nat(100_000),
      offset: fc.integer({ min: -100_000, max: 100_000 }),
      isSync: fc.boolean(),
      bytes: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.nat(2 ** 50), fc.array(one, { minLength: 1, maxLength: 30 }), (base, list) => {
        let dts = base;
        const samples = list.map(({ step, offset, isSync, bytes }) => {
          const written = { dts, pts: dts + offset, isSync, bytes };
          dts += step;
          return written;
        });
        const [track] = readBack(writeSegment({ trackId: 2, sequence: 1, samples, endDts: dts }));
        expect(track?.samples.map(({ duration: _, ...rest }) => rest)).toEqual(samples);
        expect(track?.samples.map(({ duration }) => duration)).toEqual(list.map(({ step }) => step));
      }),
      { numRuns: 200 },
    );
  });

  test("a time that steps back, or one that its field cannot hold, is refused", () => {
    const refused = expect.objectContaining({ code: "unsupported_media" });
    const write = (samples: SegmentSample[], endDts: number) =>
      writeSegment({ trackId: 2, sequence: 1, samples, endDts });
    expect(() => write([], 0)).toThrow(refused);
    expect(() => write([sample(10, 10, "a")], 9)).toThrow(refused);
    expect(() => write([sample(10, 10, "a"), sample(9, 9, "b")], 20)).toThrow(refused);
    expect(() => write([sample(0, 2 ** 31, "a")], 9)).toThrow(refused);
    expect(() => write([sample(0, 0, "a")], 2 ** 32)).toThrow(refused);
  });
});
