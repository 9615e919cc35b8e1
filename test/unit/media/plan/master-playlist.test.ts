import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import {
  type MasterPlaylist,
  masterPlaylist,
  type VideoVariant,
} from "../../../../src/media/plan/master-playlist.ts";
import { type PlaylistPart, renditionName } from "../../../../src/media/plan/playlist-part.ts";
import type { AudioRendition, SubtitleRendition } from "../../../../src/media/plan/rendition-tags.ts";
import { attributesOf, linesOf, parseMaster } from "./strict-parsers.ts";

const TOKEN = "v1.eyJ0.c2ln_-";

function uriOf({ rendition }: PlaylistPart): string {
  return `/api/stream/ab/3/playlist.m3u8?r=${renditionName(rendition)}&q=${rendition.quality}&token=${TOKEN}`;
}

const ORIGINAL: VideoVariant = {
  quality: "original",
  width: 1920,
  height: 800,
  framesPerSec: 24_000 / 1_001,
  codecString: "avc1.640028",
  dynamicRange: "sdr",
  bandwidth: { peakBitsPerSec: 16_000_000, averageBitsPerSec: 9_000_000 },
};
const SMALL: VideoVariant = {
  ...ORIGINAL,
  quality: "480",
  width: 1152,
  height: 480,
  codecString: "avc1.64001f",
  bandwidth: { peakBitsPerSec: 2_000_000, averageBitsPerSec: 1_500_000 },
};

function audio(index: number, of: Partial<AudioRendition> = {}): AudioRendition {
  return {
    index,
    title: null,
    language: null,
    channels: 2,
    codecString: "mp4a.40.2",
    isDefault: false,
    isCommentary: false,
    bandwidth: { peakBitsPerSec: 170_000, averageBitsPerSec: 160_000 },
    ...of,
  };
}

function subtitle(index: number, of: Partial<SubtitleRendition> = {}): SubtitleRendition {
  return { index, title: null, language: null, isDefault: false, isForced: false, ...of };
}

function film(of: Partial<MasterPlaylist> = {}): MasterPlaylist {
  return { video: [ORIGINAL], audio: [audio(0)], subtitles: [], chosenAudio: null, uriOf, ...of };
}

const mediaOf = (text: string) => linesOf(text, "EXT-X-MEDIA").map(attributesOf);
const streamsOf = (text: string) => linesOf(text, "EXT-X-STREAM-INF").map(attributesOf);
const golden = (name: string) => readFileSync(join(import.meta.dir, "golden", name), "utf8");

const RICH = film({
  video: [ORIGINAL, SMALL],
  audio: [
    audio(0, { language: "ru", title: "Дубляж (AC3 5.1)", isDefault: true }),
    audio(1, { language: "en", bandwidth: { peakBitsPerSec: 400_000, averageBitsPerSec: 384_000 } }),
    audio(2, { language: "en", title: "Commentary", isCommentary: true }),
  ],
  subtitles: [
    subtitle(0, { language: "ru", title: "Форсированные", isForced: true, isDefault: true }),
    subtitle(1, { language: "en" }),
    subtitle(2, { language: "en", title: "SDH" }),
  ],
  chosenAudio: 1,
});

describe("the master playlist", () => {
  test.each([
    ["master.m3u8", RICH],
    ["master-no-audio.m3u8", film({ audio: [] })],
    ["master-audio-only.m3u8", film({ video: [], audio: RICH.audio, chosenAudio: 1 })],
    [
      "master-hdr.m3u8",
      film({ video: [{ ...ORIGINAL, codecString: "hvc1.2.4.L153.B0", dynamicRange: "hdr10" }] }),
    ],
  ])("%s is as it always was, and strict parsers take it", (name, list) => {
    const text = masterPlaylist(list);
    expect(text).toBe(golden(name));
    parseMaster(text);
  });

  test("has the qualities in their order, each with the video's and the widest audio's bandwidth", () => {
    const { variants } = parseMaster(masterPlaylist(RICH));
    expect(variants.map(({ uri }) => /q=(\w+)/.exec(uri)![1])).toEqual(["original", "480"]);
    expect(variants[0]).toMatchObject({
      bandwidth: 16_400_000,
      averageBandwidth: 9_384_000,
      codecs: "avc1.640028,mp4a.40.2",
      resolution: { width: 1920, height: 800 },
      frameRate: 23.976,
      videoRange: "SDR",
    });
    expect(variants[1]!.audio.map(({ name }) => name)).toEqual(["Дубляж (AC3 5.1)", "English", "Commentary"]);
    expect(variants[1]!.subtitles.length).toBe(3);
  });

  test("every URI carries the token and is an absolute path", () => {
    const uris = [...masterPlaylist(RICH).matchAll(/URI="([^"]*)"|^(\/.*)$/gm)].map(([, a, b]) => a ?? b!);
    expect(uris.length).toBe(8);
    for (const uri of uris) {
      expect(uri).toStartWith("/api/stream/");
      expect(uri).toEndWith(`&token=${TOKEN}`);
    }
  });

  test("of a film with audio alone names its chosen track once as variant and once in the group", () => {
    const { variants } = parseMaster(masterPlaylist(film({ video: [], audio: RICH.audio, chosenAudio: 1 })));
    expect(variants.length).toBe(1);
    expect(variants[0]!.uri).toBe(variants[0]!.audio[1]!.uri!);
    expect(variants[0]!.resolution).toBeUndefined();
    expect(variants[0]!.codecs).toBe("mp4a.40.2");
  });
});

describe("the default audio", () => {
  const tracks = [audio(0), audio(1, { isDefault: true }), audio(4)];
  const defaults = (chosenAudio: number | null, of = tracks) =>
    mediaOf(masterPlaylist(film({ audio: of, chosenAudio }))).flatMap((tag, i) =>
      tag["DEFAULT"] === "YES" ? [i] : [],
    );

  test("is the chosen one, else the film's own, else the first", () => {
    expect(defaults(4)).toEqual([2]);
    expect(defaults(null)).toEqual([1]);
    expect(defaults(99)).toEqual([1]);
    expect(defaults(null, [audio(0), audio(1)])).toEqual([0]);
  });

  test("may always be selected by the player; of the others one of each language, and no commentary", () => {
    const text = masterPlaylist(RICH);
    expect(
      mediaOf(text).map((tag) => [tag["TYPE"], tag["LANGUAGE"], tag["AUTOSELECT"], tag["FORCED"]]),
    ).toEqual([
      ["AUDIO", "ru", "YES", undefined],
      ["AUDIO", "en", "YES", undefined],
      ["AUDIO", "en", "NO", undefined],
      ["SUBTITLES", "ru", "YES", "YES"],
      ["SUBTITLES", "en", "YES", "NO"],
      ["SUBTITLES", "en", "NO", "NO"],
    ]);
    const commentary = film({ audio: RICH.audio, chosenAudio: 2 });
    expect(mediaOf(masterPlaylist(commentary)).map((tag) => tag["AUTOSELECT"])).toEqual(["YES", "NO", "YES"]);
  });
});

describe("what is not known is left out", () => {
  test("codecs of which one has no name, a rate, a size, a language, a count of channels", () => {
    const unknown = film({
      video: [{ ...ORIGINAL, width: 0, framesPerSec: null, codecString: null }],
      audio: [audio(0, { language: "??", channels: 0 })],
    });
    const text = masterPlaylist(unknown);
    expect(Object.keys(streamsOf(text)[0]!)).toEqual([
      "BANDWIDTH",
      "AVERAGE-BANDWIDTH",
      "VIDEO-RANGE",
      "AUDIO",
    ]);
    expect(mediaOf(text)[0]).not.toHaveProperty("LANGUAGE");
    expect(mediaOf(text)[0]).not.toHaveProperty("CHANNELS");
    expect(
      streamsOf(masterPlaylist(film({ audio: [audio(0, { codecString: 'x"y' })] })))[0],
    ).not.toHaveProperty("CODECS");
  });

  test("a track without a title has its language's own name, and names never repeat", () => {
    const names = (tracks: readonly AudioRendition[]) =>
      mediaOf(masterPlaylist(film({ audio: tracks }))).map((tag) => tag["NAME"]);
    const of = (...languages: (string | null)[]) =>
      names(languages.map((language, i) => audio(i, { language })));
    expect(of("ru", "en", "de", "ja")).toEqual(["Русский", "English", "Deutsch", "日本語"]);
    expect(of("en", "en", "en")).toEqual(["English", "English (2)", "English (3)"]);
    expect(of(null, "und", "zxx", "qaa")).toEqual(["Audio", "Audio (2)", "Audio (3)", "qaa"]);
    const titled = ["A", "A (2)", "A"].map((title, i) => audio(i, { title }));
    expect(names(titled)).toEqual(["A", "A (2)", "A (3)"]);
  });
});

describe("titles of strangers", () => {
  const nasty = [
    'a",URI="http://evil/x.m3u8",NAME="b',
    "a\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://evil/",
    "a\r\n\u2028\u2029\u0085\u0000b",
    "\ud800 half",
    "   ",
    "x".repeat(10_000),
    "# EXTM3U",
    "L'amour, 'toujours",
    "{$film} {{$$x}",
  ];

  test.each(nasty.map((title) => [JSON.stringify(title).slice(0, 40), title]))(
    "%s stays a name",
    (_, title) => {
      const text = masterPlaylist(
        film({ audio: [audio(0, { title })], subtitles: [subtitle(0, { title })] }),
      );
      expect(text.split("\n").length).toBe(8);
      expect(text).not.toMatch(/^http/m);
      for (const tag of mediaOf(text)) {
        expect(tag["URI"]).toStartWith("/api/stream/");
        expect(tag["NAME"]).not.toMatch(/\{\$|'/);
        expect(tag["NAME"]!.length).toBeLessThanOrEqual(200);
        expect(tag["NAME"]!.trim()).not.toBe("");
      }
      parseMaster(text);
    },
  );

  test("any title, language and codec leaves the tags what they are", () => {
    const anyText = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.stringMatching(/^["',={$}A-Z\s]*$/),
    );
    const text = fc.option(anyText);
    const track = fc.record({ title: text, language: text, codecString: text });
    fc.assert(
      fc.property(fc.array(track, { minLength: 1, maxLength: 6 }), (tracks) => {
        const list = film({
          audio: tracks.map((of, i) => audio(i, of)),
          subtitles: tracks.map((of, i) => subtitle(i, { title: of.title, language: of.language })),
        });
        const written = masterPlaylist(list);
        const tags = mediaOf(written);
        expect(written).not.toMatch(/\{\$/);
        expect(tags.map((tag) => tag["URI"])).toEqual([
          ...tracks.map((_, track) =>
            uriOf({ part: "playlist", rendition: { kind: "audio", track, quality: "original" } }),
          ),
          ...tracks.map((_, track) =>
            uriOf({ part: "playlist", rendition: { kind: "subtitle", track, quality: "original" } }),
          ),
        ]);
        for (const group of ["AUDIO", "SUBTITLES"]) {
          const names = tags.filter((tag) => tag["TYPE"] === group).map((tag) => tag["NAME"]);
          expect(new Set(names).size).toBe(tracks.length);
        }
        expect(tags.filter((tag) => tag["TYPE"] === "AUDIO" && tag["DEFAULT"] === "YES").length).toBe(1);
        expect(written.split("\n").length).toBe(3 + 2 * tracks.length + 2 + 1);
        parseMaster(written);
      }),
      { numRuns: 200 },
    );
  });
});
