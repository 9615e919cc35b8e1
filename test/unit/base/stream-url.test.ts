import { expect, test } from "bun:test";
import { streamPath } from "../../../src/base/stream-url.ts";

test("the name is decoration, escaped, and left out where it would mean something else", () => {
  const table: [string, string][] = [
    ["a b.mkv", "/api/stream/ID/7/a%20b.mkv"],
    ["день?#&%.mkv", "/api/stream/ID/7/%D0%B4%D0%B5%D0%BD%D1%8C%3F%23%26%25.mkv"],
    ["info", "/api/stream/ID/7"],
    ["playlist.m3u8", "/api/stream/ID/7"],
    ["..", "/api/stream/ID/7"],
    [".", "/api/stream/ID/7"],
    ["", "/api/stream/ID/7"],
    ["info.mkv", "/api/stream/ID/7/info.mkv"],
  ];
  for (const [name, path] of table) expect(streamPath({ torrent: "ID", file: 7, name }), name).toBe(path);
});
