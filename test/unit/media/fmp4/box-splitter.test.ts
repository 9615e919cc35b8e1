import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BoxSplitter, type TopBox } from "../../../../src/media/fmp4/box-splitter.ts";
import { box, bytesOf, u32, u64 } from "../../../support/media-bytes.ts";

const MAX_BYTES = 4096;

function split(chunks: readonly Uint8Array[], maxBytes = MAX_BYTES): { boxes: TopBox[]; isWhole: boolean } {
  const boxes: TopBox[] = [];
  const splitter = new BoxSplitter(maxBytes, (one) => boxes.push(one));
  for (const chunk of chunks) splitter.push(chunk);
  return { boxes, isWhole: splitter.end() };
}

/** In chunks of these sizes, over and over. */
function chopped(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    chunks.push(bytes.slice(at, at + size));
    at += size;
  }
  return chunks;
}

const longBox = (type: string, body: Uint8Array) => bytesOf(u32(1), type, u64(16 + body.length), body);
const body = (length: number) => Uint8Array.from({ length }, (_, i) => i & 0xff);

describe("the box splitter", () => {
  test("gives out each box whole, whatever the chunks", () => {
    const written = [
      box("ftyp", "isom"),
      box("moov", body(300)),
      box("mdat", body(0)),
      longBox("mdat", body(77)),
    ];
    const stream = bytesOf(written);
    for (const sizes of [[1], [2, 3], [7], [8], [9], [15], [16], [17], [64, 1], [stream.length]]) {
      const { boxes, isWhole } = split(chopped(stream, sizes));
      expect(boxes.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).toEqual(
        written.map((bytes) => Buffer.from(bytes).toString("hex")),
      );
      expect(boxes.map(({ type, bodyStart }) => [type, bodyStart])).toEqual([
        ["ftyp", 8],
        ["moov", 8],
        ["mdat", 8],
        ["mdat", 16],
      ]);
      expect(isWhole).toBe(true);
    }
  });

  test("an mdat shorter than a long header is no trouble, byte by byte or at once", () => {
    for (let length = 8; length <= 16; length++) {
      const stream = bytesOf(box("mdat", body(length - 8)), box("free", body(3)));
      for (const sizes of [[1], [length], [length + 1], [stream.length]]) {
        const { boxes } = split(chopped(stream, sizes));
        expect(boxes.map(({ type, bytes }) => [type, bytes.length])).toEqual([
          ["mdat", length],
          ["free", 11],
        ]);
      }
    }
  });

  test("any stream in any chunks gives the same boxes", () => {
    const boxes = fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 60 })), { maxLength: 8 });
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(boxes, sizes, (list, chunkSizes) => {
        const written = list.map(([isLong, data]) => (isLong ? longBox("mdat", data) : box("moof", data)));
        const got = split(chopped(bytesOf(written), chunkSizes));
        expect(got.boxes.map(({ bytes }) => [...bytes])).toEqual(written.map((bytes) => [...bytes]));
        expect(got.isWhole).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("a box without a length goes on to the end of the stream", () => {
    const stream = bytesOf(box("ftyp", "isom"), u32(0), "mdat", body(1000));
    for (const sizes of [[1], [100], [stream.length]]) {
      const { boxes, isWhole } = split(chopped(stream, sizes));
      expect(boxes.map(({ type, bytes }) => [type, bytes.length])).toEqual([
        ["ftyp", 12],
        ["mdat", 1008],
      ]);
      expect([...(boxes[1]?.bytes.subarray(8) ?? [])]).toEqual([...body(1000)]);
      expect(isWhole).toBe(true);
    }
  });

  test("a stream that ends within a box says so", () => {
    const stream = box("mdat", body(100));
    for (const length of [1, 7, 8, 9, 107]) {
      expect(split([stream.slice(0, length)])).toEqual({ boxes: [], isWhole: false });
    }
    expect(split([]).isWhole).toBe(true);
  });

  test("a box at the limit passes, one past it is refused before its bytes come", () => {
    expect(split([box("mdat", body(MAX_BYTES - 8))]).boxes).toHaveLength(1);
    const refused = { code: "unsupported_media" };
    expect(() => split([bytesOf(u32(MAX_BYTES + 1), "mdat")])).toThrow(expect.objectContaining(refused));
    expect(() => split([bytesOf(u32(1), "mdat", u64(2 ** 50))])).toThrow(expect.objectContaining(refused));
    const endless = [bytesOf(u32(0), "mdat"), body(MAX_BYTES - 8)];
    expect(split(endless).isWhole).toBe(true);
    expect(() => split([...endless, body(1)])).toThrow(expect.objectContaining(refused));
  });

  test("a size that cannot hold its own header is refused", () => {
    const refused = expect.objectContaining({ code: "unsupported_media" });
    for (const size of [2, 7]) expect(() => split([bytesOf(u32(size), "mdat", body(20))])).toThrow(refused);
    for (const size of [0, 15]) expect(() => split([bytesOf(u32(1), "mdat", u64(size))])).toThrow(refused);
  });

  test("cost grows with the bytes, not with their square", () => {
    const stream = box("mdat", new Uint8Array(4 * 1024 * 1024));
    let copied = 0;
    const set = Uint8Array.prototype.set;
    Uint8Array.prototype.set = function count(source: ArrayLike<number>, offset?: number) {
      copied += source.length;
      set.call(this, source, offset);
    };
    try {
      split(chopped(stream, [1000]), stream.length);
    } finally {
      Uint8Array.prototype.set = set;
    }
    expect(copied).toBeLessThan(2 * stream.length);
  });
});
