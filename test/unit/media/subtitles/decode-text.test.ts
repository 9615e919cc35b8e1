import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { decodeText } from "../../../../src/media/subtitles/decode-text.ts";
import type { LegacyEncoding } from "../../../../src/media/subtitles/encoding-profiles.ts";
import { encoded } from "./legacy-encoder.ts";
import { SUBTITLE_SAMPLES } from "./subtitle-samples.ts";

const utf16 = (text: string, isBig: boolean) => {
  const bytes = Buffer.from(text, "utf16le");
  return new Uint8Array(isBig ? bytes.swap16() : bytes);
};
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const srtOf = (lines: readonly string[]) =>
  lines.map((line, i) => `${i + 1}\r\n00:00:0${i},000 --> 00:00:0${i},900\r\n${line}\r\n`).join("\r\n");

describe("decoding subtitle files", () => {
  test("byte-order marks are believed and not part of the text", () => {
    expect(decodeText(joined(new Uint8Array([0xef, 0xbb, 0xbf]), Buffer.from("é")))).toEqual({
      text: "é",
      encoding: "utf-8",
    });
    expect(decodeText(joined(new Uint8Array([0xff, 0xfe]), utf16("Я", false)))).toEqual({
      text: "Я",
      encoding: "utf-16le",
    });
    expect(decodeText(joined(new Uint8Array([0xfe, 0xff]), utf16("Я", true)))).toEqual({
      text: "Я",
      encoding: "utf-16be",
    });
  });

  test("UTF-16 without a mark is told by its zeros, also in Cyrillic and Chinese", () => {
    for (const lines of [["Hello"], ["Привет, как дела?"], ["你好,你怎么样?"]]) {
      const text = srtOf(lines);
      expect(decodeText(utf16(text, false))).toEqual({ text, encoding: "utf-16le" });
      expect(decodeText(utf16(text, true))).toEqual({ text, encoding: "utf-16be" });
    }
  });

  test("UTF-8 stays UTF-8 with a damaged letter and a cut end", () => {
    const bytes = Buffer.from("Привет, как дела? ".repeat(20));
    expect(decodeText(bytes.subarray(0, bytes.length - 2)).encoding).toBe("utf-8");
    const damaged = joined(bytes.subarray(0, 100), new Uint8Array([0xd0]), bytes.subarray(100));
    expect(decodeText(damaged)).toEqual({
      text: new TextDecoder().decode(damaged),
      encoding: "utf-8",
    });
  });

  for (const { language, encodings, lines } of SUBTITLE_SAMPLES) {
    test(`${language}: ${encodings.join(", ")}`, () => {
      for (const encoding of encodings) {
        const text = srtOf(lines);
        const bytes = encoded(text, encoding as LegacyEncoding);
        expect([encoding, decodeText(bytes).text]).toEqual([encoding, text]);
      }
    });
  }

  test("a single line is read rightly in nine of ten cases, and nearly always when the name tells the language", () => {
    let plain = 0;
    let named = 0;
    let all = 0;
    for (const { language, encodings, lines } of SUBTITLE_SAMPLES) {
      for (const encoding of encodings.slice(0, 2)) {
        for (const line of lines.filter((text) => /[^\0-\x7f]/.test(text)).slice(0, 4)) {
          const bytes = encoded(line, encoding as LegacyEncoding);
          all++;
          if (decodeText(bytes).text === line) plain++;
          if (decodeText(bytes, language).text === line) named++;
        }
      }
    }
    expect(all).toBeGreaterThan(100);
    expect(plain / all).toBeGreaterThan(0.9);
    expect(named / all).toBeGreaterThan(0.98);
  }, 60_000);

  test("a long file in an old encoding is guessed in little time", () => {
    const bytes = encoded(srtOf(SUBTITLE_SAMPLES[0]!.lines).repeat(2_000), "windows-1251");
    const started = performance.now();
    expect(decodeText(bytes).encoding).toBe("windows-1251");
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 30_000);

  test("a file of 16 MiB is read, one byte more is refused", () => {
    expect(decodeText(new Uint8Array(LIMITS.subtitles.fileBytes).fill(0x20)).encoding).toBe("utf-8");
    const tooLarge = new Uint8Array(LIMITS.subtitles.fileBytes + 1).fill(0x20);
    expect(() => decodeText(tooLarge)).toThrow(TorrxError);
  });
});
