import { describe, expect, test } from "bun:test";
import type { MediaIndex } from "../../../../src/media/ports.ts";
import { audioCodecString, videoCodecString } from "../../../../src/media/probe/codec-strings.ts";
import { withIndex } from "../../../../src/media/probe/with-index.ts";
import { audio, probe, video } from "../decision/films.ts";

describe("the codec name of a video without its container's configuration", () => {
  test.each([
    ["avc1.42e01e", { codec: "h264", profile: "Constrained Baseline", level: 30, bitDepth: 8 }],
    ["avc1.4d401f", { codec: "h264", profile: "Main", level: 31, bitDepth: 8 }],
    ["avc1.640029", { codec: "h264", profile: "High", level: 41, bitDepth: 8 }],
    ["avc1.6e0033", { codec: "h264", profile: "High 10", level: 51, bitDepth: 10 }],
    ["avc1.f40028", { codec: "h264", profile: "High 4:4:4 Predictive", level: 40, bitDepth: 8 }],
    ["hvc1.1.6.L120.B0", { codec: "hevc", profile: "Main", level: 120, bitDepth: 8 }],
    ["hvc1.2.4.L153.B0", { codec: "hevc", profile: "Main 10", level: 153, bitDepth: 10 }],
    ["av01.0.08M.08", { codec: "av1", profile: "Main", level: 8, bitDepth: 8 }],
    ["av01.0.13M.10", { codec: "av1", profile: "Main", level: 13, bitDepth: 10 }],
    ["vp09.00.40.08", { codec: "vp9", profile: "Profile 0", level: null, bitDepth: 8 }],
    ["vp09.02.40.10", { codec: "vp9", profile: "Profile 2", level: null, bitDepth: 10 }],
    ["vp8", { codec: "vp8", profile: null, level: null, bitDepth: 8 }],
  ])("is %s for %j", (expected, facts) => {
    expect(videoCodecString(video(facts))).toBe(expected);
  });

  test.each([
    ["h264", null, 41],
    ["h264", "Multiview High", 41],
    ["h264", "High", null],
    ["hevc", "Main", null],
    ["mpeg4", "Advanced Simple Profile", 5],
    ["mpeg2video", "Main", 8],
    ["vc1", "Advanced", 3],
  ])("%s %s at level %p has none", (codec, profile, level) => {
    expect(videoCodecString(video({ codec, profile, level }))).toBeNull();
  });

  test("VP9's level comes from size and rate", () => {
    const level = (width: number, height: number, framesPerSec: number) =>
      videoCodecString(
        video({ codec: "vp9", profile: "Profile 0", level: null, width, height, framesPerSec }),
      );
    expect(level(256, 144, 15)).toBe("vp09.00.10.08");
    expect(level(1280, 720, 30)).toBe("vp09.00.31.08");
    expect(level(1920, 1080, 60)).toBe("vp09.00.41.08");
    expect(level(3840, 2160, 30)).toBe("vp09.00.50.08");
    expect(level(3840, 2160, 60)).toBe("vp09.00.51.08");
    expect(level(16_000, 9_000, 120)).toBe("vp09.00.62.08");
  });
});

describe("the codec name of an audio track", () => {
  test.each([
    ["aac", "LC", "mp4a.40.2"],
    ["aac", "HE-AAC", "mp4a.40.5"],
    ["aac", "HE-AACv2", "mp4a.40.29"],
    ["aac", null, "mp4a.40.2"],
    ["mp3", null, "mp4a.6B"],
    ["ac3", null, "ac-3"],
    ["eac3", "Dolby Digital Plus + Dolby Atmos", "ec-3"],
    ["opus", null, "opus"],
    ["flac", null, "flac"],
    ["vorbis", null, "vorbis"],
    ["dts", "DTS", "dtsc"],
    ["dts", "DTS-HD MA", "dtsh"],
    ["truehd", null, "mlpa"],
    ["wmav2", null, null],
    ["pcm_s16le", null, null],
  ])("%s %s: %p", (codec, profile, expected) => {
    expect(audioCodecString(codec, profile)).toBe(expected);
  });
});

describe("an index beside the probe", () => {
  const index: MediaIndex = {
    container: "matroska",
    durationSec: 60,
    tracks: [
      { stream: 0, kind: "video", codecId: "V_MPEG4/ISO/AVC", codecPrivate: new Uint8Array(4) },
      { stream: 1, kind: "audio", codecId: "A_AAC", codecPrivate: null },
      { stream: 2, kind: "other", codecId: "A_AAC", codecPrivate: null },
    ],
    keyframes: null,
    noIndex: "no_cues",
    headBytes: [],
  };

  test("gives exact names to the tracks that it knows, by stream and kind", () => {
    const film = probe({
      video: video({ stream: 0 }),
      audio: [audio({ stream: 1 }), audio({ stream: 2, index: 1 })],
    });
    const exact = withIndex(film, index, ({ codecId }) => `exact ${codecId}`);
    expect(exact.video?.codecString).toBe("exact V_MPEG4/ISO/AVC");
    expect(exact.audio.map(({ codecString }) => codecString)).toEqual(["exact A_AAC", "mp4a.40.2"]);
  });

  test("leaves a name where the container tells none, and fills in a missing duration", () => {
    const film = probe({ durationSec: null });
    const exact = withIndex(film, index, () => null);
    expect(exact.video?.codecString).toBe(film.video?.codecString ?? "?");
    expect(exact.durationSec).toBe(60);
  });
});
