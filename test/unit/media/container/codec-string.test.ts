import { describe, expect, test } from "bun:test";
import { codecStringOf } from "../../../../src/media/container/codec-string.ts";
import type { IndexedTrack } from "../../../../src/media/ports.ts";
import { bytesOf, type Part } from "../../../support/media-bytes.ts";

function named(codecId: string, ...codecPrivate: readonly Part[]): string | null {
  const track: IndexedTrack = {
    stream: 0,
    kind: "video",
    codecId,
    codecPrivate: codecPrivate.length === 0 ? null : bytesOf(...codecPrivate),
  };
  return codecStringOf(track);
}

/** hvcC up to the level, then what follows it in every file. */
const hvcC = (...front: readonly Part[]) => [1, ...front, new Uint8Array(10)];

describe("codec strings", () => {
  test("H.264 by the three bytes of avcC, in either container", () => {
    const avcC = [1, 0x64, 0x00, 0x1f, 0xff];
    expect(named("V_MPEG4/ISO/AVC", ...avcC)).toBe("avc1.64001f");
    expect(named("avc1", ...avcC)).toBe("avc1.64001f");
    expect(named("avc3", 1, 0x42, 0xe0, 0x1e, 0xff)).toBe("avc1.42e01e");
  });

  // The examples of ISO 14496-15 Annex E and of the streams that encoders make.
  test.each([
    ["hvc1.1.6.L93.B0", [0x01, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93]],
    ["hvc1.2.4.L120.90", [0x02, 0x20, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 120]],
    ["hvc1.1.6.L93", [0x01, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 93]],
    ["hvc1.A4.41.H120.B0.23", [0x40 | 0x20 | 4, 0x82, 0, 0, 0, 0xb0, 0x23, 0, 0, 0, 0, 120]],
    ["hvc1.4.10.L150.BF.8.0.1", [0x04, 0x08, 0, 0, 0, 0xbf, 0x08, 0x00, 0x01, 0, 0, 150]],
  ] as const)("HEVC: %s", (name, front) => {
    expect(named("V_MPEGH/ISO/HEVC", ...hvcC(...front))).toBe(name);
    expect(named("hev1", ...hvcC(...front))).toBe(name);
    expect(named("hvc1", ...hvcC(...front))).toBe(name);
  });

  test.each([
    ["av01.0.08M.08", [0x81, 0x08, 0x0c, 0]],
    ["av01.0.13M.10", [0x81, 0x0d, 0x4c, 0]],
    ["av01.1.15H.10", [0x81, 0x2f, 0xc0, 0]],
    ["av01.2.19H.12", [0x81, 0x53, 0xe0, 0]],
    ["av01.0.04M.08", [0x81, 0x04, 0x20, 0]],
  ] as const)("AV1: %s", (name, av1C) => {
    expect(named("V_AV1", ...av1C)).toBe(name);
    expect(named("av01", ...av1C)).toBe(name);
  });

  test("VP9 by vpcC in MP4, by its features in Matroska, else not at all", () => {
    expect(named("vp09", 1, 0, 0, 0, 2, 31, 0xa2, 1, 1, 1, 0, 0)).toBe("vp09.02.31.10");
    expect(named("V_VP9", 1, 1, 0, 2, 1, 10, 3, 1, 8, 4, 1, 1)).toBe("vp09.00.10.08");
    expect(named("V_VP9", 1, 1, 0)).toBeNull();
    expect(named("V_VP9")).toBeNull();
  });

  test("AAC by the object type, also one that is escaped", () => {
    expect(named("A_AAC", 0x11, 0x90)).toBe("mp4a.40.2");
    expect(named("mp4a", 0x2b, 0x92)).toBe("mp4a.40.5");
    expect(named("mp4a", 0xeb, 0x09)).toBe("mp4a.40.29");
    expect(named("mp4a", 0xf9, 0x48)).toBe("mp4a.40.42");
    expect(named("A_AAC")).toBeNull();
  });

  test.each([
    ["A_MPEG/L3", "mp4a.6B"],
    ["mp4a.6b", "mp4a.6B"],
    ["mp4a.69", "mp4a.69"],
    ["A_AC3", "ac-3"],
    ["ac-3", "ac-3"],
    ["A_EAC3", "ec-3"],
    ["ec-3", "ec-3"],
    ["A_OPUS", "Opus"],
    ["Opus", "Opus"],
    ["A_FLAC", "fLaC"],
    ["fLaC", "fLaC"],
  ])("%s is %s, whatever its configuration", (codecId, name) => {
    expect(named(codecId)).toBe(name);
  });

  test("what no browser has a name for has none", () => {
    for (const codecId of ["V_MPEG2", "A_DTS", "A_TRUEHD", "S_TEXT/UTF8", "dvh1", "mp4v", ""])
      expect(named(codecId, 1, 2, 3, 4)).toBeNull();
  });

  test("a configuration that is none gives no name", () => {
    const codecs = ["avc1", "V_MPEGH/ISO/HEVC", "V_AV1", "V_VP9", "vp09", "mp4a"];
    for (const codecId of codecs) {
      for (const length of [0, 1]) expect(named(codecId, new Uint8Array(length))).toBeNull();
      expect(named(codecId, new Uint8Array(40))).toBeNull();
    }
  });
});
