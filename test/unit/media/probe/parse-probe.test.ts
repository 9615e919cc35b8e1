import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../../src/base/errors.ts";
import { parseProbe } from "../../../../src/media/probe/parse-probe.ts";

const VIDEO = {
  index: 0,
  codec_type: "video",
  codec_name: "hevc",
  profile: "Main 10",
  level: 153,
  width: 3840,
  height: 2160,
  pix_fmt: "yuv420p10le",
  color_transfer: "smpte2084",
  avg_frame_rate: "24000/1001",
  r_frame_rate: "24000/1001",
  disposition: {},
};
const AUDIO = { index: 1, codec_type: "audio", codec_name: "truehd", channels: 8, sample_rate: "48000" };
const subtitle = (codec_name: string, more: object = {}) => ({
  index: 2,
  codec_type: "subtitle",
  codec_name,
  ...more,
});
const probeOf = (
  streams: readonly unknown[],
  format: object = { format_name: "matroska,webm", duration: "60.5" },
) => parseProbe(JSON.stringify({ streams, format }));
const videoOf = (more: object) => probeOf([{ ...VIDEO, ...more }, AUDIO]).video;
const dolby = (more: object) => ({
  side_data_list: [{ side_data_type: "DOVI configuration record", ...more }],
});

describe("ffprobe's answer", () => {
  test("tells of a film what decisions need", () => {
    const { video, audio, durationSec, format } = probeOf([VIDEO, AUDIO]);
    expect(video).toMatchObject({
      codec: "hevc",
      codecString: "hvc1.2.4.L153.B0",
      bitDepth: 10,
      dynamicRange: "hdr10",
    });
    expect(video?.framesPerSec).toBeCloseTo(23.976, 3);
    expect(audio[0]).toMatchObject({ codec: "truehd", channels: 8, index: 0, stream: 1, language: null });
    expect([durationSec, format]).toEqual([60.5, "matroska,webm"]);
  });

  test.each([
    ["profile 5, which has no base layer", { dv_profile: 5, dv_bl_signal_compatibility_id: 0 }, 5, null],
    ["profile 7 of a disc", { dv_profile: 7, dv_bl_signal_compatibility_id: 6 }, 7, "hdr10"],
    ["profile 8.1", { dv_profile: 8, dv_bl_signal_compatibility_id: 1 }, 8, "hdr10"],
    ["profile 8.4 of a phone", { dv_profile: 8, dv_bl_signal_compatibility_id: 4 }, 8, "hlg"],
    ["profile 9 over SDR", { dv_profile: 9, dv_bl_signal_compatibility_id: 2 }, 9, "sdr"],
    ["a record that tells nothing", {}, null, "hdr10"],
  ] as const)("knows Dolby Vision: %s", (_, record, profile, base) => {
    expect(videoOf(dolby(record))).toMatchObject({
      dynamicRange: "dolby_vision",
      dolbyVision: { profile, base },
    });
  });

  test("knows Dolby Vision by its sample entry alone", () => {
    expect(videoOf({ codec_tag_string: "dvh1" })?.dynamicRange).toBe("dolby_vision");
  });

  test.each([
    ["arib-std-b67", "hlg"],
    ["bt709", "sdr"],
    [undefined, "sdr"],
    [17, "sdr"],
  ] as const)("a transfer of %p is %s", (color_transfer, range) => {
    expect(videoOf({ color_transfer })?.dynamicRange).toBe(range);
  });

  test.each([
    ["yuv420p", 8],
    ["yuv420p10le", 10],
    ["yuv422p12be", 12],
    ["gbrp10le", 10],
    ["gray10le", 10],
    ["p010le", 10],
    ["p016le", 16],
    ["nv12", 8],
    ["yuvj420p", 8],
    ["rgb24", 8],
  ])("%s has %d bits", (pix_fmt, bits) => {
    expect(videoOf({ pix_fmt })?.bitDepth).toBe(bits);
  });

  test.each(["tt", "bb", "tb", "bt"])("fields of order %s are interlaced", (field_order) => {
    expect(videoOf({ field_order })?.isInterlaced).toBe(true);
  });

  test.each(["progressive", "unknown", undefined])("fields of order %s are not", (field_order) => {
    expect(videoOf({ field_order })?.isInterlaced).toBe(false);
  });

  test.each([
    [-90, 90],
    [90, 270],
    [180, 180],
    [-180, 180],
    [-270, 270],
  ] as const)("a display matrix of %d turns it clockwise by %d", (rotation, degrees) => {
    const side_data_list = [{ side_data_type: "Display Matrix", rotation }];
    expect(videoOf({ side_data_list })?.rotationDegrees).toBe(degrees);
  });

  test("a rate that cannot be is taken from the other field, or is unknown", () => {
    expect(videoOf({ avg_frame_rate: "0/0", r_frame_rate: "25/1" })?.framesPerSec).toBe(25);
    expect(videoOf({ avg_frame_rate: "0/0", r_frame_rate: "90000/1" })?.framesPerSec).toBeNull();
    expect(videoOf({ avg_frame_rate: "1/0", r_frame_rate: "-25/1" })?.framesPerSec).toBeNull();
  });

  test("the film is the first video that is no picture", () => {
    const cover = { ...VIDEO, codec_name: "mjpeg", disposition: { attached_pic: 1 } };
    const film = { ...VIDEO, index: 3, codec_name: "h264", profile: "High", level: 41 };
    expect(probeOf([cover, AUDIO, film]).video?.stream).toBe(3);
    expect(probeOf([cover, AUDIO]).video).toBeNull();
  });

  test("pictures as subtitles are listed as such, beside text", () => {
    const codecs = [
      "hdmv_pgs_subtitle",
      "dvd_subtitle",
      "dvb_subtitle",
      "dvb_teletext",
      "subrip",
      "ass",
      "mov_text",
      "webvtt",
    ];
    const { subtitles } = probeOf([VIDEO, ...codecs.map((codec) => subtitle(codec))]);
    expect(subtitles.map(({ isText }) => isText)).toEqual([
      false,
      false,
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
    expect(subtitles.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("forced and commentary tracks are known by flag or by name", () => {
    const { audio, subtitles } = probeOf([
      { ...AUDIO, disposition: { comment: 1 } },
      { ...AUDIO, tags: { title: "Director's Commentary" } },
      { ...AUDIO, tags: { TITLE: "Комментарии" } },
      AUDIO,
      subtitle("subrip", { disposition: { forced: 1, default: 1 } }),
      subtitle("subrip", { tags: { title: "Форсированные" } }),
      subtitle("subrip", { tags: { title: "Reinforced" } }),
    ]);
    expect(audio.map(({ isCommentary }) => isCommentary)).toEqual([true, true, true, false]);
    expect(subtitles.map(({ isForced }) => isForced)).toEqual([true, true, false]);
    expect(subtitles.map(({ isDefault }) => isDefault)).toEqual([true, false, false]);
  });

  test("a stream without a known codec cannot be chosen, and those behind it close up", () => {
    const { audio } = probeOf([
      { ...AUDIO, codec_name: undefined },
      { ...AUDIO, index: 5 },
    ]);
    expect(audio.map(({ index, stream }) => [index, stream])).toEqual([[0, 5]]);
  });

  test("bits per second come from the stream or from the muxer's tag", () => {
    expect(videoOf({ bit_rate: "5000000" })?.bitsPerSec).toBe(5_000_000);
    expect(videoOf({ tags: { BPS: "4000000" } })?.bitsPerSec).toBe(4_000_000);
    expect(videoOf({ bit_rate: "N/A" })?.bitsPerSec).toBeNull();
  });

  test("QuickTime is told apart from MP4", () => {
    const format = (major_brand: string) => ({
      format_name: "mov,mp4,m4a,3gp,3g2,mj2",
      tags: { major_brand },
    });
    expect(probeOf([VIDEO], format("qt  ")).format).toBe("mov");
    expect(probeOf([VIDEO], format("isom")).format).toBe("mov,mp4,m4a,3gp,3g2,mj2");
  });
});

describe("a hostile answer", () => {
  const refused = (json: string) => {
    try {
      parseProbe(json);
    } catch (error) {
      return error;
    }
    return null;
  };

  test.each([
    "",
    "{",
    "null",
    "[]",
    "7",
    "{}",
    '{"streams":{}}',
    '{"streams":[null,7,[],"x"]}',
    '{"streams":[{"codec_type":"video"}]}',
    '{"streams":[{"codec_type":"subtitle","index":0,"codec_name":"subrip"}]}',
  ])("%j holds nothing to play", (json) => {
    const error = refused(json);
    expect(error).toBeInstanceOf(TorrxError);
    expect(error).toMatchObject({ code: "unsupported_media" });
  });

  test("sizes out of bounds are no video, and the sound still plays", () => {
    for (const size of [
      { width: 0 },
      { height: -1 },
      { width: 16_385 },
      { width: "1e9" },
      { height: null },
    ]) {
      expect(probeOf([{ ...VIDEO, ...size }, AUDIO]).video).toBeNull();
    }
    expect(videoOf({ width: 16_384 })?.width).toBe(16_384);
  });

  test("numbers out of bounds are unknown", () => {
    const film = probeOf(
      [
        { ...VIDEO, level: -99, bit_rate: "1e99" },
        { ...AUDIO, channels: 1e9, sample_rate: "0" },
      ],
      { format_name: 7, duration: "-1", bit_rate: "99999999999999" },
    );
    expect(film).toMatchObject({ durationSec: null, bitsPerSec: null, format: "unknown" });
    expect(film.video).toMatchObject({ level: null, bitsPerSec: null, codecString: null });
    expect(film.audio[0]).toMatchObject({ channels: 2, sampleRate: 48_000 });
  });

  test("the clock of a file without an index begins where it says, within bounds", () => {
    const startOf = (format_name: string, start_time: unknown) =>
      probeOf([VIDEO], { format_name, start_time }).startSec;
    expect(startOf("mpegts", "3601.400000")).toBe(3601.4);
    expect(startOf("mpeg", "0.5")).toBe(0.5);
    for (const odd of ["0.000000", "-1.5", "1e9", "999999999", null, "N/A"]) {
      expect(startOf("mpegts", odd)).toBeUndefined();
    }
    expect(startOf("matroska,webm", "5.0")).toBeUndefined();
    expect(startOf("mov,mp4,m4a,3gp,3g2,mj2", "5.0")).toBeUndefined();
  });

  test("names of codecs are names, and titles are cut and cleaned", () => {
    const title = `\u202e<script>\u0000${"x".repeat(5_000)}`;
    const { audio, video } = probeOf([
      { ...VIDEO, profile: "High\n#EXT-X-EVIL" },
      { ...AUDIO, tags: { title, language: 'en",URI="evil' } },
      { ...AUDIO, codec_name: "aac\u0000" },
    ]);
    expect(video?.profile).toBeNull();
    expect(audio).toHaveLength(1);
    expect(audio[0]?.title).toHaveLength(120);
    expect(audio[0]?.title).toStartWith("<script> xxx");
    expect(audio[0]?.language).toBeNull();
  });

  test("lists are cut", () => {
    const many = <T>(stream: T, count: number) => Array.from({ length: count }, () => stream);
    expect(probeOf([VIDEO, ...many(AUDIO, 64)]).audio).toHaveLength(64);
    expect(probeOf([VIDEO, ...many(AUDIO, 65)]).audio).toHaveLength(64);
    expect(probeOf([VIDEO, ...many(subtitle("ass"), 129)]).subtitles).toHaveLength(128);
    expect(probeOf([VIDEO, ...many({ codec_type: "attachment" }, 10_000)]).attachments).toBe(511);
  });

  test("a tag called __proto__ is only a tag", () => {
    const json = `{"streams":[{"index":0,"codec_type":"audio","codec_name":"aac","tags":{"__proto__":{"title":"x"}}}]}`;
    expect(parseProbe(json).audio[0]?.title).toBeNull();
  });
});
