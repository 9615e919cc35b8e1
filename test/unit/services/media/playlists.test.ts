import { describe, expect, test } from "bun:test";
import { masterUri, uriOf } from "../../../../src/services/media/addresses.ts";
import { Film } from "../../../../src/services/media/film.ts";
import { masterOf } from "../../../../src/services/media/playlists.ts";
import { renditionOf, subtitlesOf } from "../../../../src/services/media/subtitle-list.ts";
import { decided, decisionInput, FACTS, FILE, sessionPlan } from "./film-facts.ts";

const OPENING = { token: "v1.a_b-c.d", session: "s-1" };
const FILES = [
  { index: 0, path: "Film/other.mkv", lengthBytes: 70_000_000 },
  { index: 2, path: "Film/film.mkv", lengthBytes: 60_000_000 },
  { index: 3, path: "Film/film.ru.forced.srt", lengthBytes: 99 },
];

describe("addresses", () => {
  const uri = uriOf(FILE, OPENING);
  const base = `/api/stream/${FILE.torrent}/2`;
  const opening = "session=s-1&token=v1.a_b-c.d";

  test("are absolute paths that carry all that opens them", () => {
    const video = { kind: "video", track: 0, quality: "720" } as const;
    const audio = { kind: "audio", track: 1, quality: "original" } as const;
    expect(uri({ part: "playlist", rendition: video })).toBe(`${base}/playlist.m3u8?r=v0&q=720&${opening}`);
    expect(uri({ part: "init", rendition: audio })).toBe(`${base}/segment/init?r=a1&${opening}`);
    expect(uri({ part: "segment", rendition: audio, segment: 17 })).toBe(
      `${base}/segment/17?r=a1&${opening}`,
    );
    expect(masterUri(FILE, OPENING, 1)).toBe(`${base}/master.m3u8?session=s-1&audio=1&token=v1.a_b-c.d`);
  });

  test("of a bare link name no session", () => {
    const bare = { token: "t", session: null };
    const video = { kind: "video", track: 0, quality: "original" } as const;
    expect(uriOf(FILE, bare)({ part: "playlist", rendition: video })).toBe(
      `${base}/playlist.m3u8?r=v0&token=t`,
    );
    expect(masterUri(FILE, bare, null)).toBe(`${base}/master.m3u8?token=t`);
  });
});

describe("the master playlist", () => {
  const master = (changes: Partial<Parameters<typeof masterOf>[0]> = {}) =>
    masterOf({
      session: sessionPlan(),
      qualities: ["original"],
      subtitles: [],
      chosenAudio: null,
      uriOf: uriOf(FILE, OPENING),
      ...changes,
    });

  test("tells of what is delivered, not of what is in the file", () => {
    const text = master();
    expect(text).toContain('CODECS="avc1.640028,mp4a.40.2"');
    expect(text).toContain("RESOLUTION=1920x1080");
    expect(text.match(/CHANNELS="2"/g)).toHaveLength(2);
    const bandwidth = Number(/[:,]BANDWIDTH=(\d+)/.exec(text)?.[1]);
    // 8 Mbit/s by the places of its key frames, less the sound's, more the sound that is delivered.
    expect(bandwidth).toBeGreaterThan(6_500_000);
    expect(bandwidth).toBeLessThan(8_500_000);
  });

  test("lists the qualities that were asked for, each in its own size and codec", () => {
    const text = master({ qualities: ["original", "720", "480"] });
    expect([...text.matchAll(/RESOLUTION=(\d+x\d+)/g)].map(([, size]) => size)).toEqual([
      "1920x1080",
      "1280x720",
      "854x480",
    ]);
    expect(text).toContain('CODECS="avc1.64001f,mp4a.40.2"');
    expect(text).toContain('CODECS="avc1.64001e,mp4a.40.2"');
  });

  test("of a wide screen keeps its shape, and even sizes", () => {
    const { video } = FACTS.probe;
    const wide = { ...FACTS, probe: { ...FACTS.probe, video: { ...video!, width: 1918, height: 802 } } };
    const decision = decided({ ...wide, quality: "480" });
    const session = { decision, film: new Film(FILE, wide, 4) };
    expect(master({ session, qualities: ["480"] })).toContain("RESOLUTION=1148x480");
  });

  test("of HDR that is turned into SDR says SDR", () => {
    const { video } = FACTS.probe;
    const hdr = { ...FACTS, probe: { ...FACTS.probe, video: { ...video!, dynamicRange: "hdr10" as const } } };
    const decision = decided({ ...hdr, caps: { ...decisionInput().caps, dynamicRanges: [] } });
    const film = new Film(FILE, hdr, 4);
    expect(decision.mode).toBe("transcode");
    expect(master({ session: { decision, film } })).toContain("VIDEO-RANGE=SDR");
  });

  test("plays first the audio that was asked for", () => {
    expect(master({ chosenAudio: 1 })).toMatch(/LANGUAGE="ru",DEFAULT=YES/);
    expect(master()).toMatch(/LANGUAGE="en",DEFAULT=YES/);
  });

  test("numbers subtitles through: those inside, then those beside the film", () => {
    const listed = subtitlesOf(FACTS, FILE, FILES);
    expect(listed.map(({ index, kind }) => [index, kind])).toEqual([
      [0, "embedded"],
      [1, "embedded"],
      [2, "sidecar"],
    ]);
    const text = master({ subtitles: [renditionOf(listed[0]!), renditionOf(listed[2]!)] });
    expect(text).toContain("r=s0&");
    expect(text).toContain("r=s2&");
    expect(text).toMatch(/LANGUAGE="ru".*FORCED=YES/);
  });
});
