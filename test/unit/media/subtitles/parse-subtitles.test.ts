import { describe, expect, test } from "bun:test";
import { parseSubtitles } from "../../../../src/media/subtitles/parse-subtitles.ts";
import { encoded } from "./legacy-encoder.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const texts = (...asked: Parameters<typeof parseSubtitles>) =>
  parseSubtitles(...asked).map(({ text }) => `${text}`);

describe("a subtitle file", () => {
  test("is decoded and parsed", () => {
    const srt =
      "1\n00:00:01,000 --> 00:00:02,000\nПривет, как дела?\n\n2\n00:00:03,000 --> 00:00:04,000\nХорошо.\n";
    expect(texts(encoded(srt, "windows-1251"), "srt", null)).toEqual(["Привет, как дела?", "Хорошо."]);
    expect(texts(encoded(srt, "koi8-u"), "srt", "ru")).toEqual(["Привет, как дела?", "Хорошо."]);
  });

  test("that is plainly of another format than its name says is read as what it is", () => {
    const vtt = bytes("\ufeffWEBVTT\n\n00:01.000 --> 00:02.000\nx\n");
    const ass = bytes(
      "[Script Info]\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,x\n",
    );
    for (const format of ["srt", "vtt", "ass"] as const) {
      expect(texts(vtt, format, null)).toEqual(["x"]);
      expect(texts(ass, format, null)).toEqual(["x"]);
    }
  });

  test("that is none gives no cues", () => {
    for (const format of ["srt", "vtt", "ass"] as const) {
      expect(texts(bytes("nothing of the kind"), format, null)).toEqual([]);
      expect(texts(new Uint8Array(1_000), format, null)).toEqual([]);
      expect(texts(new Uint8Array(), format, null)).toEqual([]);
    }
  });
});
