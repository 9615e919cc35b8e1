import { describe, expect, test } from "bun:test";
import { parseSrt } from "../../../../src/media/subtitles/parse-srt.ts";
import { parseSubtitles } from "../../../../src/media/subtitles/parse-subtitles.ts";
import { encoded } from "./legacy-encoder.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const texts = async (...asked: Parameters<typeof parseSubtitles>) =>
  (await parseSubtitles(...asked)).map(({ text }) => `${text}`);

describe("a subtitle file", () => {
  test("is decoded and parsed", async () => {
    const srt =
      "1\n00:00:01,000 --> 00:00:02,000\nПривет, как дела?\n\n2\n00:00:03,000 --> 00:00:04,000\nХорошо.\n";
    expect(await texts(encoded(srt, "windows-1251"), "srt", null)).toEqual(["Привет, как дела?", "Хорошо."]);
    expect(await texts(encoded(srt, "koi8-u"), "srt", "ru")).toEqual(["Привет, как дела?", "Хорошо."]);
  });

  test("that is plainly of another format than its name says is read as what it is", async () => {
    const vtt = bytes("\ufeffWEBVTT\n\n00:01.000 --> 00:02.000\nx\n");
    const ass = bytes(
      "[Script Info]\n[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,x\n",
    );
    for (const format of ["srt", "vtt", "ass"] as const) {
      expect(await texts(vtt, format, null)).toEqual(["x"]);
      expect(await texts(ass, format, null)).toEqual(["x"]);
    }
  });

  test("that is long is parsed in turns, with the same outcome", async () => {
    const two = (value: number) => String(Math.floor(value) % 60).padStart(2, "0");
    const line = (i: number) =>
      `00:${two(i / 60)}:${two(i)},000 --> 00:${two(i / 60)}:${two(i)},900\nLine ${i}\n`;
    const text = Array.from({ length: 3_000 }, (_, i) => line(i)).join("\n");
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const cues = await parseSubtitles(bytes(text), "srt", null);
    clearInterval(counting);
    expect(cues).toEqual(parseSrt(text));
    expect(turns).toBeGreaterThan(0);
  });

  test("that is none gives no cues", async () => {
    for (const format of ["srt", "vtt", "ass"] as const) {
      expect(await texts(bytes("nothing of the kind"), format, null)).toEqual([]);
      expect(await texts(new Uint8Array(1_000), format, null)).toEqual([]);
      expect(await texts(new Uint8Array(), format, null)).toEqual([]);
    }
  });
});
