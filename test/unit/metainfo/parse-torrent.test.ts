// Where the package and ours differ, ours wins; each row shows what the package would have done.

import { describe, expect, test } from "bun:test";
import parseTorrent from "parse-torrent";
import { parseMagnet, parseTorrentFile, tryMagnet } from "../../../src/metainfo/index.ts";
import { multiFileInfo, singleFileInfo, torrentAround } from "./torrent-builder.ts";

const HASH = "0123456789abcdef0123456789abcdef01234567";

describe("beside parse-torrent", () => {
  test("both read an ordinary torrent alike", async () => {
    const bytes = torrentAround(
      multiFileInfo(
        [
          { path: ["s1", "e1.mkv"], length: 20_000 },
          { path: ["e1.srt"], length: 70 },
        ],
        { private: 1 },
      ),
      { announce: "http://t/announce" },
    );
    const ours = parseTorrentFile(bytes);
    const theirs = await parseTorrent(bytes);
    expect(ours.info.infoHash as string).toBe(theirs.infoHash);
    expect(ours.info.files.map((file) => `${ours.info.name}/${file.path}`)).toEqual(
      theirs.files.map((file) => file.path),
    );
    expect(ours.info.files.map((file) => [file.offsetBytes, file.lengthBytes])).toEqual(
      theirs.files.map((file) => [file.offset, file.length]),
    );
    expect([ours.info.totalBytes, ours.info.pieceLengthBytes, ours.info.pieceCount]).toEqual([
      theirs.length,
      theirs.pieceLength,
      theirs.pieces.length,
    ]);
    expect([ours.info.isPrivate, ours.trackers.flat()]).toEqual([true, theirs.announce]);
  });

  test("both read an ordinary magnet alike", async () => {
    const text = `magnet:?xt=urn:btih:${HASH}&dn=Big+Buck&tr=http%3A%2F%2Ft%2Fannounce&x.pe=1.2.3.4:5`;
    const theirs = await parseTorrent(text);
    const ours = parseMagnet(text);
    expect([
      ours.infoHash as string,
      ours.displayName as string,
      ours.trackers.flat(),
      ours.peers.length,
    ]).toEqual([theirs.infoHash, theirs.name as string, theirs.announce, theirs.peerAddresses.length]);
  });

  test("unsorted keys: theirs hashes a re-encoding, ours the bytes that peers hash", async () => {
    const raw = new Uint8Array(
      Buffer.from(`d6:pieces40:${"p".repeat(40)}6:lengthi20000e12:piece lengthi16384e4:name1:xe`),
    );
    const bytes = torrentAround(raw);
    const right = new Bun.CryptoHasher("sha1").update(raw).digest("hex");
    expect((await parseTorrent(bytes)).infoHash).not.toBe(right);
    expect(parseTorrentFile(bytes).info.infoHash as string).toBe(right);
  });

  test("a path with dots: theirs leaves the torrent's folder, ours stays in it", async () => {
    const bytes = torrentAround(multiFileInfo([{ path: ["..", "..", "etc", "passwd"], length: 5 }]));
    expect((await parseTorrent(bytes)).files[0]?.path).toBe("etc/passwd");
    expect(parseTorrentFile(bytes).info.files[0]?.path as string).toBe("_/_/etc/passwd");
  });

  test("a pad file: theirs makes it real, ours marks it", async () => {
    const bytes = torrentAround(multiFileInfo([{ path: [".pad", "1"], length: 5, extra: { attr: "p" } }]));
    expect((await parseTorrent(bytes)).files[0]).not.toHaveProperty("attr");
    expect(parseTorrentFile(bytes).info.files[0]?.isPad).toBe(true);
  });

  test("nonsense lengths: theirs takes them, ours refuses", async () => {
    const bytes = torrentAround(singleFileInfo({ length: -5, "piece length": -1 }));
    expect((await parseTorrent(bytes)).length).toBe(-5);
    expect(() => parseTorrentFile(bytes)).toThrow();
  });

  test("an unescaped = in a tracker: theirs loses the tracker, ours keeps it", async () => {
    const text = `magnet:?xt=urn:btih:${HASH}&tr=http://t/announce?key=1`;
    expect((await parseTorrent(text)).announce).toEqual([]);
    expect(parseMagnet(text).trackers).toEqual([["http://t/announce?key=1"]]);
  });

  test("a plus in a name: theirs makes it a space, ours keeps it", async () => {
    const text = `magnet:?xt=urn:btih:${HASH}&dn=C%2B%2B`;
    expect((await parseTorrent(text)).name).toBe("C  ");
    expect(parseMagnet(text).displayName as string).toBe("C++");
  });

  test("a broken escape: theirs refuses the link, ours drops the part", async () => {
    const text = `magnet:?xt=urn:btih:${HASH}&tr=%zz`;
    expect(
      await parseTorrent(text).then(
        () => "taken",
        () => "refused",
      ),
    ).toBe("refused");
    expect(tryMagnet(text)?.trackers).toEqual([]);
  });

  test("a hash with digits behind it: theirs cuts it off, ours refuses", async () => {
    const text = `magnet:?xt=urn:btih:${HASH}ff`;
    expect((await parseTorrent(text)).infoHash).toBe(HASH);
    expect(tryMagnet(text)).toBeNull();
  });

  test("a range of files: theirs expands it, ours does not", async () => {
    const text = `magnet:?xt=urn:btih:${HASH}&so=0-999`;
    expect((await parseTorrent(text)).so).toHaveLength(1000);
    expect(parseMagnet(text).selectOnly).toEqual([[0, 999]]);
  });
});
