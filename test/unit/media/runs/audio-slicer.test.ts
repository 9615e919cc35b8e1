import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import type { Sample } from "../../../../src/media/fmp4/fragment.ts";
import { AudioSlicer, FrameGrid } from "../../../../src/media/runs/audio-slicer.ts";
import { Boundaries } from "../../../../src/media/runs/boundaries.ts";
import { BadStart, type SlicedSegment } from "../../../../src/media/runs/slicer.ts";

const RATE = 48_000;
const FRAME = 1024;
/** Ten frames each. */
const BOUNDARIES_SEC = Float64Array.from([0, 10, 20, 30, 35].map((frames) => (frames * FRAME) / RATE));
const SILENCE = Uint8Array.of(0);

function frame(pts: number, mark = 1): Sample {
  return { dts: pts, pts, duration: FRAME, isSync: true, bytes: Uint8Array.of(mark) };
}

/** Frames from..to of the grid, their times moved by `error`. */
const frames = (from: number, to: number, error: (i: number) => number = () => 0) =>
  Array.from({ length: to - from }, (_, i) =>
    frame((from + i) * FRAME + error(from + i), ((from + i) & 0x7f) + 1),
  );

interface Given {
  boundaries?: Boundaries;
  first?: number;
  latestStart?: number | null;
  grid?: FrameGrid;
  silence?: Uint8Array | null;
}

function slice(samples: readonly Sample[], given: Given = {}) {
  const segments: SlicedSegment[] = [];
  const slicer = new AudioSlicer({
    boundaries: given.boundaries ?? new Boundaries(BOUNDARIES_SEC, RATE, 0.005),
    first: given.first ?? 0,
    latestStart: given.latestStart ?? null,
    grid: given.grid ?? new FrameGrid(FRAME),
    silence: given.silence === undefined ? SILENCE : given.silence,
    onSegment: (segment) => segments.push(segment),
  });
  for (const sample of samples) slicer.push(sample);
  return { segments, rest: slicer.end(), next: slicer.next };
}

const marks = (segment: SlicedSegment | undefined) => segment?.samples.map(({ bytes }) => bytes[0]);
const starts = (segments: readonly SlicedSegment[]) =>
  segments.map(({ samples }) => (samples[0]?.pts ?? 0) / FRAME);

describe("the slicer of audio", () => {
  test("gives a segment out with its last frame", () => {
    const { segments } = slice(frames(0, 10));
    expect(segments.map(({ n, samples, endDts }) => [n, samples.length, endDts])).toEqual([
      [0, 10, 10 * FRAME],
    ]);
    expect(slice(frames(0, 9)).segments).toEqual([]);
  });

  test("drops the encoder's first frames, and what is before the segment that was asked for", () => {
    const fromStart = slice(frames(-1, 30));
    expect(starts(fromStart.segments)).toEqual([0, 10, 20]);
    const later = slice(frames(-1, 30), { first: 1 });
    expect(later.segments).toEqual(fromStart.segments.slice(1));
  });

  test("a container's milliseconds are put back on the grid, the same way in every run", () => {
    const rounded = (i: number) => Math.round((i * FRAME) / 48) * 48 - i * FRAME;
    for (const phase of [0, 300, 511, 512, 513, 900]) {
      const jitter = (i: number) => rounded(i) + phase;
      const grid = new FrameGrid(FRAME);
      const whole = slice(frames(0, 35, jitter), { grid });
      const steps = whole.segments.flatMap(({ samples }) => samples.map(({ pts }) => pts % FRAME));
      expect(new Set(steps)).toEqual(new Set([0]));
      for (const landing of [7, 8, 9]) {
        const part = slice(frames(landing, 35, jitter), { grid, first: 1 });
        expect(part.segments).toEqual(whole.segments.slice(1));
      }
    }
  });

  test("a hole is filled with silence, up to whole segments", () => {
    const { segments } = slice([...frames(0, 4), ...frames(27, 35)]);
    expect(segments.map(({ n, samples }) => [n, samples.length])).toEqual([
      [0, 10],
      [1, 10],
      [2, 10],
      [3, 5],
    ]);
    expect(marks(segments[0])).toEqual([1, 2, 3, 4, 0, 0, 0, 0, 0, 0]);
    expect(marks(segments[1])).toEqual(new Array(10).fill(0));
    expect(marks(segments[2])).toEqual([0, 0, 0, 0, 0, 0, 0, 28, 29, 30]);
  });

  test("sound that begins late begins with silence", () => {
    const { segments } = slice(frames(6, 10));
    expect(marks(segments[0])).toEqual([0, 0, 0, 0, 0, 0, 7, 8, 9, 10]);
  });

  test("sound that ends early ends with silence", () => {
    const { rest } = slice(frames(0, 13));
    expect(rest?.n).toBe(1);
    expect(marks(rest ?? undefined)).toEqual([11, 12, 13, 0, 0, 0, 0, 0, 0, 0]);
    expect(slice(frames(0, 10)).rest).toBeNull();
  });

  test("a frame that comes twice is taken once", () => {
    const { segments } = slice([...frames(0, 5), ...frames(3, 10)]);
    expect(marks(segments[0])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("a time far ahead is a hole that is not filled", () => {
    expect(() => slice([frame(0), frame(1e12)])).toThrow(
      expect.objectContaining({ code: "unsupported_media" }),
    );
  });

  test("more bytes, or frames, than a segment may have are refused", () => {
    const boundaries = new Boundaries(Float64Array.of(0, 1e6), RATE, 0.005);
    const large = new Uint8Array(LIMITS.runs.segmentBytes / 4);
    const heavy = Array.from({ length: 5 }, (_, i) => ({ ...frame(i * FRAME), bytes: large }));
    const refused = expect.objectContaining({ code: "unsupported_media" });
    expect(() => slice(heavy, { boundaries })).toThrow(refused);
    expect(() => slice(frames(0, LIMITS.runs.segmentSamples + 1), { boundaries })).toThrow(refused);
  });

  test("without silence a hole stays one, and the frame before it lasts", () => {
    const { segments } = slice([...frames(0, 4), ...frames(12, 20)], { silence: null });
    expect(segments.map(({ n, samples, endDts }) => [n, samples.length, endDts / FRAME])).toEqual([
      [0, 4, 12],
      [1, 8, 20],
    ]);
  });

  test("a copy that begins behind its segment says so", () => {
    const latestStart = 11 * FRAME;
    expect(() => slice(frames(12, 30), { first: 1, latestStart })).toThrow(new BadStart("late"));
    expect(slice(frames(11, 30), { first: 1, latestStart }).segments).toHaveLength(2);
  });

  test("frames of another length are cut at the first that is not before the boundary", () => {
    const grid = new FrameGrid(1536);
    const ac3 = Array.from({ length: 24 }, (_, i) => ({ ...frame(i * 1536), duration: 1536 }));
    const { segments } = slice(ac3, { grid, silence: null });
    expect(segments.map(({ samples }) => samples[0]?.pts)).toEqual([0, 7 * 1536, 14 * 1536, 20 * 1536]);
    expect(segments.every(({ endDts }, i) => endDts === (segments[i + 1]?.samples[0]?.pts ?? endDts))).toBe(
      true,
    );
  });

  test("frames of no fixed length keep their times, and never overlap", () => {
    const grid = new FrameGrid(null);
    const uneven = [0, 960, 1910, 2900, 3840].map((pts) => ({ ...frame(pts), duration: 960 }));
    const { rest } = slice(uneven, { grid, silence: null });
    expect(rest?.samples.map(({ pts }) => pts)).toEqual([0, 960, 1920, 2900, 3860]);
  });
});
