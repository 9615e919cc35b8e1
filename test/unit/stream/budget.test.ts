import { describe, expect, test } from "bun:test";
import { areSharing, CHUNK_BYTES, shapesOf } from "../../../src/stream/reader/budget.ts";
import { shareOf } from "../../../src/stream/share.ts";

const MIB = 1024 * 1024;
const SIZES = { ramBufferBytes: 256 * MIB, ramTotalBytes: 1024 * MIB, bufferAheadPercent: 80 };

const bytesOf = ({ behindBytes, aheadBytes }: { behindBytes: number; aheadBytes: number }) =>
  behindBytes + aheadBytes;

describe("the memory of streams", () => {
  test("a stream has its size until the total is reached, then all share it equally", () => {
    expect([1, 4, 5, 16].map((streams) => shareOf(SIZES, streams) / MIB)).toEqual(
      [256, 256, 204.8, 64].map((share) => Math.floor(share * MIB) / MIB),
    );
    expect([1, 4, 5].map((streams) => areSharing(SIZES, streams))).toEqual([false, false, true]);
    const small = { ...SIZES, ramTotalBytes: 16 * MIB };
    expect(shareOf(small, 1)).toBe(16 * MIB);
    expect(areSharing(small, 1)).toBe(true);
    expect(areSharing(small, 0)).toBe(false);
  });

  test("a window lies around its playhead as the setting says", () => {
    const { main } = shapesOf({
      shareBytes: 256 * MIB + CHUNK_BYTES,
      readers: 1,
      sides: 0,
      aheadPercent: 80,
    });
    expect(bytesOf(main)).toBe(256 * MIB);
    expect(main.aheadBytes / bytesOf(main)).toBeCloseTo(0.8, 5);
    expect(main.readAheadBytes).toBeLessThanOrEqual(16 * MIB);
  });

  test("whatever the sizes, the windows and what is on its way to clients stay within the share", () => {
    for (const shareMib of [4, 16, 100, 256]) {
      for (const readers of [1, 2, 3, 4]) {
        for (let sides = 0; sides <= readers; sides++) {
          const shareBytes = shareMib * MIB;
          const { main, side } = shapesOf({ shareBytes, readers, sides, aheadPercent: 80 });
          const used = bytesOf(main) + sides * bytesOf(side) + readers * CHUNK_BYTES;
          expect(used, `${shareMib} MiB, ${sides} of ${readers}`).toBeLessThanOrEqual(shareBytes);
          expect(bytesOf(side)).toBeLessThanOrEqual(2 * MIB);
        }
      }
    }
  });

  test("the smallest window still holds more than one read", () => {
    const { main, side } = shapesOf({ shareBytes: 1, readers: 16, sides: 16, aheadPercent: 95 });
    expect(bytesOf(main)).toBeGreaterThan(CHUNK_BYTES);
    expect(side.aheadBytes).toBeGreaterThan(CHUNK_BYTES);
  });
});
