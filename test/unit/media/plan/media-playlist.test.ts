import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { mediaPlaylist } from "../../../../src/media/plan/media-playlist.ts";
import { type PlaylistPart, renditionName, tryRendition } from "../../../../src/media/plan/playlist-part.ts";
import {
  durationOf,
  planAudio,
  planLinear,
  planSubtitles,
  planVideo,
} from "../../../../src/media/plan/segment-plan.ts";
import type { RenditionId, SegmentPlan } from "../../../../src/media/ports.ts";
import { parseMedia } from "./strict-parsers.ts";

const TOKEN = "v1.eyJ0.c2ln_-";
const VIDEO: RenditionId = { kind: "video", track: 0, quality: "720" };
const AUDIO: RenditionId = { kind: "audio", track: 1, quality: "original" };
const SUBTITLES: RenditionId = { kind: "subtitle", track: 2, quality: "original" };

function uriOf(part: PlaylistPart): string {
  const { rendition } = part;
  const place = part.part === "segment" ? `segment/${part.segment}` : "segment/init";
  return `/api/stream/ab/3/${place}?r=${renditionName(rendition)}&q=${rendition.quality}&token=${TOKEN}`;
}

const golden = (name: string) => readFileSync(join(import.meta.dir, "golden", name), "utf8");
const FILM = planVideo({
  keyframes: {
    timesSec: Float64Array.from([0.021, 2.5, 5.005, 9.968, 24.942, 25.5]),
    positionsBytes: Float64Array.from([1, 2, 3, 4, 5, 6]),
  },
  durationSec: 30.1234567,
  targetSec: 4,
})!;

describe("the playlist", () => {
  test.each([
    ["video.m3u8", FILM, VIDEO],
    ["audio.m3u8", planAudio({ durationSec: 13, sampleRate: 44_100 })!, AUDIO],
    ["subtitles.m3u8", planSubtitles(FILM), SUBTITLES],
  ])("%s is as it always was", (name, plan, rendition) => {
    expect(mediaPlaylist({ plan, rendition, uriOf })).toBe(golden(name));
  });

  test("names an init segment for all but subtitles, and every URI carries the token", () => {
    for (const rendition of [VIDEO, AUDIO, SUBTITLES]) {
      const text = mediaPlaylist({ plan: FILM, rendition, uriOf });
      const { uris, initUri } = parseMedia(text);
      expect(initUri === null).toBe(rendition === SUBTITLES);
      for (const uri of [...uris, ...(initUri === null ? [] : [initUri])]) {
        expect(uri).toEndWith(`&token=${TOKEN}`);
        expect(
          tryRendition(new URLSearchParams(uri).get("r") ?? /r=(\w+)/.exec(uri)![1]!, null),
        ).not.toBeNull();
      }
      expect(uris.map((uri) => /segment\/(\d+)\?/.exec(uri)![1])).toEqual(["0", "1", "2", "3"]);
    }
  });

  test("of a hundred thousand segments is made in less than a second and adds up to the microsecond", () => {
    const plan = planLinear({ durationSec: 1e9, targetSec: 2, framesPerSec: 24_000 / 1_001 })!;
    const startedMs = performance.now();
    const text = mediaPlaylist({ plan, rendition: VIDEO, uriOf });
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(microseconds(text)).toBe(Math.round(durationOf(plan) * 1e6));
  });
});

test("a URI that would break out of its line or attribute is refused", () => {
  const bad = [
    '/a"b',
    "/a\nb",
    "/a b",
    "/\u2028",
    "/ü",
    "relative",
    "/a'b",
    "/{$x}",
    "https://elsewhere/",
    "",
  ];
  for (const uri of bad) {
    expect(() => mediaPlaylist({ plan: FILM, rendition: VIDEO, uriOf: () => uri }), uri).toThrow(
      "absolute path",
    );
  }
});

test("any index gives a playlist that both parsers read alike and whose lengths add up to the film's", () => {
  const film = fc.record({
    gapsSec: fc.array(fc.double({ min: 0.01, max: 12, noNaN: true }), { minLength: 1, maxLength: 200 }),
    startSec: fc.double({ min: 0, max: 3, noNaN: true }),
    tailSec: fc.double({ min: 0, max: 9, noNaN: true }),
    targetSec: fc.integer({ min: 2, max: 10 }),
    quality: fc.constantFrom("original" as const, "720" as const, "480" as const),
  });
  fc.assert(
    fc.property(film, ({ gapsSec, startSec, tailSec, targetSec, quality }) => {
      let sec = startSec;
      const timesSec = Float64Array.from([startSec, ...gapsSec.map((gap) => (sec += gap))]);
      const positionsBytes = timesSec.map((at) => Math.floor(at * 1e5));
      const keyframes = { timesSec, positionsBytes };
      const plan = planVideo({ keyframes, durationSec: sec + tailSec, targetSec })!;
      const text = mediaPlaylist({ plan, rendition: { ...VIDEO, quality }, uriOf });
      const { lengthsSec } = parseMedia(text);
      expect(microseconds(text)).toBe(Math.round(durationOf(plan) * 1e6));
      checkStarts(plan, lengthsSec);
    }),
    { numRuns: 200 },
  );
});

/** The sum as a player reckons it is where the segment's first picture is, to 2 ms. */
function checkStarts(plan: SegmentPlan, lengthsSec: readonly number[]): void {
  let sum = 0;
  lengthsSec.forEach((length, n) => {
    expect(Math.abs(sum - plan.boundariesSec[n]!)).toBeLessThan(0.000_01);
    sum += length;
  });
}

function microseconds(text: string): number {
  return [...text.matchAll(/^#EXTINF:(\d+)\.(\d{6}),$/gm)].reduce(
    (sum, [, whole, fraction]) => sum + Number(whole) * 1e6 + Number(fraction),
    0,
  );
}
