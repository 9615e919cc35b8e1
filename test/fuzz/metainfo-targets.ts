import { resolve } from "node:path";
import { TorrxError } from "../../src/base/errors.ts";
import {
  BencodeError,
  type BencodeInput,
  decodeBencode,
  decodeBencodePrefix,
  encodeBencode,
  encodeTorrentFile,
  Geometry,
  parseInfoDict,
  parseMagnet,
  parseTorrentFile,
  safeComponent,
} from "../../src/metainfo/index.ts";
import { PathAllocator } from "../../src/metainfo/safe-path.ts";
import { multiFileInfo, singleFileInfo, torrentAround } from "../unit/metainfo/torrent-builder.ts";
import type { FuzzTarget } from "./fuzz.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const all = (...texts: string[]) => texts.map(bytes);

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken promise: ${what}`);
}

const BENCODE_DICTIONARY = all(
  "d",
  "l",
  "e",
  "i",
  "i0e",
  "i-1e",
  "i9007199254740991e",
  "0:",
  "1:a",
  "4294967296:",
  "-",
  ":",
  "de",
  "le",
  "d1:a",
  "9:__proto__",
  "llllllllllllllll",
);
const TORRENT_DICTIONARY = [
  ...BENCODE_DICTIONARY,
  ...all(
    "4:info",
    "6:pieces",
    "20:aaaaaaaaaaaaaaaaaaaa",
    "12:piece lengthi16384e",
    "6:lengthi-1e",
    "6:lengthi0e",
    "5:files",
    "4:path",
    "l2:..e",
    "4:attr1:l",
    "4:attr1:p",
    "4:name0:",
    "10:name.utf-8",
    "7:privatei1e",
    "13:announce-list",
    "8:announce",
    "12:meta versioni2e",
  ),
];

const bencode: FuzzTarget = {
  name: "bencode",
  corpus: all(
    "de",
    "le",
    "i5e",
    "4:spam",
    "d3:cow3:moo4:spaml1:a1:bee",
    "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
  ),
  dictionary: BENCODE_DICTIONARY,
  run(input) {
    decodeBencodePrefix(input);
    const value = decodeBencode(input);
    const again = encodeBencode(value as BencodeInput);
    must(
      Buffer.compare(encodeBencode(decodeBencode(again) as BencodeInput), again) === 0,
      "canonical form is stable",
    );
  },
  isExpected: (error) => error instanceof BencodeError,
};

const isInvalidTorrent = (error: unknown) => error instanceof TorrxError && error.code === "invalid_torrent";
const INFOS = [
  singleFileInfo(),
  singleFileInfo({ private: 1, "name.utf-8": "ж.mkv" }),
  multiFileInfo([
    { path: ["a", "b.mkv"], length: 20_000 },
    { path: ["a"], length: 3, extra: { attr: "x" } },
    { path: [".pad", "1"], length: 9, extra: { attr: "p" } },
    { path: ["l"], length: 0, extra: { attr: "l", "symlink path": [".."] } },
  ]),
];

const torrentFile: FuzzTarget = {
  name: "torrent file",
  corpus: INFOS.map((info) =>
    torrentAround(info, { announce: "http://t/a", "announce-list": [["http://t/a"], ["udp://u:1"]] }),
  ),
  dictionary: TORRENT_DICTIONARY,
  run(input) {
    const { info, trackers } = parseTorrentFile(input);
    must(info.pieceHashes.length === info.pieceCount * 20, "one hash per piece");
    must(info.files.reduce((sum, file) => sum + file.lengthBytes, 0) === info.totalBytes, "files add up");
    const geometry = new Geometry(info);
    const spans = geometry.spansOf({ start: 0, end: info.totalBytes });
    must(
      spans.reduce((sum, span) => sum + span.lengthBytes, 0) === info.totalBytes,
      "spans cover everything",
    );
    for (const file of info.files)
      must(resolve("/root", file.path) === `/root/${file.path}`, "paths stay inside");
    const real = info.files
      .filter((file) => !file.isPad)
      .map((file) => file.path.toUpperCase().toLowerCase());
    must(new Set(real).size === real.length, "paths differ");
    must(
      parseTorrentFile(encodeTorrentFile(info, trackers)).info.infoHash === info.infoHash,
      "the hash survives",
    );
  },
  isExpected: isInvalidTorrent,
};

const infoDict: FuzzTarget = {
  name: "info dictionary",
  corpus: INFOS,
  dictionary: TORRENT_DICTIONARY,
  run: (input) => must(parseInfoDict(input).infoBytes.length === input.length, "the bytes are kept"),
  isExpected: isInvalidTorrent,
};

const HASH = "0123456789abcdef0123456789abcdef01234567";
const magnet: FuzzTarget = {
  name: "magnet",
  corpus: all(
    `magnet:?xt=urn:btih:${HASH}&dn=a+b&tr=http%3A%2F%2Ft%2Fa&x.pe=1.2.3.4:5&so=1-3,9`,
    `magnet:?xt=urn:btih:${HASH}&tr=udp://t:80/announce&tr=udp://t:80/announce&x.pe=[::1]:5`,
    "magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH",
    HASH,
  ),
  dictionary: all(
    "&",
    "=",
    "%",
    "%00",
    "%ed%a0%80",
    "&dn=",
    "&tr=http://",
    "&so=0-99999999999",
    "&x.pe=[",
    "xt=urn:btih:",
    "urn:btmh:1220",
    "\u202e",
    "..%2f",
    "&amp;",
    "__proto__=1",
    "constructor=1",
  ),
  run(input) {
    const parsed = parseMagnet(Buffer.from(input).toString("utf8"));
    must(/^[0-9a-f]{40}$/.test(parsed.infoHash), "the hash is 40 hex digits");
    must(parsed.trackers.length <= 64 && parsed.peers.length <= 32, "lists are bounded");
    must(parsed.displayName === null || !/[/\p{Cc}]/u.test(parsed.displayName), "the name is one component");
  },
  isExpected: (error) => error instanceof TorrxError && error.code === "invalid_magnet",
};

const safePath: FuzzTarget = {
  name: "safe path",
  corpus: all("a/b.mkv\nA/B.MKV\na", "../..\nCON\nnul.txt", "e\u0301\n\u00e9\n\u200b\n..."),
  dictionary: all(
    "\n",
    "/",
    "\\",
    "..",
    ".",
    " ",
    "\u0000",
    "\u202e",
    "\u200d",
    "e\u0301",
    "CON",
    "COM1.",
    " (2)",
    "ß",
    "İ",
    "ﬁ",
    "\u{1f600}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  ),
  run(input) {
    const allocator = new PathAllocator();
    const seen = new Set<string>();
    for (const line of Buffer.from(input).toString("utf8").split("\n")) {
      const path: string = allocator.allocate(line.split("|"));
      must(resolve("/root", path) === `/root/${path}`, "the path stays inside");
      must(!seen.has(path.toUpperCase().toLowerCase()), "the path differs");
      seen.add(path.toUpperCase().toLowerCase());
      const once = safeComponent(line);
      must(safeComponent(once) === once && Buffer.byteLength(once) <= 255, "one pass is enough");
    }
  },
  isExpected: isInvalidTorrent,
};

export const METAINFO_TARGETS: readonly FuzzTarget[] = [bencode, torrentFile, infoDict, magnet, safePath];
