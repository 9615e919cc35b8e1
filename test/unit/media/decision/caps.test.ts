import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../../src/base/errors.ts";
import { CAPS_SCHEMA, PLATFORMS, parseCaps, TYPES_TO_ASK } from "../../../../src/media/decision/caps.ts";
import { clientCaps } from "../../../../src/media/decision/client-caps.ts";
import { judgeCodec } from "../../../../src/media/decision/codec-support.ts";

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
const ANDROID =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";
const TIZEN =
  "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36";
const XBOX =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edge/44.18363.8131";
const H264 = { type: 'video/mp4; codecs="avc1.640028"', plays: true };
const LEAST = { mse: true, native_hls: false, types: [H264] };
const of = (told: unknown, userAgent: string = CHROME) => clientCaps({ told, userAgent, accept: null });

describe("caps as a player tells them", () => {
  test("are taken as they are, with what is left out", () => {
    expect(parseCaps(LEAST)).toEqual({
      hasMediaSource: true,
      hasNativeHls: false,
      types: [H264],
      heightLimit: null,
      dynamicRanges: [],
      platform: null,
    });
  });

  test("may tell everything", () => {
    const told = { ...LEAST, max_height: 2160, hdr: ["hdr10", "dolby_vision"], platform: "webos" };
    expect(parseCaps(told)).toMatchObject({
      heightLimit: 2160,
      dynamicRanges: ["hdr10", "dolby_vision"],
      platform: "webos",
    });
  });

  const long = "x".repeat(161);
  test.each([
    ["caps", null],
    ["caps", []],
    ["caps", "secret"],
    ["caps.mse", {}],
    ["caps.mse", { ...LEAST, mse: "secret" }],
    ["caps.native_hls", { mse: true, types: [] }],
    ["caps.types", { mse: true, native_hls: true }],
    ["caps.types", { ...LEAST, types: Array(97).fill(H264) }],
    ["caps.types[1]", { ...LEAST, types: [H264, "secret"] }],
    ["caps.types[0]", { ...LEAST, types: [{ ...H264, secret: 1 }] }],
    ["caps.types[0].type", { ...LEAST, types: [{ type: long, plays: true }] }],
    ["caps.types[0].type", { ...LEAST, types: [{ type: "ab", plays: true }] }],
    ["caps.types[0].plays", { ...LEAST, types: [{ type: "video/mp4", plays: "secret" }] }],
    ["caps.max_height", { ...LEAST, max_height: 143 }],
    ["caps.max_height", { ...LEAST, max_height: 8641 }],
    ["caps.max_height", { ...LEAST, max_height: 720.5 }],
    ["caps.max_height", { ...LEAST, max_height: null }],
    ["caps.hdr", { ...LEAST, hdr: ["hdr10", "hlg", "hlg", "hlg"] }],
    ["caps.hdr", { ...LEAST, hdr: ["secret"] }],
    ["caps.platform", { ...LEAST, platform: "secret" }],
    ["caps", { ...LEAST, secret: 1 }],
  ])("are refused by the name of the field: %s (%#)", (field, told) => {
    let thrown: unknown;
    try {
      parseCaps(told);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TorrxError);
    expect(thrown).toMatchObject({ code: "validation" });
    expect((thrown as TorrxError).message).toStartWith(`${field} must be `);
    expect((thrown as TorrxError).message).not.toContain("secret");
  });

  test("are taken at their limits", () => {
    const told = {
      ...LEAST,
      types: Array(96).fill({ type: "x".repeat(160), plays: false }),
      max_height: 8640,
      hdr: ["hdr10", "hlg", "dolby_vision"],
    };
    expect(parseCaps(told).types).toHaveLength(96);
    expect(parseCaps({ ...LEAST, max_height: 144 }).heightLimit).toBe(144);
  });

  test("every field of the schema is described, and what players should ask fits it", () => {
    for (const field of Object.values(CAPS_SCHEMA.properties))
      expect(field.description.length).toBeGreaterThan(10);
    const told = { ...LEAST, types: TYPES_TO_ASK.map((type) => ({ type, plays: true })) };
    expect(parseCaps(told).types).toHaveLength(TYPES_TO_ASK.length);
    expect(CAPS_SCHEMA.properties.platform.enum).toBe(PLATFORMS);
  });
});

describe("caps that are known not to be so", () => {
  const television = {
    ...LEAST,
    types: [H264, { type: 'video/mp4; codecs="hvc1.2.4.L153.B0"', plays: false }],
  };

  test("televisions of Samsung and LG play HEVC and AC-3 whatever they answer", () => {
    for (const told of [television, { ...television, platform: "webos" }]) {
      const { types } = of(told, TIZEN);
      for (const codec of ["hvc1.2.4.L120.B0", "ac-3", "ec-3", "avc1.640028"]) {
        expect(judgeCodec(types, "mp4", codec)).toBe("plays");
      }
    }
    expect(judgeCodec(of(television).types, "mp4", "hvc1.2.4.L120.B0")).not.toBe("plays");
  });

  test("an Xbox has no AV1", () => {
    const told = { ...LEAST, types: [H264, { type: 'video/mp4; codecs="av01.0.13M.10"', plays: true }] };
    expect(judgeCodec(of(told, XBOX).types, "mp4", "av01.0.08M.08")).toBe("codec");
    expect(judgeCodec(of(told).types, "mp4", "av01.0.08M.08")).toBe("plays");
  });

  test("HDR is shown by Chrome on any desktop, and on Android and in Firefox on such screens alone", () => {
    expect(of(LEAST).dynamicRanges).toEqual(["hdr10", "hlg"]);
    expect(of(LEAST, ANDROID).dynamicRanges).toEqual([]);
    expect(of(LEAST, FIREFOX).dynamicRanges).toEqual([]);
    expect(of({ ...LEAST, hdr: ["hdr10"] }, ANDROID).dynamicRanges).toEqual(["hdr10"]);
    expect(of({ ...LEAST, platform: "android" }).dynamicRanges).toEqual([]);
  });
});

describe("who tells nothing", () => {
  const unknown = (userAgent: string | null, accept: string | null = null) =>
    clientCaps({ told: undefined, userAgent, accept });
  const playsWith = (userAgent: string | null, codec: string) =>
    judgeCodec(unknown(userAgent).types, "mp4", codec) === "plays";

  test.each([
    ["Chrome on Windows", CHROME, "desktop"],
    ["Chrome on Android", ANDROID, "android"],
    ["Edge", `${CHROME} Edg/130.0.0.0`, "desktop"],
    ["Firefox", FIREFOX, "desktop"],
    ["Firefox on Android", "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "android"],
    [
      "Safari",
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
      "desktop",
    ],
    [
      "an iPhone",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
      "ios",
    ],
    [
      "Chrome on an iPhone",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0.6723.90 Mobile/15E148 Safari/604.1",
      "ios",
    ],
    ["an Apple TV", "AppleCoreMedia/1.0.0.21M71 (Apple TV; U; CPU OS 17_6 like Mac OS X; en_us)", "ios"],
    [
      "a Mac's media stack",
      "AppleCoreMedia/1.0.0.23G93 (Macintosh; U; Intel Mac OS X 14_6; en_us)",
      "desktop",
    ],
    ["a Samsung TV", TIZEN, "tizen"],
    [
      "an LG TV",
      "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
      "webos",
    ],
    [
      "an old LG TV",
      "Mozilla/5.0 (Unknown; Linux armv7l) AppleWebKit/537.1+ (KHTML, like Gecko) Safari/537.1+ LG Browser/6.00.00(+mouse+3D+SCREEN+TUNER; LGE; 55UB850V-ZA; 04.02.28; 0x00000001;); LG NetCast.TV-2014",
      "webos",
    ],
    [
      "Chromecast",
      "Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.331 Safari/537.36 CrKey/1.56.500000",
      "chromecast",
    ],
    ["an Xbox", XBOX, "xbox"],
    [
      "a PlayStation",
      "Mozilla/5.0 (PlayStation; PlayStation 5/6.50) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.0 Safari/605.1.15",
      "playstation",
    ],
    [
      "a Fire TV",
      "Mozilla/5.0 (Linux; Android 9; AFTMM) AppleWebKit/537.36 (KHTML, like Gecko) Silk/130.1.1 like Chrome/130.0.0.0 Safari/537.36",
      "android",
    ],
    [
      "an Android TV",
      "Mozilla/5.0 (Linux; Android 11; BRAVIA 4K UR2) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36 SMART-TV",
      "android",
    ],
    ["nobody", "", "unknown"],
    ["curl", "curl/7.88.1", "unknown"],
  ] as const)("is known by name: %s", (_, userAgent, platform) => {
    expect(unknown(userAgent).platform).toBe(platform);
  });

  test("everyone is believed to play H.264 and AAC in HLS", () => {
    for (const userAgent of [null, "curl/7.88.1", CHROME, FIREFOX, TIZEN, ANDROID]) {
      expect(playsWith(userAgent, "avc1.640028")).toBe(true);
      expect(playsWith(userAgent, "mp4a.40.2")).toBe(true);
      const { hasMediaSource, hasNativeHls } = unknown(userAgent);
      expect(hasMediaSource || hasNativeHls).toBe(true);
    }
  });

  test("HEVC goes to Apple and to televisions", () => {
    const safari =
      "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 Version/17.6 Mobile/15E148 Safari/604.1";
    expect([safari, TIZEN].map((name) => playsWith(name, "hvc1.2.4.L150.B0"))).toEqual([true, true]);
    expect([CHROME, FIREFOX, ANDROID, null].map((name) => playsWith(name, "hvc1.1.6.L93.B0"))).toEqual(
      Array(4).fill(false),
    );
  });

  test("an Accept with a playlist type is a player of playlists", () => {
    expect(unknown(CHROME).hasNativeHls).toBe(false);
    expect(unknown(CHROME, "application/vnd.apple.mpegurl, */*;q=0.1").hasNativeHls).toBe(true);
  });

  test("a player of containers is told apart", () => {
    expect(unknown("VLC/3.0.20 LibVLC/3.0.20").readsContainers).toBe(true);
    expect(unknown(CHROME).readsContainers).toBe(false);
  });
});
