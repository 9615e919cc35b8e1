import { describe, expect, test } from "bun:test";
import { cleanText } from "../../../../src/media/probe/clean-text.ts";
import { languageOf } from "../../../../src/media/probe/language.ts";

describe("the language of a track", () => {
  test.each([
    ["eng", "en"],
    ["rus", "ru"],
    ["fre", "fr"],
    ["fra", "fr"],
    ["ger", "de"],
    ["chi", "zh"],
    ["cze", "cs"],
    ["dut", "nl"],
    ["gre", "el"],
    ["per", "fa"],
    ["rum", "ro"],
    ["slo", "sk"],
    ["jpn", "ja"],
    ["ukr", "uk"],
    ["RUS", "ru"],
    ["en", "en"],
    ["pt-br", "pt-BR"],
    ["zh_hant_tw", "zh-Hant-TW"],
    ["fre-ca", "fr-CA"],
    ["fil", "fil"],
    [" eng ", "en"],
  ])("%j is %j", (tag, expected) => {
    expect(languageOf(tag)).toBe(expected);
  });

  test.each([
    "und",
    "UND",
    "mul",
    "zxx",
    "mis",
    "qaa",
    "qtz",
    "",
    "e",
    "English",
    "en-12",
    "e\u0000n",
    "../en",
    "en-".repeat(50),
  ])("%j names none", (tag) => {
    expect(languageOf(tag)).toBeNull();
  });
});

describe("text of a file", () => {
  test("loses control characters, line ends and marks that turn it around", () => {
    expect(cleanText("a\u0000b\u001b[31mc\nd\u202ee\u2066f\u2028g\ufeffh", 99)).toBe("a b [31mc d e f g h");
  });

  test("keeps every script and joined emoji", () => {
    expect(cleanText("Русский дубляж 日本語 é 👩‍🚀", 99)).toBe("Русский дубляж 日本語 é 👩‍🚀");
  });

  test("is cut to whole characters at the limit", () => {
    expect(cleanText("😀😀😀", 3)).toBe("😀😀😀");
    expect(cleanText("😀😀😀😀", 3)).toBe("😀😀😀");
    expect(cleanText("x".repeat(1_000_000), 5)).toBe("xxxxx");
  });

  test("is well-formed and null when nothing is left", () => {
    expect(cleanText("a\ud800", 9)?.isWellFormed()).toBe(true);
    expect(cleanText("\u0000\u202e \n", 9)).toBeNull();
  });
});
