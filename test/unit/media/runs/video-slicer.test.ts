import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LIMITS } from "../../../../src/base/limits.ts";
import type { Sample } from "../../../../src/media/fmp4/fragment.ts";
import { Boundaries } from "../../../../src/media/runs/boundaries.ts";
import { BadStart, type SlicedSegment } from "../../../../src/media/runs/slicer.ts";
import { VideoSlicer, type VideoSlicerOptions } from "../../../../src/media/runs/video-slicer.ts";

const TIMESCALE = 1000;
const BOUNDARIES_SEC = [0, 4, 8, 12, 16];

function picture(pts: number, isSync = false, byteCount = 1): Sample {
  return { dts: pts, pts, duration: 40, isSync, bytes: new Uint8Array(byteCount).fill(pts & 0xff) };
}

/** Key frames at these seconds, and a picture each half of a second between them. */
function film(keyframesSec: readonly number[], fromSec = keyframesSec[0] ?? 0, toSec = 16): Sample[] {
  const times = new Set(keyframesSec.filter((sec) => sec >= fromSec));
  for (let sec = Math.ceil(fromSec * 2) / 2; sec < toSec; sec += 0.5) times.add(sec);
  return [...times].sort((a, b) => a - b).map((sec) => picture(sec * TIMESCALE, keyframesSec.includes(sec)));
}

function slicer(given: Partial<VideoSlicerOptions> & { boundariesSec?: readonly number[] } = {}) {
  const segments: SlicedSegment[] = [];
  const made = new VideoSlicer({
    boundaries: new Boundaries(Float64Array.from(given.boundariesSec ?? BOUNDARIES_SEC), TIMESCALE, 0.011),
    first: 0,
    latestStart: null,
    lateFilm: 200,
    refuseOpenStart: false,
    onSegment: (segment) => segments.push(segment),
    ...given,
  });
  return { slicer: made, segments };
}

function slice(samples: readonly Sample[], given: Parameters<typeof slicer>[0] = {}) {
  const { slicer: made, segments } = slicer(given);
  for (const sample of samples) made.push(sample);
  return { segments, rest: made.end(), next: made.next };
}

const told = (segment: SlicedSegment | null) =>
  segment === null
    ? null
    : {
        n: segment.n,
        ptsSec: segment.samples.map(({ pts }) => pts / TIMESCALE),
        endSec: segment.endDts / TIMESCALE,
      };

describe("the slicer of video", () => {
  test("cuts at the key frames of the plan, and keeps those between within their segment", () => {
    const { segments, rest } = slice(film([0, 2, 4, 8, 9, 12]));
    expect(segments.map(({ n }) => n)).toEqual([0, 1, 2]);
    expect(segments.map((segment) => told(segment)?.ptsSec[0])).toEqual([0, 4, 8]);
    expect(segments.map((segment) => told(segment)?.endSec)).toEqual([4, 8, 12]);
    expect(segments[0]?.samples.filter(({ isSync }) => isSync).map(({ pts }) => pts)).toEqual([0, 2000]);
    expect(told(rest)).toEqual({ n: 3, ptsSec: [12, 12.5, 13, 13.5, 14, 14.5, 15, 15.5], endSec: 15.54 });
  });

  test("gives a segment out one picture behind its end, not one group of pictures", () => {
    const { slicer: made, segments } = slicer();
    for (const sample of film([0, 4, 8])) {
      made.push(sample);
      const shown = sample.pts / TIMESCALE;
      expect(segments.length).toBe(shown < 4.5 ? 0 : shown < 8.5 ? 1 : 2);
    }
  });

  test("what comes before the segment that it begins with is dropped, however much it is", () => {
    const all = slice(film([0, 4, 8, 12])).segments;
    for (const landing of [0, 4, 8]) {
      const { segments } = slice(film([0, 4, 8, 12], landing), { first: 2 });
      expect(segments).toEqual(all.slice(2));
    }
  });

  test("a boundary is met also a container's rounding before it", () => {
    const early = film([0, 3.99, 7.995]);
    const { segments } = slice(early);
    expect(segments.map((segment) => told(segment)?.ptsSec[0])).toEqual([0, 3.99]);
    const { segments: late } = slice(film([0, 3.988, 8]));
    expect(late.map(({ n }) => n)).toEqual([0, 1]);
    expect(late[0]?.samples.some(({ pts }) => pts === 3988)).toBe(true);
  });

  test("a missing key frame makes a longer segment and shifts no number", () => {
    const { segments, rest } = slice(film([0, 2, 8, 12]));
    expect(segments.map(({ n }) => n)).toEqual([0, 1, 2]);
    expect(told(segments[0] ?? null)?.endSec).toBe(8);
    expect(segments[0]?.samples).toHaveLength(16);
    // Nothing begins within it: it is the group of pictures that covers its time.
    expect(told(segments[1] ?? null)?.ptsSec).toEqual([2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5]);
    expect(told(segments[2] ?? null)?.ptsSec[0]).toBe(8);
    expect(rest?.n).toBe(3);
  });

  test("a segment without a key frame is the same when a run was started for it", () => {
    const all = slice(film([0, 2, 8, 12])).segments;
    expect(slice(film([0, 2, 8, 12]), { first: 1 }).segments).toEqual(all.slice(1));
    expect(slice(film([0, 2, 8, 12], 2), { first: 1 }).segments).toEqual(all.slice(1));
  });

  test("several segments in a row without a key frame are all covered", () => {
    const { segments, rest } = slice(film([0, 12.5]));
    expect(segments.map(({ n }) => n)).toEqual([0, 1, 2]);
    expect(new Set(segments.map(({ samples }) => samples.length))).toEqual(new Set([25]));
    expect(told(rest)?.ptsSec[0]).toBe(12.5);
  });

  test("a run that begins behind its segment says so, once it was told where it had to begin", () => {
    const late = () => slice(film([0, 4, 8, 12], 8), { first: 1, latestStart: 4011 });
    expect(late).toThrow(new BadStart("late"));
    expect(slice(film([0, 4, 8, 12], 4), { first: 1, latestStart: 4011 }).segments).toHaveLength(2);
  });

  test("a film that begins late has it all in its first segment", () => {
    const { segments, rest } = slice(film([9, 12], 9));
    expect(segments.map((segment) => [segment.n, segment.samples[0]?.pts])).toEqual([
      [0, 0],
      [1, 9000],
      [2, 9000],
    ]);
    expect(told(rest)?.ptsSec[0]).toBe(12);
  });

  test("a film's first picture is shown from 0 on, as long as it takes to the next", () => {
    const { segments } = slice(film([2.5, 4], 2.5));
    expect(told(segments[0] ?? null)?.ptsSec).toEqual([0, 3, 3.5]);
    expect(segments[0]?.samples.map(({ dts }) => dts)).toEqual([0, 3000, 3500]);
    expect(told(slice(film([2.5], 2.5, 3)).rest)).toEqual({ n: 0, ptsSec: [0], endSec: 0.04 });
    // The same elsewhere is a hole of the film's own.
    expect(told(slice(film([4.5, 8], 4.5), { first: 1 }).segments[0] ?? null)?.ptsSec[0]).toBe(4.5);
  });

  test("a film that begins only some pictures late is left as it is", () => {
    expect(told(slice(film([0.2], 0.2, 1)).rest)?.ptsSec).toEqual([0.2, 0.5]);
  });

  test("pictures from before 0 are all there, in their order, a tick each", () => {
    const before = [-1200, -1320, -1280, -1240, -100, 0, 3, 40, 80].map((pts, i) => picture(pts, i === 0));
    const { rest } = slice(before);
    expect(rest?.samples.map(({ pts }) => pts)).toEqual([3, 0, 1, 2, 4, 5, 6, 40, 80]);
    const times = rest?.samples.map(({ dts }) => dts) ?? [];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(0);
  });

  test("the end within a segment gives what there is of it, and nothing when it had not begun", () => {
    expect(told(slice(film([0, 4], 0, 5)).rest)).toEqual({ n: 1, ptsSec: [4, 4.5], endSec: 4.54 });
    expect(told(slice(film([0, 4], 0, 4.5)).rest)).toEqual({ n: 1, ptsSec: [4], endSec: 4.04 });
    expect(slice(film([0], 0, 3), { first: 2 }).rest).toBeNull();
    expect(slice([]).rest).toBeNull();
  });

  test("the last segment takes everything to the end of the film", () => {
    const { segments, rest } = slice(film([0, 4, 8, 12, 16, 17], 0, 20));
    expect(segments).toHaveLength(3);
    expect(rest?.samples.at(-1)?.pts).toBe(19_500);
  });

  test("a film of key frames alone is cut as any other", () => {
    const every = film(Array.from({ length: 32 }, (_, i) => i / 2));
    expect(slice(every).segments.map((segment) => [segment.n, segment.samples.length])).toEqual([
      [0, 8],
      [1, 8],
      [2, 8],
    ]);
  });

  test("more bytes than a segment may have are refused", () => {
    const { slicer: made } = slicer();
    const half = LIMITS.runs.segmentBytes / 2;
    const part = new Uint8Array(half);
    made.push(picture(0, true, 1));
    made.push({ ...picture(100), bytes: part });
    made.push({ ...picture(200), bytes: part.subarray(1) });
    expect(() => made.push(picture(300))).toThrow(expect.objectContaining({ code: "unsupported_media" }));
  });

  test("more pictures than a segment may have are refused, however small", () => {
    const { slicer: made } = slicer();
    const tiny = new Uint8Array(1);
    made.push(picture(0, true));
    const push = (i: number) => made.push({ dts: i, pts: i, duration: 1, isSync: false, bytes: tiny });
    for (let i = 1; i < LIMITS.runs.segmentSamples; i++) push(i % 1000);
    expect(() => push(1)).toThrow(expect.objectContaining({ code: "unsupported_media" }));
  });
});

describe("the slicer of an open GOP", () => {
  /** Each key frame is followed by two pictures that are shown before it. */
  const open = film([0, 4, 8, 12]).flatMap((sample) => {
    if (!sample.isSync || sample.pts === 0) return [sample];
    return [sample, picture(sample.pts - 200), picture(sample.pts - 100)];
  });

  test("they belong to the key frame's segment, which begins at the key frame's own time", () => {
    const { segments } = slice(open);
    expect(told(segments[1] ?? null)?.ptsSec.slice(0, 3)).toEqual([4, 3.8, 3.9]);
    expect(segments[1]?.samples[0]?.dts).toBe(4000);
    expect(segments.map((segment) => segment.samples[0]?.dts)).toEqual([0, 4000, 8000]);
  });

  test("decoding times never step back, within a segment or to the next", () => {
    const all = slice(open);
    const times = [...all.segments, ...(all.rest === null ? [] : [all.rest])].flatMap(
      ({ samples, endDts }) => [...samples.map(({ dts }) => dts), endDts],
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("the picture before them lasts as long as it is shown, not up to the key frame", () => {
    expect(slice(open).segments[0]?.endDts).toBe(3540);
  });

  test("a run may not begin with one, unless it began before it", () => {
    const from = (sec: number) => open.slice(open.findIndex(({ pts }) => pts === sec * TIMESCALE));
    const strict = { first: 1, refuseOpenStart: true };
    expect(() => slice(from(4), strict)).toThrow(new BadStart("open_gop"));
    expect(slice(from(0), strict).segments).toEqual(slice(open).segments.slice(1));
    expect(slice(film([0, 4, 8], 4), strict).segments[0]?.n).toBe(1);
  });
});

test("any two runs of any film give the same segments", () => {
  const gop = fc.record({ halves: fc.integer({ min: 1, max: 9 }), isOpen: fc.boolean(), jitter: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(gop, { minLength: 4, maxLength: 20 }), fc.nat(), (gops, pick) => {
      const starts: number[] = [];
      const samples: Sample[] = [];
      let at = 0;
      for (const { halves, isOpen, jitter } of gops) {
        starts.push(samples.length);
        const pts = at + jitter;
        samples.push(picture(pts, true));
        if (isOpen && at > 0) samples.push(picture(pts - 150));
        for (let half = 1; half < halves; half++) samples.push(picture(pts + half * 500));
        at += halves * 500 + 20;
      }
      const keys = samples.filter(({ isSync }) => isSync).map(({ pts }) => pts / TIMESCALE);
      const cuts = keys.filter((_, i) => i > 0 && i % 2 === 0);
      const boundariesSec = [0, ...cuts, at / TIMESCALE];
      const whole = slice(samples, { boundariesSec });
      const first = pick % (boundariesSec.length - 1);
      const landing = starts[Math.max(0, 2 * first - 1 - (pick % 2))] ?? 0;
      const part = slice(samples.slice(landing), { boundariesSec, first });
      expect([...part.segments, part.rest]).toEqual([...whole.segments.slice(first), whole.rest]);
    }),
    { numRuns: 300 },
  );
});
