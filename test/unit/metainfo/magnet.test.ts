import { describe, expect, test } from "bun:test";
import { type InfoHash, tryInfoHash } from "../../../src/base/brand.ts";
import type { TorrxError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { magnetUriOf, parseMagnet, tryMagnet } from "../../../src/metainfo/index.ts";

const HASH = "0123456789abcdef0123456789abcdef01234567";
const BASE32 = "AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH";
const magnet = (rest: string) => parseMagnet(`magnet:?xt=urn:btih:${HASH}${rest}`);

describe("magnet", () => {
  test.each([
    ["hex", `magnet:?xt=urn:btih:${HASH}`],
    ["upper-case hex", `magnet:?xt=urn:btih:${HASH.toUpperCase()}`],
    ["base32", `magnet:?xt=urn:btih:${BASE32}`],
    ["lower-case base32", `magnet:?xt=urn:btih:${BASE32.toLowerCase()}`],
    ["an upper-case scheme and key", `MAGNET:?XT=URN:BTIH:${HASH}`],
    ["the topic not first and numbered", `magnet:?dn=x&xt.1=urn:btih:${HASH}`],
    ["an escaped topic", `magnet:?xt=urn%3Abtih%3A${HASH}`],
    ["a hybrid link", `magnet:?xt=urn:btmh:1220${"a".repeat(64)}&xt=urn:btih:${HASH}`],
    ["space around", `  magnet:?xt=urn:btih:${HASH}\n`],
    ["the hash alone", HASH],
    ["the hash alone in upper case", HASH.toUpperCase()],
    ["the hash alone in base32", BASE32],
    ["a link copied out of HTML", `magnet:?dn=x&amp;xt=urn:btih:${HASH}`],
  ])("%s", (_, text) => {
    expect(parseMagnet(text).infoHash as string).toBe(HASH);
  });

  test.each([
    ["nothing", ""],
    ["words", "hello"],
    ["a web address", `http://x/?xt=urn:btih:${HASH}`],
    ["no topic", "magnet:?dn=x"],
    ["another network", "magnet:?xt=urn:sha1:YNCKHTQCWBTRNJIV4WNAE52SJUQCZO5C"],
    ["a hash too short", `magnet:?xt=urn:btih:${HASH.slice(1)}`],
    ["a hash too long", `magnet:?xt=urn:btih:${HASH}0`],
    ["no hex", `magnet:?xt=urn:btih:${"g".repeat(40)}`],
    ["no base32", `magnet:?xt=urn:btih:${"1".repeat(32)}`],
    ["39 digits alone", HASH.slice(1)],
    ["a broken escape in the topic", "magnet:?xt=%zz"],
  ])("%s is refused as invalid_magnet, unrepeated", (_, text) => {
    expect(tryMagnet(text)).toBeNull();
    try {
      parseMagnet(text);
    } catch (error) {
      expect((error as TorrxError).code).toBe("invalid_magnet");
      if (text !== "") expect((error as TorrxError).message).not.toContain(text);
      return;
    }
    throw new Error("was taken");
  });

  test("only v2 is refused with words that say so", () => {
    expect(() => parseMagnet(`magnet:?xt=urn:btmh:1220${"a".repeat(64)}`)).toThrow(/v2/);
  });

  test("16 KiB are taken, one character more refused", () => {
    const filled = (length: number) => `magnet:?xt=urn:btih:${HASH}&x=`.padEnd(length, "a");
    expect(tryMagnet(filled(LIMITS.metainfo.magnetChars))).not.toBeNull();
    expect(tryMagnet(filled(LIMITS.metainfo.magnetChars + 1))).toBeNull();
  });

  test.each([
    ["&dn=Big+Buck%20Bunny", "Big Buck Bunny"],
    ["&dn=C%2B%2B", "C++"],
    ["&dn=%D0%A8%D0%BE%D1%83", "Шоу"],
    ["&dn=..%2F..%2Fx", "....x"],
    ["&dn=100%", "100%"],
    ["&dn=a=b", "a=b"],
    [`&dn=${"a".repeat(300)}`, "a".repeat(255)],
    ["&dn=", null],
    ["&dn=+", null],
    ["", null],
  ])("the name of %p", (rest, name) => {
    expect(magnet(rest).displayName as string | null).toBe(name);
  });

  test("each tracker is a tier of its own; what is no tracker is left out", () => {
    const rest =
      "&tr=http%3A%2F%2Fa%2Fannounce%3Fpasskey%3Dx%26y%3D1&tr=udp://b:80&tr.3=http://c/x?y=z&tr=wss://d&tr=udp://b:80&tr=%zz&tr=http://\ud800/";
    expect(magnet(rest).trackers).toEqual([
      ["http://a/announce?passkey=x&y=1"],
      ["udp://b:80"],
      ["http://c/x?y=z"],
    ]);
  });

  test("64 trackers are taken and the 65th left out", () => {
    const rest = Array.from({ length: 65 }, (_, i) => `&tr=http://t${i}/`).join("");
    expect(magnet(rest).trackers).toHaveLength(64);
  });

  test("peers are addresses with ports, never names", () => {
    const rest =
      "&x.pe=1.2.3.4:6881&x.pe=[2001:db8::1]:1&x.pe=%5B::1%5D:65535&x.pe=example.com:1&x.pe=1.2.3.4:0&x.pe=1.2.3.4:65536&x.pe=1.2.3:5&x.pe=[1.2.3.4]:5&x.pe=::1:5&x.pe=[fe80::1%25eth0]:5&x.pe=1.2.3.4:6881";
    expect(magnet(rest).peers).toEqual([
      { host: "1.2.3.4", port: 6881 },
      { host: "2001:db8::1", port: 1 },
      { host: "::1", port: 65535 },
    ]);
  });

  test("32 peers are taken and the 33rd left out", () => {
    const rest = Array.from({ length: 33 }, (_, i) => `&x.pe=1.2.3.4:${i + 1}`).join("");
    expect(magnet(rest).peers).toHaveLength(32);
  });

  test.each([
    [
      "&so=0,2,4-6",
      [
        [0, 0],
        [2, 2],
        [4, 6],
      ],
    ],
    ["&so=0-999999999", [[0, 999_999_999]]],
    [
      "&so=0%2C1",
      [
        [0, 0],
        [1, 1],
      ],
    ],
    ["&so=5-3,-1,x,,1e9,7", [[7, 7]]],
    [
      "&so=1&so=2",
      [
        [1, 1],
        [2, 2],
      ],
    ],
    ["&so=", null],
    ["", null],
  ] as [string, [number, number][] | null][])("the selection of %p is not expanded", (rest, ranges) => {
    const started = performance.now();
    expect(magnet(rest).selectOnly).toEqual(ranges);
    expect(performance.now() - started).toBeLessThan(50);
  });

  test("a link that was written reads back the same", () => {
    const parts = {
      infoHash: tryInfoHash(HASH) as InfoHash,
      name: "C++ & Ü=1?",
      trackers: [["http://a/announce?x=1&y=2"], ["udp://b:80"]],
      peers: [
        { host: "1.2.3.4", port: 5 },
        { host: "::1", port: 6 },
      ],
    };
    expect(parseMagnet(magnetUriOf(parts)) as object).toEqual({
      infoHash: HASH,
      displayName: "C++ & Ü=1?",
      trackers: parts.trackers,
      peers: parts.peers,
      selectOnly: null,
    });
    expect(parseMagnet(magnetUriOf({ infoHash: parts.infoHash })).infoHash as string).toBe(HASH);
  });
});
