import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TorrxError } from "../../../../src/base/errors.ts";
import { factsOf, readFragment } from "../../../../src/media/fmp4/fragment.ts";
import { FragmentStream } from "../../../../src/media/fmp4/fragment-stream.ts";
import { onlyTrack, readInit } from "../../../../src/media/fmp4/init-facts.ts";
import { frameBytes, initBytes, moovBytes } from "../../../support/fmp4-bytes.ts";
import { box, bytesOf, fullBox, type Part, u32, u64 } from "../../../support/media-bytes.ts";

const TRACKS = readInit(initBytes({ timescale: 16_000, defaults: [100, 2, 0x01010000] }));
const MDAT = box("mdat", "abcdefghij");

function fragment(traf: Part, mdat = MDAT) {
  return readFragment(box("moof", fullBox("mfhd", 0, u32(1)), box("traf", traf)), mdat, TRACKS);
}

const tfhd = (flags = 0x020000, ...more: Part[]) => box("tfhd", u32(flags, 1), more);
const tfdt = (time: number) => fullBox("tfdt", 1, u64(time));
/** Offset of the first sample byte: behind the moof and the mdat's header. */
const trun = (flags: number, count: number, ...rows: Part[]) => box("trun", u32(flags, count), rows);
const moofBytes = (...traf: Part[]) => box("moof", fullBox("mfhd", 0, u32(1)), box("traf", traf)).length;

describe("an init segment", () => {
  test("tells its track's id, timescale, codec and defaults", () => {
    const avcC = Uint8Array.of(1, 100, 0, 31);
    const inner = [box("colr", "nclx"), box("avcC", avcC)];
    for (const version of [0, 1] as const) {
      const init = initBytes({ trackId: 3, timescale: 90_000, version, inner, defaults: [5, 6, 7] });
      expect(onlyTrack(init)).toEqual({
        trackId: 3,
        timescale: 90_000,
        handler: "vide",
        entry: "avc1",
        codecPrivate: avcC,
        defaults: { duration: 5, size: 6, flags: 7 },
      });
    }
    const hevc = onlyTrack(initBytes({ entry: "hvc1", inner: box("hvcC", "xyz") }));
    expect(hevc.codecPrivate).toEqual(new TextEncoder().encode("xyz"));
    const sound = onlyTrack(initBytes({ handler: "soun", entry: "mp4a", timescale: 48_000 }));
    expect([sound.handler, sound.entry, sound.codecPrivate]).toEqual(["soun", "mp4a", null]);
  });

  test("without a track, with two, or with a timescale of 0 it is refused", () => {
    const refused = expect.objectContaining({ code: "unsupported_media" });
    expect(() => onlyTrack(box("moov"))).toThrow(refused);
    expect(() => onlyTrack(initBytes({ timescale: 0 }))).toThrow(refused);
    const twice = box("moov", moovBytes().slice(8), moovBytes().slice(8));
    expect(() => onlyTrack(twice)).toThrow(refused);
  });
});

describe("a fragment", () => {
  test("gives each sample's times, kind and bytes", () => {
    const rows = [u32(10, 3, 0x02000000, 0), u32(20, 4, 0x01010000, 30), u32(10, 3, 0x01010000, -10 >>> 0)];
    const head = [tfhd(), tfdt(1000)];
    const offset = moofBytes(...head, trun(0x01000f01, 3, u32(0), rows)) + 8;
    const [track] = fragment([...head, trun(0x01000f01, 3, u32(offset), rows)]);
    expect(track?.baseTime).toBe(1000);
    expect(
      track?.samples.map(({ bytes, ...times }) => ({ ...times, text: Buffer.from(bytes).toString() })),
    ).toEqual([
      { dts: 1000, pts: 1000, duration: 10, isSync: true, text: "abc" },
      { dts: 1010, pts: 1040, duration: 20, isSync: false, text: "defg" },
      { dts: 1030, pts: 1020, duration: 10, isSync: false, text: "hij" },
    ]);
    expect(factsOf(track?.samples ?? [])).toEqual({
      firstPts: 1000,
      keyframePts: 1000,
      minPts: 1000,
      startsWithSync: true,
      duration: 40,
    });
  });

  test("takes what it does not say from tfhd, and that from trex", () => {
    const own = [tfhd(0x020038, u32(7, 5, 0)), tfdt(0)];
    const offsetOwn = moofBytes(...own, trun(1, 2, u32(0))) + 8;
    const [withOwn] = fragment([...own, trun(1, 2, u32(offsetOwn))]);
    expect(withOwn?.samples.map(({ dts, isSync, bytes }) => [dts, isSync, bytes.length])).toEqual([
      [0, true, 5],
      [7, true, 5],
    ]);
    const plain = [tfhd(), tfdt(0)];
    const offset = moofBytes(...plain, trun(5, 2, u32(0, 0))) + 8;
    const [withDefaults] = fragment([...plain, trun(5, 2, u32(offset, 0x02000000))]);
    expect(withDefaults?.samples.map(({ dts, isSync, bytes }) => [dts, isSync, bytes.length])).toEqual([
      [0, true, 2],
      [100, false, 2],
    ]);
  });

  test("a time before 0, written as its two's complement, is one", () => {
    const head = [tfhd(), tfdt(-1024)];
    const offset = moofBytes(...head, trun(1, 1, u32(0))) + 8;
    expect(fragment([...head, trun(1, 1, u32(offset))])[0]?.samples[0]?.pts).toBe(-1024);
    const short = [tfhd(), fullBox("tfdt", 0, u32(0xfffffff0))];
    const shortOffset = moofBytes(...short, trun(1, 1, u32(0))) + 8;
    expect(fragment([...short, trun(1, 1, u32(shortOffset))])[0]?.baseTime).toBe(0xfffffff0);
  });

  test("an open GOP shows: its least time is before its key frame's", () => {
    const frame = { duration: 1, bytes: new Uint8Array(1) };
    const facts = factsOf([
      { ...frame, dts: 5, pts: 7, isSync: true },
      { ...frame, dts: 6, pts: 5, isSync: false },
    ]);
    expect([facts.keyframePts, facts.minPts, facts.firstPts]).toEqual([7, 5, 7]);
  });

  test("what lies outside its mdat, or counts from elsewhere, is refused", () => {
    const refused = expect.objectContaining({ code: "unsupported_media" });
    const head = [tfhd(), tfdt(0)];
    const size = moofBytes(...head, trun(1, 1, u32(0)));
    for (const offset of [0, size - 1, size + 8 + 9, 2 ** 31 - 1]) {
      expect(() => fragment([...head, trun(1, 1, u32(offset))])).toThrow(refused);
    }
    expect(() => fragment([...head, trun(0, 1)])).toThrow(refused);
    expect(() => fragment([...head, trun(1, 2 ** 32 - 1, u32(size + 8))])).toThrow(refused);
    const empty = [tfhd(0x020010, u32(0)), tfdt(0)];
    expect(() => fragment([...empty, trun(1, 2 ** 32 - 1, u32(size + 12))])).toThrow(refused);
    expect(() => fragment([tfhd(1, u64(0)), tfdt(0)])).toThrow(refused);
    expect(() => fragment([box("tfhd", u32(0x020000, 9)), tfdt(0)])).toThrow(refused);
    expect(() => fragment([tfhd()])).toThrow(refused);
  });

  test("whatever bytes are changed, it is read or refused, and nothing else happens", () => {
    const good = bytesOf(initBytes(), frameBytes({ pts: 0 }), frameBytes({ pts: 1000, dts: 900 }));
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const stream = new FragmentStream(1_000_000, { init: () => undefined, sample: () => undefined });
        try {
          stream.push(bytes);
          stream.end();
        } catch (error) {
          expect(error).toBeInstanceOf(TorrxError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a stream of fragments", () => {
  test("gives the init segment once, then the samples, byte by byte as at once", () => {
    const init = initBytes();
    const stream = bytesOf(
      init,
      box("free", "x"),
      frameBytes({ pts: 0 }),
      box("sidx", "y"),
      frameBytes({ pts: 40 }),
    );
    for (const size of [1, stream.length]) {
      const seen: (number | string)[] = [];
      const reader = new FragmentStream(1_000_000, {
        init: (bytes, track) => seen.push(Buffer.from(bytes).equals(init) ? track.entry : "other"),
        sample: ({ pts }) => seen.push(pts),
      });
      for (let at = 0; at < stream.length; at += size) reader.push(stream.slice(at, at + size));
      expect(seen).toEqual(["avc1", 0, 40]);
      expect(reader.end()).toBe(true);
    }
  });

  test("samples before the header, or a second header, are refused", () => {
    const reader = () => new FragmentStream(1_000_000, { init: () => undefined, sample: () => undefined });
    const refused = expect.objectContaining({ code: "unsupported_media" });
    expect(() => reader().push(frameBytes({ pts: 0 }))).toThrow(refused);
    expect(() => reader().push(bytesOf(initBytes(), box("mdat", "x")))).toThrow(refused);
    expect(() => reader().push(bytesOf(initBytes(), initBytes()))).toThrow(refused);
  });
});
