import { expect, test } from "bun:test";
import { bufferText, memoryText } from "../../web/src/lib/buffer-text.ts";

test("a stream's buffer is told in seconds and hits, as far as they are known", () => {
  const window = { bytes: 1, ahead_sec: 48.9, behind_sec: 1, hit_rate: 0.979 };
  expect(bufferText(window)).toBe("buffer 48 s ahead · hits 97%");
  expect(bufferText({ ...window, hit_rate: null })).toBe("buffer 48 s ahead");
  expect(bufferText(null)).toBeNull();
});

test("memory is told with what it may be", () => {
  expect(memoryText({ used: 210e6, cap: 1_140_850_688, rss: 0 })).toBe("memory 210 MB of 1.1 GB");
});
