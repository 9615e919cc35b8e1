import { describe, expect, test } from "bun:test";
import { contentTypeOf, isAudio, isPlayable, isSubtitle, isVideo } from "../../../src/metainfo/index.ts";

describe("media kind", () => {
  test.each([
    ["a/b/Film.MKV", "video/x-matroska", true, false],
    ["film.mp4", "video/mp4", true, false],
    ["song.flac", "audio/flac", false, true],
    ["x.srt", "application/x-subrip", false, false],
    ["poster.jpg", "image/jpeg", false, false],
  ])("%s is %s", (path, type, video, audio) => {
    expect([contentTypeOf(path), isVideo(path), isAudio(path)]).toEqual([type, video, audio]);
    expect(isPlayable(path)).toBe(video || audio);
  });

  test.each([
    "x.html",
    "x.HTM",
    "x.svg",
    "x.xhtml",
    "x.xml",
    "x.js",
    "x.pdf",
    "x.swf",
    "x",
    "mkv",
    "dir.mkv/x",
    "x.mkv.exe",
    "x.constructor",
    "x.__proto__",
    "",
  ])("%p is bytes of no kind", (path) => {
    expect(contentTypeOf(path)).toBe("application/octet-stream");
    expect(isPlayable(path)).toBe(false);
  });

  test("subtitles are told apart", () => {
    expect([isSubtitle("a.srt"), isSubtitle("a.ASS"), isSubtitle("a.mkv")]).toEqual([true, true, false]);
  });
});
