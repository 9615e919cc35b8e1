// What an edit list makes of the key frames' times.

import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { bytesOf, fullBox, u32, u64 } from "../../../support/media-bytes.ts";
import {
  ctts,
  elst,
  FILE_BYTES,
  film,
  readMp4,
  stco,
  stsc,
  stss,
  stsz,
  stts,
  times,
  track,
} from "../../../support/mp4-bytes.ts";

describe("MP4 edit lists", () => {
  /** Ten frames of 100 ms, shown 200 ms after they are decoded; key frames 1, 4 and 8. */
  const TABLES = [
    stts([10, 100]),
    stss(1, 4, 8),
    ctts(0, [10, 200]),
    stsc([1, 10, 1]),
    stsz(10, 20),
    stco(1000),
  ];
  const edited = (...edits: readonly (readonly [number, number])[]) =>
    readMp4(film(track({ tables: TABLES, edits: elst(...edits) })));

  test("the start of the media is taken off", async () => {
    expect(times(await edited([1000, 200]))).toEqual([0, 0.3, 0.7]);
  });

  test("an empty edit in front delays, several add up", async () => {
    expect(times(await edited([1500, -1], [1000, 200]))).toEqual([1.5, 1.8, 2.2]);
    expect(times(await edited([500, -1], [250, -1], [1000, 200]))).toEqual([0.75, 1.05, 1.45]);
  });

  test("what comes before the edit is dropped but for the key frame it needs; what comes behind it is dropped", async () => {
    expect(times(await edited([400, 600]))).toEqual([-0.1, 0.3]);
    expect(times(await edited([300, 500]))).toEqual([0]);
  });

  test("a start between two frames puts the first shown at zero", async () => {
    expect(times(await edited([1000, 150]))).toEqual([0, 0.3, 0.7]);
  });

  test("a duration of zero lasts to the end", async () => {
    expect(times(await edited([0, 200]))).toEqual([0, 0.3, 0.7]);
  });

  test("parts of the film that are left out between two edits close up", async () => {
    expect(times(await edited([300, 200], [300, 900]))).toEqual([0, 0.3]);
  });

  test("a form with numbers of eight bytes", async () => {
    const edits = fullBox(
      "elst",
      1,
      u32(2),
      u64(1500),
      new Uint8Array(8).fill(0xff),
      u32(0x10000),
      u64(1000, 200),
      u32(0x10000),
    );
    expect(times(await readMp4(film(track({ tables: TABLES, edits }))))).toEqual([1.5, 1.8, 2.2]);
  });

  test("a list that shows nothing leaves no key frame; a count that lies is broken", async () => {
    expect((await edited([1000, 90_000])).noIndex).toBe("no_cues");
    const edits = fullBox("elst", 0, u32(50, 1, 1, 1));
    expect((await readMp4(film(track({ tables: TABLES, edits })))).noIndex).toBe("broken");
    const most = LIMITS.mediaIndex.edits;
    const many = (count: number) =>
      readMp4(
        film(
          track({ tables: TABLES, edits: elst(...Array.from({ length: count }, () => [1, -1] as const)) }),
        ),
        2 ** 20,
      );
    expect((await many(most)).noIndex).toBe("no_cues");
    expect((await many(most + 1)).noIndex).toBe("too_large");
  });

  describe("that show the same samples over and over", () => {
    /** `edits` that each show all of `samples` samples, `syncs` of them key frames: a small file whatever the numbers. */
    const repeating = (edits: number, samples: number, syncs = samples) => {
      const one = bytesOf(u32(0, 0, 0x10000));
      const all = fullBox(
        "elst",
        0,
        u32(edits),
        Array.from({ length: edits }, () => one),
      );
      const sync = syncs === samples ? [] : [stss(...Array.from({ length: syncs }, (_, at) => at + 1))];
      const tables = [
        stts([samples, 1]),
        ...sync,
        stsc([1, samples, 1]),
        stsz(samples, 1),
        stco(FILE_BYTES / 2),
      ];
      return film(track({ tables, edits: all }));
    };

    for (const [edits, samples] of [
      [10_000, 20_000],
      [LIMITS.mediaIndex.edits, LIMITS.mediaIndex.editedSamples / LIMITS.mediaIndex.edits],
    ] as const) {
      test(`cost neither memory nor time: ${samples} samples in ${edits} edits`, async () => {
        const bytes = repeating(edits, samples);
        expect(bytes.length).toBeLessThan(140_000);
        Bun.gc(true);
        const [rssBytes, begun] = [process.memoryUsage().rss, performance.now()];
        expect((await readMp4(bytes, 2 ** 20)).noIndex).toBe("too_large");
        expect(process.memoryUsage().rss - rssBytes).toBeLessThan(256 * 2 ** 20);
        expect(performance.now() - begun).toBeLessThan(2_000);
      });
    }

    test("are given up when they show more key frames than the limit", async () => {
      const { edits, keyframes } = LIMITS.mediaIndex;
      const samples = Math.floor(keyframes / edits);
      expect((await readMp4(repeating(edits, samples), 2 ** 18)).noIndex).toBeNull();
      expect((await readMp4(repeating(edits, samples + 1), 2 ** 18)).noIndex).toBe("too_large");
    });

    test("are given up where edits times samples are more than the limit", async () => {
      const { edits, editedSamples } = LIMITS.mediaIndex;
      const samples = editedSamples / edits;
      expect((await readMp4(repeating(edits, samples, 1), 2 ** 20)).noIndex).toBeNull();
      expect((await readMp4(repeating(edits, samples + 1, 1), 2 ** 20)).noIndex).toBe("too_large");
    });
  });
});
