import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import {
  type BencodeInput,
  encodeBencode,
  encodeTorrentFile,
  parseTorrentFile,
} from "../../../src/metainfo/index.ts";
import { singleFileInfo, torrentAround } from "./torrent-builder.ts";

const trackersOf = (fields: Record<string, BencodeInput>) =>
  parseTorrentFile(torrentAround(singleFileInfo(), fields)).trackers;

describe("torrent file", () => {
  test("the raw info slice gives the info hash", () => {
    const raw = singleFileInfo();
    const { info } = parseTorrentFile(torrentAround(raw, { announce: "http://t/announce" }));
    expect(info.infoBytes).toEqual(raw);
    expect(info.infoHash as string).toBe(new Bun.CryptoHasher("sha1").update(raw).digest("hex"));
  });

  test("an info key inside another dictionary is not the info", () => {
    const torrent = torrentAround(singleFileInfo(), { aa: { info: "decoy" } });
    expect(parseTorrentFile(torrent).info.name as string).toBe("film.mkv");
  });

  test.each([
    ["announce alone", { announce: "http://a/announce" }, [["http://a/announce"]]],
    [
      "tiers, which silence announce",
      { announce: "http://x/announce", "announce-list": [["http://a/1", "udp://b:80"], ["https://c/"]] },
      [["http://a/1", "udp://b:80"], ["https://c/"]],
    ],
    ["an empty list, which does not", { announce: "http://x/a", "announce-list": [[""]] }, [["http://x/a"]]],
    ["a flat list", { "announce-list": ["http://a/", "http://b/"] }, [["http://a/"], ["http://b/"]]],
    [
      "spaces and repetitions",
      { "announce-list": [[" http://a/ ", "http://a/"], ["http://a/"]] },
      [["http://a/"]],
    ],
    [
      "what is no tracker",
      {
        "announce-list": [
          [
            "wss://a/",
            "file:///etc/passwd",
            "http://",
            "udp://b",
            "gopher://c",
            "x",
            "http://a b/",
            5 as BencodeInput,
          ],
        ],
      },
      [],
    ],
    ["a number", { announce: 5 }, []],
    ["none", {}, []],
  ] as [string, Record<string, BencodeInput>, string[][]][])("trackers from %s", (_, fields, tiers) => {
    expect(trackersOf(fields)).toEqual(tiers);
  });

  test("64 trackers are taken and the 65th left out", () => {
    const tiers = Array.from({ length: 70 }, (_, i) => [`http://t${i}/announce`]);
    expect(trackersOf({ "announce-list": tiers }).flat()).toHaveLength(LIMITS.metainfo.trackers);
  });

  test("a tracker URL of 2,048 characters is taken, a longer one left out", () => {
    const url = (length: number) => `http://t/${"a".repeat(length - 9)}`;
    expect(trackersOf({ "announce-list": [[url(2_048), url(2_049)]] }).flat()).toHaveLength(1);
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["HTML", new Uint8Array(Buffer.from("<!doctype html>"))],
    ["no dictionary", encodeBencode([1])],
    ["no info", encodeBencode({ announce: "http://a/" })],
    ["an info that is a string", encodeBencode({ info: "x" })],
    ["bytes behind the end", new Uint8Array([...torrentAround(singleFileInfo()), 10])],
  ])("%s is refused as invalid_torrent", (_, bytes) => {
    expect(() => parseTorrentFile(bytes)).toThrow(TorrxError);
  });

  test("a file above 32 MiB is refused before it is read", () => {
    const bytes = new Uint8Array(LIMITS.metainfo.torrentFileBytes + 1);
    const started = performance.now();
    expect(() => parseTorrentFile(bytes)).toThrow("too large");
    expect(performance.now() - started).toBeLessThan(50);
  });

  test("what is written reads back the same, with its tiers", () => {
    const tiers = [["http://a/announce", "udp://b:1/announce"], ["https://c/announce"]];
    const { info } = parseTorrentFile(torrentAround(singleFileInfo()));
    expect(parseTorrentFile(encodeTorrentFile(info, tiers))).toEqual({ info, trackers: tiers });
    expect(parseTorrentFile(encodeTorrentFile(info, [])).trackers).toEqual([]);
  });

  test("an info dictionary that is not canonical survives being written", () => {
    const raw = new Uint8Array(
      Buffer.from(`d6:lengthi20000e4:name1:x6:pieces40:${"p".repeat(40)}12:piece lengthi16384ee`),
    );
    const { info } = parseTorrentFile(torrentAround(raw));
    expect(parseTorrentFile(encodeTorrentFile(info, [["http://a/"]])).info.infoHash).toBe(info.infoHash);
  });
});
