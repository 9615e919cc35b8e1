import { describe, expect, test } from "bun:test";
import type { TypeAnswer } from "../../../../src/media/decision/caps.ts";
import { judgeCodec } from "../../../../src/media/decision/codec-support.ts";

const yes = (...codecs: string[]): TypeAnswer[] =>
  codecs.map((codec) => ({ type: `video/mp4; codecs="${codec}"`, plays: true }));
const no = (codec: string): TypeAnswer => ({ type: `video/mp4; codecs="${codec}"`, plays: false });

describe("a codec among a client's answers", () => {
  test.each([
    ["avc1.640028", "avc1.640028"],
    ["avc1.640028", "avc1.64001F"],
    ["avc1.640033", "avc1.4d401e"],
    ["avc1.640033", "avc1.42e01e"],
    ["avc1.640033", "avc3.640028"],
    ["avc1.6e0033", "avc1.640033"],
    ["hvc1.1.6.L153.B0", "hvc1.1.6.L120.90"],
    ["hvc1.2.4.L153.B0", "hev1.1.6.H93.B0"],
    ["hvc1.A2.4.L153.B0", "hvc1.2.4.L120.B0"],
    ["av01.0.13M.10", "av01.0.08M.08"],
    ["vp09.02.51.10", "vp09.00.41.08"],
    ["vp9", "vp09.00.62.08"],
    ["vp08.00.41.08", "vp8"],
    ["mp4a.40.2", "mp4a.40.2"],
    ["mp4a.40.29", "mp4a.40.2"],
    ["mp4a.40.02", "mp4a.40.2"],
    ["mp3", "mp4a.6B"],
    ["mp4a.69", "mp4a.40.34"],
    ["fLaC", "flac"],
    ["Opus", "opus"],
    ["ec-3", "mp4a.a6"],
  ])("%s plays %s", (answer, codec) => {
    expect(judgeCodec(yes(answer), "mp4", codec)).toBe("plays");
  });

  test.each([
    ["avc1.640028", "avc1.640029", "level"],
    ["avc1.640028", "avc1.6e0028", "bit_depth"],
    ["avc1.4d4028", "avc1.640028", "profile"],
    ["avc1.640028", "avc1.560028", "codec"],
    ["avc1.640028", "hvc1.1.6.L93.B0", "codec"],
    ["hvc1.1.6.L120.B0", "hvc1.1.6.L153.B0", "level"],
    ["hvc1.1.6.L153.B0", "hvc1.2.4.L120.B0", "bit_depth"],
    ["hvc1.2.4.L153.B0", "hvc1.4.10.L120.B0", "bit_depth"],
    ["av01.0.08M.08", "av01.0.08M.10", "bit_depth"],
    ["av01.0.08M.10", "av01.0.12M.10", "level"],
    ["av01.0.08M.10", "av01.1.08M.08", "profile"],
    ["vp9", "vp09.02.41.10", "bit_depth"],
    ["vp9", "vp09.01.41.08", "codec"],
    ["mp4a.40.2", "mp4a.40.5", "profile"],
    ["mp4a.40.2", "ac-3", "codec"],
    ["ac-3", "ec-3", "codec"],
    ["mp4a.40.2", "mp4a.40.42", "codec"],
  ] as const)("%s does not play %s: %s", (answer, codec, verdict) => {
    expect(judgeCodec(yes(answer), "mp4", codec)).toBe(verdict);
  });

  test("an exact no beats a yes to something higher, and an exact yes beats all", () => {
    expect(judgeCodec([...yes("avc1.640033"), no("avc1.640028")], "mp4", "avc1.640028")).toBe("profile");
    expect(judgeCodec([no("avc1.640033"), ...yes("avc1.f40028")], "mp4", "avc1.F40028")).toBe("plays");
  });

  test("counts for its container alone", () => {
    const webm = [{ type: 'video/webm; codecs="vp9, opus"', plays: true }];
    expect(judgeCodec(webm, "webm", "vp09.00.41.08")).toBe("plays");
    expect(judgeCodec(webm, "webm", "opus")).toBe("plays");
    expect(judgeCodec(webm, "mp4", "opus")).toBe("codec");
  });

  test("an audio type counts like a video type, and a no to several codecs is no answer", () => {
    const answers = [
      { type: 'audio/mp4;codecs="mp4a.40.2"', plays: true },
      { type: 'video/mp4; codecs="avc1.640028,mp4a.40.2"', plays: false },
      { type: "VIDEO/MP4 ; CODECS=avc1.640028", plays: true },
    ];
    expect(judgeCodec(answers, "mp4", "mp4a.40.2")).toBe("plays");
    expect(judgeCodec(answers, "mp4", "avc1.640028")).toBe("plays");
  });

  test("nonsense is no answer", () => {
    for (const type of [
      "",
      "video/mp4",
      "video/mp4; codecs=",
      'text/html; codecs="avc1.640028"',
      "avc1.640028",
    ]) {
      expect(judgeCodec([{ type, plays: true }], "mp4", "avc1.640028")).toBe("codec");
    }
    expect(judgeCodec(yes("avc1", "avc1.", "avc1.zz", "hvc1", "av01.x.y.z"), "mp4", "avc1.640028")).not.toBe(
      "plays",
    );
  });
});
