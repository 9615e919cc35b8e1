import { describe, expect, test } from "bun:test";
import { decide } from "../../../../src/media/decision/decide.ts";
import { AC3, audio, indexed, input, NO_INDEX, probe } from "./films.ts";

const codesOf = (decision: { reasons: readonly { code: string }[] }) =>
  decision.reasons.map(({ code }) => code);

describe("what becomes of the sound", () => {
  const made = (different: Parameters<typeof audio>[0], index = indexed()) =>
    decide(input({ probe: probe({ audio: [audio(different)] }), index }));

  test.each([
    ["AC-3", AC3, "AudioCodecNotSupported", 2],
    [
      "E-AC-3",
      { codec: "eac3", codecString: "ec-3", profile: null, channels: 8 },
      "AudioCodecNotSupported",
      2,
    ],
    ["DTS", { codec: "dts", codecString: "dtsc", profile: "DTS", channels: 6 }, "AudioCodecNotSupported", 2],
    [
      "TrueHD",
      { codec: "truehd", codecString: "mlpa", profile: null, channels: 8 },
      "AudioCodecNotSupported",
      2,
    ],
    ["FLAC", { codec: "flac", codecString: "flac", profile: null }, "AudioCodecNotSupported", 2],
    ["HE-AAC", { profile: "HE-AAC", codecString: "mp4a.40.5" }, "AudioProfileNotSupported", 2],
    ["AAC that its container knows better", { codecString: "mp4a.40.5" }, "AudioProfileNotSupported", 2],
    ["surround AAC", { channels: 6 }, "AudioChannelsNotSupported", 2],
    ["AAC of 22 kHz", { sampleRate: 22_050 }, "AudioSampleRateNotSupported", 2],
  ] as const)("%s is encoded", (_, different, ...[code, channels]) => {
    const decision = made(different);
    expect(decision.mode).toBe("remux");
    expect(decision.audio[0]?.making).toEqual({ kind: "encode_audio", channels });
    expect(codesOf(decision)).toContain(code);
  });

  test("mono stays mono", () => {
    expect(made({ channels: 1 }).audio[0]?.making).toEqual({ kind: "encode_audio", channels: 1 });
  });

  test("stereo AAC of 44.1 kHz is copied", () => {
    expect(made({ sampleRate: 44_100 }).audio[0]?.making).toEqual({ kind: "copy_audio" });
  });

  test("each track has its own making, and the one asked for plays first", () => {
    const tracks = [audio(), audio({ ...AC3, index: 1, isDefault: false })];
    const film = probe({ audio: tracks });
    const decision = decide(input({ probe: film, audio: 1 }));
    expect(decision.audio.map(({ making }) => making.kind)).toEqual(["copy_audio", "encode_audio"]);
    expect(decision.audioIndex).toBe(1);
    expect(decide(input({ probe: film, audio: 7 })).audioIndex).toBe(0);
  });

  test("a commentary does not play first, even if the file says so", () => {
    const film = (...tracks: Parameters<typeof audio>[0][]) =>
      probe({ audio: tracks.map((track, index) => audio({ isDefault: false, ...track, index })) });
    const first = (different: ReturnType<typeof film>) => decide(input({ probe: different })).audioIndex;
    expect(first(film({ isCommentary: true, isDefault: true }, {}))).toBe(1);
    expect(first(film({}, { isDefault: true }))).toBe(1);
    expect(first(film({ isCommentary: true }))).toBe(0);
    expect(first(film())).toBeNull();
  });

  test("a film of nothing but sound needs no index of pictures", () => {
    const music = probe({
      video: null,
      audio: [audio({ codec: "flac", codecString: "flac", profile: null })],
    });
    expect(decide(input({ probe: music, index: NO_INDEX }))).toMatchObject({
      mode: "transcode",
      video: null,
      isLinear: false,
      audio: [{ making: { kind: "encode_audio" } }],
    });
  });
});
