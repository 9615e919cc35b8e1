import { expect, test } from "bun:test";
import { m3u } from "../../../src/api/playlist.ts";

test("B4 #20: whatever a file is called, its entry is two lines", () => {
  const titles = [
    "a.mkv",
    "a\nhttp://evil/\n#EXT",
    "a\r\nb",
    "a\u2028b\u2029c\u0085d",
    "\0\x1b[2J",
    "",
    "half \ud800",
    " x ",
  ];
  const text = m3u(titles.map((title) => ({ title, url: "http://h/x" })));
  const lines = text.split("\n");
  expect(lines.length).toBe(1 + titles.length * 2 + 1);
  expect(lines.filter((line) => line === "http://h/x").length).toBe(titles.length);
  expect(lines.filter((line) => line.startsWith("#EXTINF:-1,")).length).toBe(titles.length);
  expect(lines).toContain("#EXTINF:-1,a http://evil/ #EXT");
  expect(text).not.toMatch(/[\r\u2028\u2029\u0085\0]/);
});

test("no files make an empty playlist", () => {
  expect(m3u([])).toBe("#EXTM3U\n");
});
