import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../src/base/errors.ts";
import { encodeBencode, Geometry, parseInfoDict } from "../../../src/metainfo/index.ts";
import { type Fields, multiFileInfo, singleFileInfo } from "./torrent-builder.ts";

function refusal(infoBytes: Uint8Array): string {
  try {
    parseInfoDict(infoBytes);
  } catch (error) {
    if (error instanceof TorrxError && error.code === "invalid_torrent") return error.message;
    throw error;
  }
  throw new Error("was taken");
}

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

describe("info dictionary", () => {
  test("a single file is read whole", () => {
    const raw = singleFileInfo({ private: 1 });
    const info = parseInfoDict(raw);
    expect(info as object).toEqual({
      infoHash: new Bun.CryptoHasher("sha1").update(raw).digest("hex"),
      name: "film.mkv",
      pieceLengthBytes: 16_384,
      pieceCount: 3,
      pieceHashes: new Uint8Array(60).fill(7),
      totalBytes: 40_000,
      files: [{ index: 0, path: "film.mkv", offsetBytes: 0, lengthBytes: 40_000, isPad: false }],
      isMultiFile: false,
      isPrivate: true,
      infoBytes: raw,
    });
  });

  test("the bytes are copied, so that the caller may reuse its buffer", () => {
    const raw = singleFileInfo();
    const info = parseInfoDict(raw);
    const before = info.infoHash;
    raw.fill(0);
    expect(new Bun.CryptoHasher("sha1").update(info.infoBytes).digest("hex")).toBe(before);
    expect(info.pieceHashes).toEqual(new Uint8Array(60).fill(7));
  });

  test("the hash is that of the raw bytes, also where keys are not sorted", () => {
    const raw = latin1(`d6:lengthi20000e12:piece lengthi16384e4:name1:x6:pieces40:${"p".repeat(40)}e`);
    expect(parseInfoDict(raw).infoHash as string).toBe(
      new Bun.CryptoHasher("sha1").update(raw).digest("hex"),
    );
  });

  test("files follow one another and pads are kept, marked", () => {
    const info = parseInfoDict(
      multiFileInfo([
        { path: ["a.mkv"], length: 10_000 },
        { path: [".pad", "6384"], length: 6_384, extra: { attr: "p" } },
        { path: [".pad", "6384"], length: 6_384, extra: { attr: "xp" } },
        { path: ["empty"], length: 0 },
        { path: ["sub", "b.srt"], length: 5 },
      ]),
    );
    expect(
      info.files.map(({ path, offsetBytes, lengthBytes, isPad }) => [
        path as string,
        offsetBytes,
        lengthBytes,
        isPad,
      ]),
    ).toEqual([
      ["a.mkv", 0, 10_000, false],
      [".pad/6384", 10_000, 6_384, true],
      [".pad/6384", 16_384, 6_384, true],
      ["empty", 22_768, 0, false],
      ["sub/b.srt", 22_768, 5, false],
    ]);
    expect(new Geometry(info).pieceCount).toBe(info.pieceCount);
  });

  test("a symlink keeps its index but takes no room and is never made", () => {
    const info = parseInfoDict(
      multiFileInfo([
        { path: ["link"], length: 0, extra: { attr: "l", "symlink path": ["..", "etc"], length: 77 } },
        { path: ["b"], length: 5 },
      ]),
    );
    expect(info.files.map(({ index, lengthBytes, isPad }) => [index as number, lengthBytes, isPad])).toEqual([
      [0, 0, true],
      [1, 5, false],
    ]);
    expect(info.totalBytes).toBe(5);
  });

  test("the .utf-8 names are preferred", () => {
    const info = parseInfoDict(
      multiFileInfo([{ path: [latin1("\xd4\xe8")], length: 5, extra: { "path.utf-8": ["Фи"] } }], {
        name: latin1("\xd8"),
        "name.utf-8": "Ш",
      }),
    );
    expect([info.name as string, info.files[0]?.path as string]).toEqual(["Ш", "Фи"]);
  });

  test("names that are no UTF-8 become legal, and stay apart", () => {
    const info = parseInfoDict(
      multiFileInfo([
        { path: [latin1("\xd4.mkv")], length: 5 },
        { path: [latin1("\xd5.mkv")], length: 5 },
      ]),
    );
    expect(info.files.map((file) => file.path as string)).toEqual(["_.mkv", "_ (2).mkv"]);
  });

  test("names that try to leave the folder stay in it", () => {
    const info = parseInfoDict(
      multiFileInfo(
        [
          { path: ["..", "..", "etc", "passwd"], length: 5 },
          { path: ["/etc/passwd"], length: 5 },
          { path: ["C:", "x"], length: 5 },
        ],
        { name: "../../root" },
      ),
    );
    expect(info.name as string).toBe("....root");
    expect(info.files.map((file) => file.path as string)).toEqual(["_/_/etc/passwd", "etcpasswd", "C_/x"]);
  });

  test("a hybrid torrent is read by its v1 part", () => {
    const info = parseInfoDict(singleFileInfo({ "meta version": 2, "file tree": {} }));
    expect(info.totalBytes).toBe(40_000);
  });

  test("only v2 is refused with words that say so", () => {
    expect(
      refusal(singleFileInfo({ pieces: undefined, length: undefined, "meta version": 2, "file tree": {} })),
    ).toContain("v2");
  });

  test.each([
    ["16 KiB", { "piece length": 16_384, pieces: new Uint8Array(60) }],
    ["no power of two", { "piece length": 20_000, pieces: new Uint8Array(40) }],
    ["256 MiB", { "piece length": 2 ** 28, pieces: new Uint8Array(20) }],
    [
      "the largest exact total",
      { length: Number.MAX_SAFE_INTEGER, "piece length": 2 ** 28, pieces: new Uint8Array(20) },
    ],
  ] as [string, Fields][])("a piece length of %s is in range", (_, changes) => {
    if (changes["length"] !== undefined)
      expect(refusal(singleFileInfo(changes))).toContain("number of pieces");
    else expect(parseInfoDict(singleFileInfo(changes)).totalBytes).toBe(40_000);
  });

  test("2^21 pieces are taken, one more refused", () => {
    const withPieces = (pieces: number) =>
      singleFileInfo({ length: pieces * 16_384, pieces: new Uint8Array(pieces * 20) });
    // 2^21 hashes are 40 MiB, above the limit of a file: the size speaks first.
    expect(refusal(withPieces(2 ** 21))).toContain("too large");
    expect(parseInfoDict(withPieces(1_000_000)).pieceCount).toBe(1_000_000);
  });

  test("100,000 files are taken, one more refused", () => {
    const files = (count: number) =>
      multiFileInfo(Array.from({ length: count }, (_, i) => ({ path: [`f${i}`], length: 1 })));
    expect(parseInfoDict(files(100_000)).files.length).toBe(100_000);
    expect(refusal(files(100_001))).toContain("too many files");
  });

  test.each([
    ["no name", { name: undefined }],
    ["a name that is a number", { name: 5 }],
    ["no pieces", { pieces: undefined }],
    ["pieces that are a list", { pieces: [] }],
    ["a damaged last hash", { pieces: new Uint8Array(59) }],
    ["a hash too few", { pieces: new Uint8Array(40) }],
    ["a hash too many", { pieces: new Uint8Array(80) }],
    ["no piece length", { "piece length": undefined }],
    ["piece length 0", { "piece length": 0 }],
    ["piece length -1", { "piece length": -1 }],
    ["a piece length one below the least", { "piece length": 16_383 }],
    ["a piece length one above the largest", { "piece length": 2 ** 28 + 1, pieces: new Uint8Array(20) }],
    ["no length", { length: undefined }],
    ["a negative length", { length: -1 }],
    ["a length that is a string", { length: "5" }],
    ["no data", { length: 0, pieces: new Uint8Array(0) }],
    ["an empty list of files", { files: [] }],
    ["files that are numbers", { files: [1] }],
    ["a file without a path", { files: [{ length: 40_000 }] }],
    ["an empty path", { files: [{ length: 40_000, path: [] }] }],
    ["a path of numbers", { files: [{ length: 40_000, path: [1] }] }],
    ["a file without a length", { files: [{ path: ["a"] }] }],
    [
      "a negative length among files",
      {
        files: [
          { path: ["a"], length: -5 },
          { path: ["b"], length: 40_005 },
        ],
      },
    ],
    [
      "a sum that is not exact",
      {
        files: [
          { path: ["a"], length: Number.MAX_SAFE_INTEGER },
          { path: ["b"], length: 1 },
        ],
      },
    ],
    ["a path 65 deep", { files: [{ path: Array.from({ length: 65 }, () => "d"), length: 40_000 }] }],
  ] as [string, Fields][])("%s is refused", (_, changes) => {
    expect(refusal(singleFileInfo(changes))).not.toBe("");
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["a list", encodeBencode([])],
    ["bytes behind the dictionary", new Uint8Array([...singleFileInfo(), 0x65])],
    ["a dictionary cut short", singleFileInfo().subarray(0, -1)],
  ])("%s is no info dictionary", (_, bytes) => {
    expect(refusal(bytes)).not.toBe("");
  });

  test("no message repeats what the torrent says", () => {
    const canary = "CANARY";
    for (const changes of [
      { name: undefined, [canary]: 1 },
      { pieces: canary },
      { length: canary },
      { files: [canary] },
    ]) {
      expect(refusal(singleFileInfo({ name: canary, ...changes }))).not.toContain(canary);
    }
  });
});
