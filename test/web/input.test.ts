import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { linesOf, shortened } from "../../web/src/lib/input.ts";

const HASH = "0123456789abcdef0123456789ABCDEF01234567";
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const kinds = (text: string) => linesOf(text).map(({ addable }) => addable?.kind ?? null);

describe("pasted text", () => {
  test("a magnet link, a hash and a link are told apart", () => {
    expect(kinds(`magnet:?xt=urn:btih:${HASH}`)).toEqual(["magnet"]);
    expect(kinds("MAGNET:?xt=urn:btih:x&dn=with spaces in it")).toEqual(["magnet"]);
    expect(kinds("https://example.org/a.torrent?x=1")).toEqual(["url"]);
    expect(linesOf(HASH)[0]?.addable).toEqual({ kind: "magnet", magnet: `magnet:?xt=urn:btih:${HASH}` });
    expect(linesOf(BASE32)[0]?.addable).toEqual({ kind: "magnet", magnet: `magnet:?xt=urn:btih:${BASE32}` });
  });

  test("what is none of these is kept and can not be added", () => {
    const junk = [
      HASH.slice(1),
      `${HASH}0`,
      `${HASH.slice(1)}g`,
      BASE32.replace("7", "1"),
      "http://",
      "ftp://a/b",
      "words",
    ];
    for (const text of junk) expect(linesOf(text)).toEqual([{ text, addable: null }]);
  });

  test("each line is one torrent, whatever ends it; blank ones are none", () => {
    expect(kinds(`\n  ${HASH}\r\n\r\n\tjunk \rhttps://a/b\n`)).toEqual(["magnet", null, "url"]);
    expect(linesOf(" \n\t\r\n")).toEqual([]);
  });

  test("no line is lost or made up", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), (parts) => {
        const told = linesOf(parts.join("\n")).map(({ text }) => text);
        const given = parts.flatMap((part) => part.split(/[\r\n]+/)).map((line) => line.trim());
        expect(told).toEqual(given.filter((line) => line !== ""));
      }),
    );
  });

  test("a long line is shortened between characters", () => {
    expect(shortened("short")).toBe("short");
    expect(shortened("x".repeat(60))).toBe("x".repeat(60));
    expect(shortened("🎬".repeat(61))).toBe(`${"🎬".repeat(60)}…`);
  });
});
