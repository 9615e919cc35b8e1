import { describe, expect, test } from "bun:test";
import { formatBytes, formatEta, formatPercent, formatSpeed } from "../../web/src/lib/format.ts";

describe("format", () => {
  test("bytes have three figures and a unit", () => {
    const cases: [number, string][] = [
      [0, "0 B"],
      [999, "999 B"],
      [1_000, "1.0 KB"],
      [99_940, "99.9 KB"],
      [99_960, "100 KB"],
      [999_499, "999 KB"],
      [999_500, "1.0 MB"],
      [1_400_000_000, "1.4 GB"],
      [41e12, "41.0 TB"],
      [Number.MAX_SAFE_INTEGER, "9.0 PB"],
    ];
    for (const [bytes, text] of cases) expect(formatBytes(bytes)).toBe(text);
    expect(formatBytes(null)).toBe("—");
    expect(formatSpeed(5_120_000)).toBe("5.1 MB/s");
  });

  test("100% is said of what is whole only", () => {
    expect(formatPercent(0)).toBe("0%");
    expect(formatPercent(0.999_999)).toBe("99%");
    expect(formatPercent(1)).toBe("100%");
    expect(formatPercent(1.2)).toBe("100%");
  });

  test("a time that is left has one or two units, and none where it is unknown", () => {
    expect(formatEta(null)).toBeNull();
    expect(formatEta(0.4)).toBe("1 s");
    expect(formatEta(59)).toBe("59 s");
    expect(formatEta(60)).toBe("1 m");
    expect(formatEta(3_599)).toBe("1 h 0 m");
    expect(formatEta(7_500)).toBe("2 h 5 m");
    expect(formatEta(47 * 3_600)).toBe("47 h 0 m");
    expect(formatEta(72 * 3_600)).toBe("3 d");
  });
});
