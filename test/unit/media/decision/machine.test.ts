import { describe, expect, test } from "bun:test";
import { encoderFor, encodeSpeed } from "../../../../src/media/decision/machine.ts";
import { HEVC_10, machine, video } from "./films.ts";

const X264 = { kind: "x264" } as const;
const NVENC = { kind: "nvenc" } as const;
const work = (different: Parameters<typeof video>[0], heightLimit: number | null, toneMap = false) => ({
  video: video(different),
  heightLimit,
  toneMap,
});
const speed = (...how: Parameters<typeof work>) => encodeSpeed(work(...how), X264, machine());

describe("the estimate of encoding speed", () => {
  test("two cores of a small server: 1080p is too much, 720p and 480p are not", () => {
    const encoders = [null, 720, 480].map((limit) => encoderFor(work({}, limit), machine()));
    expect(encoders).toEqual([null, X264, X264]);
  });

  test("eight such cores do 1080p", () => {
    expect(encoderFor(work({}, null), machine({ cores: 8 }))).toEqual(X264);
  });

  test("falls with size, rate, codec, tone mapping and interlacing", () => {
    expect(speed({}, 480)).toBeGreaterThan(speed({}, 720));
    expect(speed({ framesPerSec: 24 }, 720)).toBeCloseTo(2.5 * speed({ framesPerSec: 60 }, 720));
    expect(speed({}, 720)).toBeGreaterThan(speed(HEVC_10, 720));
    expect(speed(HEVC_10, 720)).toBeGreaterThan(speed(HEVC_10, 720, true));
    expect(speed({}, 720)).toBeGreaterThan(speed({ isInterlaced: true }, 720));
    expect(speed({}, 720)).toBeGreaterThan(speed({ width: 3840, height: 2160 }, 720));
  });

  test("does not count a limit above the film", () => {
    expect(speed({ width: 640, height: 360 }, 720)).toBe(speed({ width: 640, height: 360 }, null));
  });

  test("assumes little where nothing was measured or told", () => {
    const unmeasured = machine({ x264PixelsPerCoreSec: null });
    expect(encoderFor(work({ framesPerSec: null }, 720), unmeasured)).toBeNull();
    expect(encoderFor(work({ framesPerSec: null }, 480), unmeasured)).toEqual(X264);
  });

  test("hardware spares the encode, but not the reading of a film too large for the processor", () => {
    const both = machine({ encoders: [NVENC, X264] });
    expect(encoderFor(work({}, null), both)).toEqual(NVENC);
    const tiny = machine({ encoders: [NVENC, X264], cores: 1, x264PixelsPerCoreSec: 15e6 });
    expect(encoderFor(work({ ...HEVC_10, width: 3840, height: 2160 }, 480), tiny)).toBeNull();
  });
});
