// Shapes of MP4 and MOV files that no muxer at hand writes.

import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { readMediaIndex } from "../../../../src/media/container/read-media-index.ts";
import { sourceOf, sparseSource } from "../../../support/counted-source.ts";
import { box, bytesOf, fullBox, largeBox, u16, u32, u64 } from "../../../support/media-bytes.ts";
import {
  co64,
  ctts,
  FILE_BYTES,
  FTYP,
  film,
  movie,
  positions,
  readMp4,
  stco,
  stsc,
  stss,
  stsz,
  stts,
  times,
  track,
} from "../../../support/mp4-bytes.ts";

describe("MP4 layout", () => {
  test("boxes with sizes of eight bytes, and a last one that reaches to the end", async () => {
    const mdat = largeBox("mdat", new Uint8Array(30_000));
    const moov = movie(track());
    const toEnd = bytesOf(u32(0), "moov", moov.subarray(8));
    for (const bytes of [
      bytesOf(FTYP, mdat, moov),
      bytesOf(FTYP, mdat, largeBox("moov", moov.subarray(8))),
      bytesOf(FTYP, mdat, toEnd),
    ]) {
      const index = await readMediaIndex(sourceOf(bytes), new AbortController().signal);
      expect(times(index)).toEqual([0, 0.5]);
      expect(positions(index)).toEqual([1000, 1100]);
      expect(index.headBytes).toEqual([
        { start: 0, end: FTYP.length + 16 },
        { start: FTYP.length + mdat.length, end: bytes.length },
      ]);
    }
  });

  test("mdat of more than four GiB in front costs two requests", async () => {
    const at = 5 * 2 ** 30;
    const moov = movie(
      track({ tables: [stts([4, 500]), stsc([1, 2, 1]), stsz(4, 10), co64(4 * 2 ** 30, at - 100)] }),
    );
    const source = sparseSource(at + moov.length, [
      { at: 0, bytes: bytesOf(FTYP, u32(1), "mdat", u64(at - FTYP.length)) },
      { at, bytes: moov },
    ]);
    const index = await readMediaIndex(source, new AbortController().signal);
    expect(positions(index)).toEqual([4 * 2 ** 30, 4 * 2 ** 30 + 10, at - 100, at - 90]);
    expect(source.requests.length).toBe(2);
  });

  test("boxes that cannot be are broken; a walk that does not end is given up", async () => {
    const sizes = [0, 1, 2, 7].map((size) => bytesOf(u32(size), "moov", u64(3)));
    for (const bytes of [
      ...sizes.slice(1).map((wrong) => bytesOf(FTYP, wrong)),
      bytesOf(FTYP, u32(500_000), "moov"),
      bytesOf(
        FTYP,
        Array.from({ length: LIMITS.mediaIndex.elementsWalked }, () => box("free")),
      ),
    ])
      expect(await readMp4(bytes)).toMatchObject({ container: "mp4", noIndex: "broken" });
  });

  test("as many boxes in front of moov as may be walked", async () => {
    const most = LIMITS.mediaIndex.elementsWalked;
    const boxes = Array.from({ length: most - 2 }, () => box("free"));
    expect(times(await readMp4(bytesOf(FTYP, boxes, movie(track()))))).toEqual([0, 0.5]);
  });

  test("moov of 64 MiB is read, one byte more is too large", async () => {
    const { moovBytes } = LIMITS.mediaIndex;
    const withMoovOf = (contentBytes: number) => {
      const content = movie(track()).subarray(8);
      const gap = u32(contentBytes - content.length);
      return readMp4(bytesOf(FTYP, u32(8 + contentBytes), "moov", content, gap, "free"), 2 ** 27);
    };
    expect(times(await withMoovOf(moovBytes))).toEqual([0, 0.5]);
    expect((await withMoovOf(moovBytes + 1)).noIndex).toBe("too_large");
  });
});

describe("MP4 tracks", () => {
  test("are numbered as ffmpeg numbers its streams, covers in the tags included where they come first", async () => {
    const covr = box("covr", box("data", u32(13, 0), "picture"), box("data", u32(14, 0), "picture"));
    const meta = fullBox(
      "meta",
      0,
      fullBox("hdlr", 0, u32(0), "mdir", new Uint8Array(13)),
      box("ilst", covr),
    );
    const sound = track({ id: 1, handler: "soun", entry: box("mp4a", new Uint8Array(28)) });
    const index = await readMp4(
      film(box("udta", meta), sound, track({ id: 2 }), track({ id: 3, handler: "sbtl" })),
    );
    expect(index.tracks.map(({ stream, kind }) => [stream, kind])).toEqual([
      [2, "audio"],
      [3, "video"],
      [4, "subtitle"],
    ]);
  });

  test("chapters of QuickTime are neither subtitles nor the film", async () => {
    const index = await readMp4(
      film(
        track({ id: 1, entry: box("jpeg", new Uint8Array(78)) }),
        track({ id: 2, handler: "text" }),
        track({ id: 3, references: box("tref", box("chap", u32(2, 1))) }),
      ),
    );
    expect(index.tracks.map((entry) => entry.kind)).toEqual(["other", "other", "video"]);
  });

  test("pictures that move are a film where there is no other", async () => {
    const jpeg = { entry: box("jpeg", new Uint8Array(78)) };
    expect((await readMp4(film(track(jpeg)))).noIndex).toBeNull();
    const cover = { ...jpeg, tables: [stts([1, 1]), stsc([1, 1, 1]), stsz(1, 9), stco(9)] };
    expect((await readMp4(film(track(cover)))).noIndex).toBe("no_video");
  });

  test("durations and time scales of eight bytes", async () => {
    const mvhd = fullBox("mvhd", 1, u64(0, 0), u32(600), u64(6000), new Uint8Array(80));
    const index = await readMp4(bytesOf(FTYP, box("moov", mvhd, track())));
    expect(index.durationSec).toBe(10);
    const unknown = fullBox("mvhd", 0, u32(0, 0, 600, 0xffffffff), new Uint8Array(80));
    expect((await readMp4(bytesOf(FTYP, box("moov", unknown, track())))).durationSec).toBeNull();
  });

  test("a movie without tracks has no video; without a time scale it is broken", async () => {
    expect((await readMp4(film())).noIndex).toBe("no_video");
    expect((await readMp4(film(track({ timescale: 0 })))).noIndex).toBe("broken");
  });

  test("at most as many as the limit", async () => {
    const most = LIMITS.mediaIndex.tracks;
    const sounds = (count: number) => Array.from({ length: count }, () => track({ handler: "soun" }));
    expect((await readMp4(film(sounds(most)), 2 ** 20)).noIndex).toBe("no_video");
    expect((await readMp4(film(sounds(most + 1)), 2 ** 20)).noIndex).toBe("too_large");
  });
});

test("as many boxes in one as the limit, one more is too large", async () => {
  const most = LIMITS.mediaIndex.boxes;
  // mvhd and the track are two.
  const withBoxes = (count: number) =>
    readMp4(
      film(
        track(),
        Array.from({ length: count - 2 }, () => box("free")),
      ),
    );
  expect((await withBoxes(most)).noIndex).toBeNull();
  expect((await withBoxes(most + 1)).noIndex).toBe("too_large");
});

describe("MP4 sample tables", () => {
  test("chunks of different lengths, sizes of their own", async () => {
    const tables = [
      stts([2, 100], [4, 250]),
      stss(1, 3, 6),
      stsc([1, 2, 1], [2, 1, 1], [4, 5, 1]),
      stsz(6, 0, 10, 20, 30, 40, 50, 60),
      stco(500, 1000, 2000, 3000),
    ];
    const index = await readMp4(film(track({ tables })));
    expect(times(index)).toEqual([0, 0.2, 0.95]);
    expect(positions(index)).toEqual([500, 1000, 3050]);
  });

  test("compact sizes of 4, 8 and 16 bits", async () => {
    const sized = (bits: number, sizes: Uint8Array) => fullBox("stz2", 0, u32(bits, 3), sizes);
    for (const stz2 of [sized(4, bytesOf(0x12, 0x30)), sized(8, bytesOf(1, 2, 3)), sized(16, u16(1, 2, 3))]) {
      const index = await readMp4(
        film(track({ tables: [stts([3, 600]), stsc([1, 3, 1]), stz2, stco(700)] })),
      );
      expect(positions(index)).toEqual([700, 701, 703]);
    }
    const odd = film(track({ tables: [stts([3, 600]), stsc([1, 3, 1]), sized(5, u16(1, 2, 3)), stco(700)] }));
    expect((await readMp4(odd)).noIndex).toBe("broken");
  });

  test("composition offsets, also negative ones", async () => {
    const of = (version: number, offset: number) =>
      film(
        track({
          tables: [
            stts([4, 1000]),
            stss(1, 3),
            ctts(version, [2, 40], [2, offset]),
            stsc([1, 4, 1]),
            stsz(4, 9),
            stco(9000),
          ],
        }),
      );
    expect(times(await readMp4(of(0, 80)))).toEqual([0.04, 2.08]);
    expect(times(await readMp4(of(1, -500)))).toEqual([0.04, 1.5]);
  });

  test("open groups of pictures count, by partial syncs and by sample groups", async () => {
    const plain = [stts([10, 100]), stsc([1, 10, 1]), stsz(10, 20), stco(1000), stss(1)];
    const stps = fullBox("stps", 0, u32(1, 4));
    const group = fullBox("sbgp", 0, "rap ", u32(3, 5, 0, 1, 1, 4, 0));
    expect(times(await readMp4(film(track({ tables: plain }))))).toEqual([0]);
    expect(times(await readMp4(film(track({ tables: [...plain, stps] }))))).toEqual([0, 0.3]);
    expect(times(await readMp4(film(track({ tables: [...plain, group] }))))).toEqual([0, 0.5]);
  });

  test("an empty list of syncs means that there is none", async () => {
    const tables = [stts([10, 100]), stss(), stsc([1, 10, 1]), stsz(10, 20), stco(1000)];
    expect((await readMp4(film(track({ tables })))).noIndex).toBe("no_cues");
  });

  test("no list of syncs: every half second one is told", async () => {
    const tables = [stts([100, 40]), stsc([1, 100, 1]), stsz(100, 20), stco(1000)];
    const index = await readMp4(film(track({ tables })));
    expect(times(index)).toEqual([0, 0.52, 1.04, 1.56, 2.08, 2.6, 3.12, 3.64]);
  });

  test("samples beyond the end of the file are left out", async () => {
    const index = await readMp4(
      film(track({ tables: [stts([2, 900]), stsc([1, 1, 1]), stsz(2, 10), stco(1000, FILE_BYTES)] })),
    );
    expect(times(index)).toEqual([0]);
  });

  test("counts that lie are broken, and cost nothing", async () => {
    const much = 0xffffffff;
    const good = {
      stts: stts([10, 100]),
      stsc: stsc([1, 10, 1]),
      stsz: stsz(10, 20),
      stco: stco(1000),
      stss: stss(1),
    };
    for (const wrong of [
      { stts: fullBox("stts", 0, u32(much, 1, 1)) },
      { stts: stts([9, 100]) },
      { stsc: fullBox("stsc", 0, u32(much, 1, 1, 1)) },
      { stsc: stsc([2, 10, 1]) },
      { stsz: stsz(FILE_BYTES + 1, 20) },
      { stsz: stsz(1000, 0, 1) },
      { stco: fullBox("stco", 0, u32(much, 1)) },
      { stco: fullBox("co64", 0, u32(much), u64(1)) },
      { stss: fullBox("stss", 0, u32(much, 1)) },
      { ctts: fullBox("ctts", 0, u32(much, 1, 1)) },
    ]) {
      const index = await readMp4(film(track({ tables: Object.values({ ...good, ...wrong }) })));
      expect(index).toMatchObject({ noIndex: "broken", durationSec: 8 });
      expect(index.tracks).toHaveLength(1);
    }
  });

  test("as many samples as the limit, one more is too large", async () => {
    const most = LIMITS.mediaIndex.samples;
    const of = (count: number) =>
      readMp4(
        film(
          track({ tables: [stts([count, 10]), stss(1), stsc([1, count, 1]), stsz(count, 4), stco(5000)] }),
        ),
        2 ** 27,
      );
    expect(times(await of(most))).toEqual([0]);
    expect((await of(most + 1)).noIndex).toBe("too_large");
  });
});
