// What the page tells the server of its browser, in the words that the server takes.

import { describe, expect, test } from "bun:test";
import { parseCaps, TYPES_TO_ASK } from "../../src/media/decision/caps.ts";
import { ASKED_TYPES, capsOf, type MediaAnswers } from "../../web/src/player/caps.ts";

const browser = (more: Partial<MediaAnswers> = {}): MediaAnswers => ({
  mediaSource: { isTypeSupported: (type) => /avc1|mp4a/.test(type) },
  canPlayType: () => "",
  matchMedia: () => ({ matches: false }),
  ...more,
});

describe("what the browser can play", () => {
  test("the page asks for everything that the server makes something of", () => {
    expect(ASKED_TYPES).toEqual(TYPES_TO_ASK);
  });

  test("MediaSource is asked, and the server understands the answers", () => {
    const caps = capsOf(browser());
    expect(caps).toMatchObject({ mse: true, native_hls: false });
    expect(caps.types).toContainEqual({ type: 'video/mp4; codecs="avc1.640028"', plays: true });
    expect(caps.types).toContainEqual({ type: 'video/mp4; codecs="hvc1.2.4.L153.B0"', plays: false });
    expect(parseCaps(caps)).toMatchObject({ hasMediaSource: true, dynamicRanges: [], heightLimit: null });
  });

  test("where there is no MediaSource the video element is asked", () => {
    const canPlayType = (type: string) => (/mpegurl|hvc1/.test(type) ? "maybe" : "");
    const caps = capsOf(browser({ mediaSource: null, canPlayType }));
    expect(caps).toMatchObject({ mse: false, native_hls: true });
    expect(caps.types.filter(({ plays }) => plays).every(({ type }) => type.includes("hvc1"))).toBe(true);
    expect(parseCaps(caps).hasNativeHls).toBe(true);
  });

  test("HDR is told of a screen that shows it, Dolby Vision only where its codec plays", () => {
    const matchMedia = (query: string) => ({ matches: query === "(video-dynamic-range: high)" });
    expect(capsOf(browser({ matchMedia })).hdr).toEqual(["hdr10", "hlg"]);
    const mediaSource = { isTypeSupported: (type: string) => type.includes("dvh1") };
    const caps = capsOf(browser({ matchMedia, mediaSource }));
    expect(parseCaps(caps).dynamicRanges).toEqual(["hdr10", "hlg", "dolby_vision"]);
    expect(capsOf(browser({ mediaSource })).hdr).toBeUndefined();
  });
});
