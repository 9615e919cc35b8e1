import { describe, expect, test } from "bun:test";
import { decide } from "../../../../src/media/decision/decide.ts";
import { REASON_CODES, reason } from "../../../../src/media/decision/reasons.ts";
import {
  AC3,
  audio,
  chrome,
  HEVC_10,
  indexed,
  input,
  machine,
  NO_INDEX,
  probe,
  safari,
  subtitle,
  video,
} from "./films.ts";

const codesOf = (decision: { reasons: readonly { code: string }[] }) =>
  decision.reasons.map(({ code }) => code);
const MP4 = { format: "mov,mp4,m4a,3gp,3g2,mj2" };
const mp4 = (different: Parameters<typeof probe>[0] = {}) =>
  ({ probe: probe({ ...MP4, ...different }), index: indexed(4, "mp4"), mediaType: "video/mp4" }) as const;

describe("the file itself", () => {
  test("goes to a browser that plays its MP4", () => {
    const decision = decide(input(mp4()));
    expect(decision).toMatchObject({
      mode: "direct",
      isPlayable: true,
      video: null,
      audio: [],
      audioIndex: 0,
    });
    expect(decision.reasons).toEqual([]);
  });

  test("goes to a browser that plays its WebM", () => {
    const film = probe({
      video: video({ codec: "vp9", codecString: "vp09.00.40.08" }),
      audio: [audio({ codec: "opus", codecString: "opus", channels: 6 })],
    });
    expect(decide(input({ probe: film, mediaType: "video/webm" })).mode).toBe("direct");
    expect(decide(input({ probe: film, mediaType: "video/x-matroska" })).mode).toBe("remux");
  });

  test("with surround AAC goes too: browsers mix it themselves", () => {
    expect(decide(input(mp4({ audio: [audio({ channels: 6 })] }))).mode).toBe("direct");
  });

  test("without sound, or with nothing but sound", () => {
    expect(decide(input(mp4({ audio: [] }))).mode).toBe("direct");
    expect(decide(input({ ...mp4({ video: null }), mediaType: "audio/mp4" })).mode).toBe("direct");
  });

  test.each([
    ["QuickTime", { ...mp4({ format: "mov" }), mediaType: "video/quicktime" }, ["ContainerNotSupported"]],
    ["an MP4 by another name", { ...mp4(), mediaType: "video/x-matroska" }, ["ContainerNotSupported"]],
    ["AC-3 in MP4", mp4({ audio: [audio(AC3)] }), ["AudioCodecNotSupported"]],
    [
      "two audio tracks",
      mp4({ audio: [audio(), audio({ index: 1, stream: 2 })] }),
      ["SecondaryAudioNotSupported"],
    ],
  ])("does not go as %s, but its video is copied", (_, film, codes) => {
    const decision = decide(input(film));
    expect(decision).toMatchObject({ mode: "remux", video: { kind: "copy_video", isHevc: false } });
    expect(codesOf(decision)).toEqual(codes);
  });

  test("goes to players of containers whatever it is", () => {
    const film = probe({
      video: video({ codec: "vc1", codecString: null, isInterlaced: true }),
      audio: [audio(AC3)],
    });
    const decision = decide(input({ probe: film, index: NO_INDEX, caps: chrome({ readsContainers: true }) }));
    expect(decision).toMatchObject({ mode: "direct", isPlayable: true, reasons: [] });
  });

  test("is not taken where HLS is forced or a smaller picture is asked for", () => {
    expect(decide(input({ ...mp4(), isHlsForced: true })).mode).toBe("remux");
    expect(decide(input({ ...mp4(), quality: "720" })).mode).toBe("transcode");
  });
});

describe("the usual torrent", () => {
  test("H.264 and stereo AAC in Matroska: both are copied", () => {
    const decision = decide(input());
    expect(decision).toMatchObject({
      mode: "remux",
      isPlayable: true,
      quality: "original",
      video: { kind: "copy_video", isHevc: false },
      encoder: null,
      audio: [{ index: 0, making: { kind: "copy_audio" } }],
      isLinear: false,
    });
    expect(codesOf(decision)).toEqual(["ContainerNotSupported"]);
  });

  test("HEVC and AC-3 in Safari: the video is copied, the sound is stereo AAC", () => {
    const film = probe({ video: video(HEVC_10), audio: [audio(AC3)] });
    const decision = decide(input({ probe: film, caps: safari() }));
    expect(decision).toMatchObject({
      mode: "remux",
      video: { kind: "copy_video", isHevc: true },
      audio: [{ index: 0, making: { kind: "encode_audio", channels: 2 } }],
    });
    expect(codesOf(decision)).toEqual(["ContainerNotSupported", "AudioCodecNotSupported"]);
  });

  test("HEVC in a Chrome without it: H.264 at a size that this machine can make", () => {
    const decision = decide(input({ probe: probe({ video: video(HEVC_10), audio: [audio(AC3)] }) }));
    expect(decision).toMatchObject({
      mode: "transcode",
      isPlayable: true,
      quality: "720",
      video: { kind: "encode_video", heightLimit: 720, toneMap: false, deinterlace: false },
      encoder: { kind: "x264" },
    });
    expect(codesOf(decision)).toEqual([
      "ContainerNotSupported",
      "VideoCodecNotSupported",
      "AudioCodecNotSupported",
      "EncodingTooSlow",
    ]);
    expect(decision.offers.map(({ quality }) => quality)).toEqual(["720", "480"]);
  });
});

describe("what keeps a picture from being copied", () => {
  test.each([
    ["a codec", { codec: "vc1", codecString: null }, "VideoCodecNotSupported"],
    ["HEVC", HEVC_10, "VideoCodecNotSupported"],
    ["a profile", { codecString: "avc1.f40028", pixelFormat: "yuv444p" }, "VideoProfileNotSupported"],
    ["full colour in a profile that is played", { pixelFormat: "yuv422p" }, "VideoProfileNotSupported"],
    ["a level", { codecString: "avc1.64003c" }, "VideoLevelNotSupported"],
    ["interlacing", { isInterlaced: true }, "InterlacedVideoNotSupported"],
    [
      "HDR",
      { codec: "av1", codecString: "av01.0.08M.10", dynamicRange: "hdr10" },
      "VideoRangeTypeNotSupported",
    ],
    [
      "HLG",
      { codec: "av1", codecString: "av01.0.08M.10", dynamicRange: "hlg" },
      "VideoRangeTypeNotSupported",
    ],
  ] as const)("%s", (_, different, code) => {
    const decision = decide(input({ probe: probe({ video: video(different) }) }));
    expect(decision.video?.kind).toBe("encode_video");
    expect(codesOf(decision)).toContain(code);
  });

  test("ten bits where only eight are played", () => {
    const caps = chrome({ types: [{ type: 'video/mp4; codecs="avc1.640033"', plays: true }] });
    const film = probe({
      video: video({ codecString: "avc1.6e0028", pixelFormat: "yuv420p10le", bitDepth: 10 }),
    });
    expect(codesOf(decide(input({ probe: film, caps })))).toContain("VideoBitDepthNotSupported");
  });

  test("a picture above the client's limit, which bounds the encode too; on end it is measured across", () => {
    const caps = chrome({ heightLimit: 720 });
    const decision = decide(input({ caps }));
    expect(decision.video).toMatchObject({ kind: "encode_video", heightLimit: 720 });
    expect(codesOf(decision)).toContain("VideoResolutionNotSupported");
    const onEnd = probe({ video: video({ width: 720, height: 1280 }) });
    expect(decide(input({ probe: onEnd, caps })).mode).toBe("remux");
  });

  test("key frames too far apart", () => {
    expect(decide(input({ index: indexed(20) })).mode).toBe("remux");
    const decision = decide(input({ index: indexed(20.5) }));
    expect(decision).toMatchObject({ mode: "transcode", isLinear: false });
    expect(codesOf(decision)).toContain("KeyframesTooFarApart");
  });

  test("no index: everything is encoded, in segments of equal length", () => {
    for (const index of [NO_INDEX, null]) {
      const decision = decide(input({ index, probe: probe({ format: "avi" }) }));
      expect(decision).toMatchObject({
        mode: "transcode",
        isLinear: true,
        audio: [{ making: { kind: "encode_audio", channels: 2 } }],
      });
      expect(codesOf(decision)).toContain("NoIndex");
    }
  });

  test("AV1 and VP9 are copied where they play", () => {
    for (const different of [
      { codec: "av1", codecString: "av01.0.08M.08" },
      { codec: "vp9", codecString: "vp09.00.40.08" },
    ]) {
      expect(decide(input({ probe: probe({ video: video(different) }) })).mode).toBe("remux");
    }
  });
});

describe("HDR", () => {
  const film = (different: Parameters<typeof video>[0]) =>
    probe({ video: video({ ...HEVC_10, ...different }) });

  test("is copied to who shows it and turned into SDR for who does not", () => {
    const hdr = film({ dynamicRange: "hdr10" });
    expect(decide(input({ probe: hdr, caps: safari() })).mode).toBe("remux");
    const decision = decide(input({ probe: hdr, caps: safari({ dynamicRanges: [] }) }));
    expect(decision.video).toMatchObject({ kind: "encode_video", toneMap: true });
    expect(codesOf(decision)).toContain("VideoRangeTypeNotSupported");
  });

  test("is turned roughly, and that is said, where filters are missing", () => {
    const decision = decide(
      input({ probe: film({ dynamicRange: "hlg" }), machine: machine({ canToneMap: false }) }),
    );
    expect(decision.video).toMatchObject({ kind: "encode_video", toneMap: true });
    expect(codesOf(decision)).toContain("ToneMappingNotAvailable");
  });

  test("Dolby Vision goes out as its base layer", () => {
    const layered = (base: "hdr10" | "hlg" | "sdr" | null) =>
      film({ dynamicRange: "dolby_vision", dolbyVision: { profile: 8, base } });
    const shown = (base: "hdr10" | "hlg" | "sdr" | null, ranges: ("hdr10" | "hlg" | "dolby_vision")[]) =>
      decide(input({ probe: layered(base), caps: safari({ dynamicRanges: ranges }) })).mode;
    expect(shown("hdr10", ["hdr10"])).toBe("remux");
    expect(shown("hlg", ["hdr10"])).toBe("transcode");
    expect(shown("sdr", [])).toBe("remux");
  });

  test("Dolby Vision without a base layer is not encoded in wrong colours", () => {
    const lost = film({ dynamicRange: "dolby_vision", dolbyVision: { profile: 5, base: null } });
    for (const caps of [safari(), safari({ dynamicRanges: ["dolby_vision"] })]) {
      const decision = decide(input({ probe: lost, caps }));
      expect(decision).toMatchObject({ mode: "direct", isPlayable: false, offers: [] });
      expect(codesOf(decision)).toContain("DynamicRangeNotConvertible");
    }
  });
});

describe("sizes", () => {
  test("of a copied film are the original and what can be encoded below it", () => {
    const { offers } = decide(input());
    expect(offers.map(({ quality, making, encoder }) => [quality, making.kind, encoder?.kind])).toEqual([
      ["original", "copy_video", undefined],
      ["720", "encode_video", "x264"],
      ["480", "encode_video", "x264"],
    ]);
  });

  test("below the film's own are made on request, and said to be asked for", () => {
    const decision = decide(input({ quality: "480" }));
    expect(decision).toMatchObject({ mode: "transcode", quality: "480", video: { heightLimit: 480 } });
    expect(codesOf(decision)).toEqual(["ContainerNotSupported", "QualityRequested"]);
  });

  test("that the film does not reach are the film's own", () => {
    const small = probe({ video: video({ width: 1024, height: 576 }) });
    expect(decide(input({ probe: small, quality: "720" }))).toMatchObject({
      mode: "remux",
      quality: "original",
    });
    expect(decide(input({ probe: small })).offers.map(({ quality }) => quality)).toEqual(["original", "480"]);
  });

  test("too much for the machine are not offered, and the nearest that is takes their place", () => {
    const slow = machine({ x264PixelsPerCoreSec: 14e6 });
    const asked = decide(input({ probe: probe({ video: video(HEVC_10) }), quality: "720", machine: slow }));
    expect(asked).toMatchObject({ mode: "direct", isPlayable: false });
    const able = decide(input({ quality: "720", machine: slow }));
    expect(able).toMatchObject({ mode: "remux", quality: "original" });
    expect(codesOf(able)).toContain("EncodingTooSlow");
  });

  test("above 1080 lines are copied, but never encoded", () => {
    const fast = machine({ cores: 64 });
    const film = probe({ video: video({ ...HEVC_10, width: 3840, height: 2160 }) });
    expect(decide(input({ probe: film, machine: fast })).video).toMatchObject({ heightLimit: 1080 });
    expect(decide(input({ probe: film, caps: safari() })).mode).toBe("remux");
  });

  test("above what the client takes are not offered", () => {
    const small = decide(input({ caps: chrome({ heightLimit: 480 }) }));
    expect(small.offers.map(({ quality, making }) => [quality, making])).toEqual([
      ["original", { kind: "encode_video", heightLimit: 480, toneMap: false, deinterlace: false }],
    ]);
  });

  test("no larger than the film's own are asked of the encoder", () => {
    const small = probe({ video: video({ ...HEVC_10, width: 640, height: 360 }) });
    expect(decide(input({ probe: small })).video).toMatchObject({ kind: "encode_video", heightLimit: null });
  });
});

describe("a machine", () => {
  const hevc = probe({ video: video(HEVC_10) });

  test("with hardware that works uses it, at full size", () => {
    const vaapi = { kind: "vaapi", device: "/dev/dri/renderD128" } as const;
    const decision = decide(
      input({ probe: hevc, machine: machine({ encoders: [vaapi, { kind: "x264" }] }) }),
    );
    expect(decision).toMatchObject({ quality: "original", encoder: vaapi, video: { heightLimit: null } });
    expect(codesOf(decision)).not.toContain("EncodingTooSlow");
  });

  test("without any encoder offers the file to another player, and says why", () => {
    const decision = decide(input({ probe: hevc, machine: machine({ encoders: [] }) }));
    expect(decision).toMatchObject({ mode: "direct", isPlayable: false, offers: [] });
    expect(codesOf(decision)).toEqual([
      "ContainerNotSupported",
      "VideoCodecNotSupported",
      "EncodingNotAvailable",
    ]);
  });

  test("that is too slow for every size says so", () => {
    const decision = decide(input({ probe: hevc, machine: machine({ x264PixelsPerCoreSec: 1e6 }) }));
    expect(decision).toMatchObject({ mode: "direct", isPlayable: false });
    expect(codesOf(decision)).toContain("EncodingTooSlow");
  });
});

describe("HLS that cannot be", () => {
  test("for a client without any: the file, if that plays", () => {
    const caps = chrome({ hasMediaSource: false, hasNativeHls: false });
    expect(decide(input({ ...mp4(), caps }))).toMatchObject({ mode: "direct", isPlayable: true });
    expect(decide(input({ ...mp4(), caps, quality: "480" }))).toMatchObject({
      mode: "direct",
      isPlayable: true,
    });
    const decision = decide(input({ caps }));
    expect(decision).toMatchObject({ mode: "direct", isPlayable: false });
    expect(codesOf(decision)).toEqual(["ContainerNotSupported", "HlsNotSupported"]);
  });

  test("for a film that does not tell its duration", () => {
    const film = probe({ durationSec: null });
    const unknown = { ...indexed(), durationSec: null };
    expect(codesOf(decide(input({ probe: film, index: unknown })))).toContain("DurationUnknown");
    expect(decide(input({ probe: film })).mode).toBe("remux");
  });
});

describe("subtitles", () => {
  test("made of pictures are listed as not to be had", () => {
    const pgs = subtitle({ index: 1, codec: "hdmv_pgs_subtitle", isText: false });
    const decision = decide(input({ probe: probe({ subtitles: [subtitle(), pgs] }) }));
    expect(decision.subtitles).toEqual([
      { index: 0, isAvailable: true },
      { index: 1, isAvailable: false },
    ]);
    expect(decision.reasons.at(-1)).toMatchObject({ code: "SubtitleCodecNotSupported", track: "s1" });
  });
});

test("every reason has a sentence for people", () => {
  for (const code of REASON_CODES) expect(reason(code).message).toMatch(/^[A-Z].{20,}\.$/);
});
